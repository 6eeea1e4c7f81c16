"""What the forms of reports say: official names, numerators and denominators, and the agencies.

The law of this room: wording is data, never code. `model` is the form of ``forms.yaml``, `reading`
reads it and words from the catalogue what it leaves out, `wording` says a period and a unit in
Vietnamese. Who reports what by when stands in `contracts.reporting`.
"""

from contracts.forms.model import Forms, Measure
from contracts.forms.reading import FORMS_FILE, FormsError, load
from contracts.forms.wording import compared_with, period_in_words, unit_in_words

__all__ = [
    "FORMS_FILE",
    "Forms",
    "FormsError",
    "Measure",
    "compared_with",
    "load",
    "period_in_words",
    "unit_in_words",
]
