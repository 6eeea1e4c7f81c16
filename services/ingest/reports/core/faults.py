"""What can be wrong with a report: where it stands, what it is and what to write instead.

A fault is said in Vietnamese or in English. What was written is repeated only where it is short and
holds no long number, since it may be anybody's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from services.ingest.reports.core.texts import TEXTS

Language = Literal["vi", "en"]
DEFAULT_LANGUAGE: Final[Language] = "vi"


class Code(StrEnum):
    """What is wrong; also the label of the metric."""

    # of the whole report
    UNKNOWN_REPORTER = "unknown-reporter"
    BAD_PERIOD = "bad-period"
    NOT_ASKED = "not-asked"
    UNIT_ENDED = "unit-ended"
    NOT_OPEN = "not-open"
    CLOSED = "closed"
    UNREADABLE = "unreadable"
    NO_SHEET = "no-sheet"
    NO_HEADINGS = "no-headings"
    NO_REPORTER = "no-reporter"
    OTHER_REPORTER = "other-reporter"
    OTHER_PERIOD = "other-period"
    TOO_MANY_ROWS = "too-many-rows"
    NOTHING_REPORTED = "nothing-reported"
    # of a row
    NO_INDICATOR = "no-indicator"
    UNKNOWN_INDICATOR = "unknown-indicator"
    NOT_IN_FORM = "not-in-form"
    TWICE = "twice"
    WITHDRAWN = "withdrawn"
    # of a cell
    NUMERATOR_MISSING = "numerator-missing"
    DENOMINATOR_MISSING = "denominator-missing"
    VALUE_NOT_ASKED = "value-not-asked"
    RATIO_NOT_ASKED = "ratio-not-asked"
    NOT_A_NUMBER = "not-a-number"
    AMBIGUOUS_NUMBER = "ambiguous-number"
    A_DATE = "a-date"
    NOT_WHOLE = "not-whole"
    NEGATIVE = "negative"
    TOO_LARGE = "too-large"
    ZERO_DENOMINATOR = "zero-denominator"
    ABOVE_DENOMINATOR = "above-denominator"
    OUT_OF_PERCENT = "out-of-percent"
    PERCENT_NOT_ASKED = "percent-not-asked"
    FORMULA_WITHOUT_VALUE = "formula-without-value"
    MERGED = "merged"
    PERSONAL_NUMBER = "personal-number"
    LONG_NOTE = "long-note"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a sheet and a cell like ``F12``; in JSON ``rows[3].numerator``."""

    sheet: str
    cell: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    code: Code
    place: Place | None = None
    indicator: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    def message(self, language: Language) -> str:
        """What is wrong."""
        return TEXTS[self.code][language][0].format_map(self.values)

    def advice(self, language: Language) -> str:
        """What to write instead."""
        return TEXTS[self.code][language][1].format_map(self.values)


def language_of(accept_language: str | None) -> Language:
    """The language that a reader prefers of those there are; Vietnamese without a wish."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate((accept_language or "").split(",")):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.replace(" ", "").removeprefix("q=") or "1"
        try:
            wishes.append((-float(quality), place, tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    for negated, _, language in sorted(wishes):
        if negated < 0 and language in ("vi", "en"):
            return "en" if language == "en" else "vi"
    return DEFAULT_LANGUAGE
