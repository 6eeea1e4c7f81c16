"""What a letter or a page may tell of few people.

Both are read beyond the office they are written for. A group of fewer than 11 people can be guessed
at, and so can what is left of a known total. So neither is told, nor the share that gives it away.
Nobody at all (0) may be told: it points at no person. Organisations and institutions are no people.

A page stands beside those of other units, so there the sums count too: whoever knows a unit and all
but one of those below it knows the last one. `given_away` says what is to be withheld for that.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final, Literal, NamedTuple

from contracts.catalogue import Catalogue, Indicator
from contracts.subjects import SubjectKind

SMALLEST: Final = 11
"""The smallest number of people that is told."""

#: `few-reached`: few are in the numerator. `few-missing`: few are not. `few-counted`: the
#: denominator is under the minimum that makes a share mean something.
Withheld = Literal["few-reached", "few-missing", "few-counted"]

_NO_PEOPLE: Final = frozenset({SubjectKind.ORGANISATION, SubjectKind.INSTITUTION})
_CENT: Final = Decimal("0.01")


class Count(NamedTuple):
    """How many of how many."""

    numerator: int
    denominator: int


def may_be_people(subject: str | None) -> bool:
    """Whether a kind of subject may be people; None: cases that units report, which may be."""
    return subject not in _NO_PEOPLE


def counts_people(catalogue: Catalogue, indicator: Indicator) -> bool:
    """Whether an indicator may count people."""
    return indicator.is_reported_only or may_be_people(catalogue.population_of(indicator).subject)


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


def given_away(
    counts: Mapping[str, Count], *, total: str, minimum_denominator: int
) -> frozenset[str]:
    """What else is to be withheld, so that subtracting tells no more of few people than the words.

    Of each unit that `withheld` names, every number that its words leave open (1 to 10 of those who
    have reached, or of those who have not) stays possible to a reader who knows all that is told,
    the denominators among it. For that the smallest units that are neither few nor all nor none are
    withheld too; where that is not enough, the unit above is instead.

    Args:
        counts: unit → people counted there; together these are the unit above.
        total: what the unit above is called.
        minimum_denominator: see `withheld`.

    Returns:
        Names of `counts`, or `total`; none that `withheld` names.
    """
    counted = {name: one for name, one in counts.items() if one.denominator > 0}
    hidden, told = {}, {}
    for name, one in counted.items():
        why = withheld(*one, minimum_denominator=minimum_denominator, people=True)
        if why is None:
            told[name] = one
        else:
            hidden[name] = one, _left_open(one, why)
    above = Count(
        sum(one.numerator for one in counted.values()),
        sum(one.denominator for one in counted.values()),
    )
    if withheld(*above, minimum_denominator=minimum_denominator, people=True) is not None:
        return frozenset()
    more = sorted(
        (name for name, one in told.items() if _is_wide(one)),
        key=lambda name: (told[name].denominator, name),
    )
    also: list[str] = []
    while not _is_open(hidden.values(), (told[name] for name in also)):
        if len(also) == len(more):
            return frozenset({total})
        also.append(more[len(also)])
    return frozenset(also)


def _left_open(count: Count, why: Withheld) -> tuple[int, int]:
    """The lowest and the highest numerator that the words leave open."""
    counted = count.denominator
    match why:
        case "few-reached":
            return 1, min(SMALLEST - 1, counted)
        case "few-missing":
            return max(0, counted - SMALLEST + 1), counted - 1
        case "few-counted":
            return 0, counted


def _is_wide(count: Count) -> bool:
    return SMALLEST <= count.numerator <= count.denominator - SMALLEST


def _is_open(hidden: Iterable[tuple[Count, tuple[int, int]]], also: Iterable[Count]) -> bool:
    """Whether the sum of what is withheld narrows down none of the hidden ones."""
    hidden, also = list(hidden), list(also)
    rest = sum(one.numerator for one, _ in hidden) + sum(one.numerator for one in also)
    # One that is withheld for the sake of others is known not to be few.
    lowest = sum(low for _, (low, _) in hidden) + SMALLEST * len(also)
    highest = sum(high for _, (_, high) in hidden) + sum(one.denominator - SMALLEST for one in also)
    return all(
        rest - (highest - high) <= low and rest - (lowest - low) >= high
        for _, (low, high) in hidden
    )
