"""The catalogue of indicators as data: facts, conditions, populations, numerators, targets, sources.

The law of this room: officials' rules stand in the YAML files beside this one; `model` says what
form they have, `reading` reads them, `checking` refuses what does not hold together, and
`changing` what must not change from one catalogue to the next.
"""

from contracts.catalogue.changing import dumped, refuse_new_meanings
from contracts.catalogue.checking import CatalogueError
from contracts.catalogue.model import (
    AgeCondition,
    All,
    AnyOf,
    Catalogue,
    Condition,
    Expression,
    Fact,
    FactCondition,
    Indicator,
    LatestCondition,
    Not,
    Population,
    Satisfied,
    SubjectRules,
)
from contracts.catalogue.reading import load, read

__all__ = [
    "AgeCondition",
    "All",
    "AnyOf",
    "Catalogue",
    "CatalogueError",
    "Condition",
    "Expression",
    "Fact",
    "FactCondition",
    "Indicator",
    "LatestCondition",
    "Not",
    "Population",
    "Satisfied",
    "SubjectRules",
    "dumped",
    "load",
    "read",
    "refuse_new_meanings",
]
