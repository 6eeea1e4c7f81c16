"""Restatement: what events change that come late, on the days that they touch.

A correction says: from a day on, so many more (or fewer) in the numerator and the denominator of a
unit's indicator. Corrections are added, so their order and their batches make no difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contracts.areas import Areas
from services.scoring.core.series import Point

#: (area id, indicator id)
Pair = tuple[str, str]
#: What is added to numerator and denominator.
Difference = tuple[int, int]

_NONE: Difference = (0, 0)


@dataclass(frozen=True, slots=True)
class Correction:
    """From a local day on, this difference, in a unit itself."""

    area_id: str
    indicator: str
    day: date
    numerator: int
    denominator: int


def summed(
    corrections: Iterable[Correction], areas: Areas, first: date, today: date
) -> Mapping[Pair, Mapping[date, Difference]]:
    """Corrections added up, for each unit and all above it, by the days that can be restated.

    Args:
        corrections: in any order.
        areas: of all times.
        first: the first day that can be restated; what began before counts from here on.
        today: the local day; it is not restated, nor what comes after.
    """
    found: defaultdict[Pair, dict[date, Difference]] = defaultdict(dict)
    for one in corrections:
        day = max(one.day, first)
        if day >= today:
            continue
        for unit in areas.lineage_upward(one.area_id):
            days = found[unit, one.indicator]
            days[day] = _sum(days.get(day, _NONE), (one.numerator, one.denominator))
    return {
        pair: kept
        for pair, days in found.items()
        if (kept := {day: change for day, change in days.items() if change != _NONE})
    }


def restated(
    points: Sequence[Point], changes: Mapping[date, Difference], today: date, now: datetime
) -> Iterator[Point]:
    """The points that corrections change or add.

    A change that ends, and today, read on as they did: where they have no point they get one.

    Args:
        points: what is stored of one unit and indicator from the first change on, and the point
            that this day reads as, the earliest first. Today's says how the figure stands.
        changes: what is added from each day on; all lie before today.
        today: the local day.
        now: what changed points are marked with.
    """
    stored = {point.day: point for point in points}
    was, added = Point(date.min, 0, 0), _NONE
    for day in sorted({*stored, *changes, today}):
        was = stored.get(day, was)
        before, added = added, _sum(added, changes.get(day, _NONE))
        if day < today and added != _NONE:
            figure = _sum((was.numerator or 0, was.denominator or 0), added)
            yield Point(day, *figure, restated_at=now)
        elif day not in stored and before != _NONE:
            yield Point(day, was.numerator, was.denominator, restated_at=was.restated_at)


def _sum(one: Difference, other: Difference) -> Difference:
    return one[0] + other[0], one[1] + other[1]
