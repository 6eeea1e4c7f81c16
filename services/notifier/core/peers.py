"""What similar units reach: of the same level under the same parent, and nearest in size."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import Final

from contracts.areas import Areas
from contracts.pace import two_decimals
from services.notifier.core.figure import Figure, FigureKey

MOST: Final = 10
"""So many units, those nearest in size, are compared."""

FEWEST: Final = 3
"""Of fewer than that a median says little, and a good deal about each."""


@dataclass(frozen=True, slots=True)
class Peers:
    """What `count` similar units reach, in percent: the median, and the best with its name."""

    count: int
    median: Decimal
    best: str
    best_value: Decimal


def siblings(areas: Areas, area_id: str, today: date) -> list[str]:
    """The other units of the same level under the same parent that exist on a day."""
    area = areas[area_id]
    if area.parent_id is None:
        return []
    return [
        one.area_id
        for one in areas.children(area.parent_id)
        if one.area_id != area_id and one.level == area.level and one.is_valid(today)
    ]


def peers(
    key: FigureKey,
    others: Sequence[str],
    figures: Mapping[FigureKey, Figure],
    *,
    may_be_told: Callable[[Figure], bool],
) -> Peers | None:
    """Compare a unit with those nearest in size; None where there are too few.

    Args:
        key: the figure of the unit itself, which must be among `figures`.
        others: units of the same level under the same parent.
        figures: what is known of them.
        may_be_told: whether a figure is of enough people to be told.
    """
    own = figures.get(key)
    if own is None or not own.denominator:
        return None
    size = own.denominator
    found: list[tuple[Fraction, str, Decimal]] = []
    for other in others:
        figure = figures.get(FigureKey(other, key.indicator, key.basis))
        if figure is None or figure.value is None or not figure.denominator:
            continue
        if may_be_told(figure):
            larger, smaller = max(size, figure.denominator), min(size, figure.denominator)
            found.append((Fraction(larger, smaller), other, figure.value))
    nearest = sorted(found)[:MOST]
    if len(nearest) < FEWEST:
        return None
    _, best, value = min(nearest, key=lambda one: (-one[2], one[1]))
    return Peers(len(nearest), two_decimals(median(one[2] for one in nearest)), best, value)
