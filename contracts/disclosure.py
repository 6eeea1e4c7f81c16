"""What a letter or a page may tell of few people.

Both are read beyond the office they are written for. A group of fewer than 11 people can be guessed
at, and so can what is left of a known total. So neither is told, nor the share that gives it away.
Nobody at all (0) may be told: it points at no person. Organisations and institutions are no people.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Final, Literal

from contracts.catalogue import Catalogue, Indicator
from contracts.subjects import SubjectKind

SMALLEST: Final = 11
"""The smallest number of people that is told."""

#: `few-reached`: few are in the numerator. `few-missing`: few are not. `few-counted`: the
#: denominator is under the minimum that makes a share mean something.
Withheld = Literal["few-reached", "few-missing", "few-counted"]

_NO_PEOPLE: Final = frozenset({SubjectKind.ORGANISATION, SubjectKind.INSTITUTION})
_CENT: Final = Decimal("0.01")


def counts_people(catalogue: Catalogue, indicator: Indicator) -> bool:
    """Whether an indicator may count people; cases that units report may be people."""
    return (
        indicator.is_reported_only or catalogue.population_of(indicator).subject not in _NO_PEOPLE
    )


def is_few(count: int | None) -> bool:
    """Whether so few may not be told."""
    return count is not None and 0 < count < SMALLEST


def withheld(
    numerator: int | None,
    denominator: int | None,
    *,
    minimum_denominator: int,
    people: bool,
) -> Withheld | None:
    """Why a figure may not be told as it is; None where it may."""
    if denominator is None:
        return None
    if denominator < minimum_denominator:
        return "few-counted"
    if not people or numerator is None:
        return None
    if is_few(numerator):
        return "few-reached"
    return "few-missing" if is_few(denominator - numerator) else None


def highest_share(denominator: int) -> Decimal:
    """The share in percent, rounded up, that few of so many stay under."""
    return (Decimal(100 * SMALLEST) / denominator).quantize(_CENT, ROUND_CEILING)
