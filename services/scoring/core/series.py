"""A figure day by day, out of the points that are stored, of one unit or of several added up.

A day without a point reads as the day before; before the first point nothing is known. A unit that
has taken over others is added up with them: up to their last days what is theirs has been carried,
and afterwards whatever still stands under their names (until the daily step has moved it) is the
successor's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from contracts.areas import Area, Areas


@dataclass(frozen=True, slots=True)
class Point:
    """A figure as it stood at the end of a day.

    `restated_at` is when late events last changed it, None when none did. `value` is of quantities
    that were reported. `is_carried` says that figures of units of before are in it.
    """

    day: date
    numerator: int | None
    denominator: int | None
    value: Decimal | None = None
    restated_at: datetime | None = None
    is_carried: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A unit whose figures are in a series from a day on; until `last` they are carried."""

    area_id: str
    since: date
    last: date = date.min


def parts(areas: Areas, area: Area, tree: date | None) -> list[Part]:
    """The units that make up the series of a unit.

    Args:
        areas: of all times.
        area: the unit whose series is wanted.
        tree: the day whose units count: what the unit has taken over by then is carried to it, from
            the first day of all on. None leaves every unit what it was on each day.
    """
    own = Part(area.area_id, area.valid_from or date.min)
    former = areas.former(area.area_id, tree or date.max)
    if tree is not None:
        return [own, *(Part(one.area_id, date.min, one.last) for one in former)]
    joined = sorted({one.last + timedelta(days=1) for one in former})
    return [own] + [
        Part(one.area_id, day)
        for one in former
        for day in joined
        if areas.current(one.area_id, day) == area.area_id
        and areas.current(one.area_id, day - timedelta(days=1)) != area.area_id
    ]


def daily(
    of_parts: Sequence[Part],
    stored: Mapping[str, Sequence[Point]],
    first: date,
    last: date,
) -> Iterator[Point]:
    """A point for each day between two, both included, on which anything is known.

    Args:
        of_parts: what is added up.
        stored: the points of each unit, the earliest first, and the one that `first` reads as.
        first: the first day.
        last: the last day.
    """
    ahead = {part.area_id: list(reversed(stored.get(part.area_id, ()))) for part in of_parts}
    known: dict[str, Point] = {}
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        for area_id, points in ahead.items():
            while points and points[-1].day <= day:
                known[area_id] = points.pop()
        found = [
            (part, known[part.area_id])
            for part in of_parts
            if part.since <= day and part.area_id in known
        ]
        if found:
            yield _added(day, found)


def _added(day: date, found: Sequence[tuple[Part, Point]]) -> Point:
    points = [point for _, point in found]
    marks = [point.restated_at for point in points if point.restated_at is not None]
    tops = [point.numerator for point in points if point.numerator is not None]
    belows = [point.denominator for point in points if point.denominator is not None]
    return Point(
        day,
        sum(tops) if tops else None,
        sum(belows) if belows else None,
        points[0].value,
        max(marks, default=None),
        any(day <= part.last for part, _ in found),
    )
