"""When a digest falls due, which days it is about, and whether one that is late is still written.

A period ends with the day before its digest falls due. A digest that would fall due on a day off
falls due on the next working day, about the same period.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from contracts.times import LOCAL_ZONE, local_day

Cadence = Literal["weekly", "monthly"]
CADENCES: Final[tuple[Cadence, ...]] = ("weekly", "monthly")

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 6


@dataclass(frozen=True, slots=True)
class Timetable:
    """When digests fall due, in local time.

    `weekday` is 1 (Monday) to 7; a monthly digest falls due on the first of the month, or on the
    first working day after it. `late` is how long after that one is still written. `is_holiday`
    names public holidays.
    """

    weekday: int
    hour: int
    late: timedelta
    is_holiday: Callable[[date], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Occasion:
    """A digest that falls due: about the days from `since` to `until`, both included."""

    cadence: Cadence
    since: date
    until: date
    due_at: datetime

    @property
    def period(self) -> str:
        """Its name: ``2026-10`` for a month, the last day of a week: ``2026-11-22``."""
        return f"{self.until:%Y-%m}" if self.cadence == "monthly" else self.until.isoformat()


def latest(cadence: Cadence, timetable: Timetable, now: datetime) -> Occasion:
    """The occasion that fell due last."""
    first = _begin(cadence, timetable, local_day(now))
    while (found := _occasion(cadence, timetable, first)).due_at > now:
        first = _begin(cadence, timetable, first - _DAY)
    return found


def by_hand(cadence: Cadence, now: datetime) -> Occasion:
    """The week, or the month so far, that ends today: what an operator asks for."""
    today = local_day(now)
    since = today.replace(day=1) if cadence == "monthly" else today - 6 * _DAY
    return Occasion(cadence, since, today, now)


Plan = Literal["done", "measure", "tell"]


def plan(occasion: Occasion, measured: str | None, timetable: Timetable, now: datetime) -> Plan:
    """What is to be done about an occasion.

    Args:
        occasion: what fell due last.
        measured: the latest period of that cadence whose measure was taken; None: there is none,
            hence nothing to compare with, and the first period only takes the measure.
        timetable: says how late is too late; then only the measure is taken.
        now: the present moment.
    """
    if measured is not None and measured >= occasion.period:
        return "done"
    if measured is None or now - occasion.due_at > timetable.late:
        return "measure"
    return "tell"


def _begin(cadence: Cadence, timetable: Timetable, day: date) -> date:
    """The last day up to `day` on which a period begins."""
    if cadence == "monthly":
        return day.replace(day=1)
    return day - _DAY * ((day.isoweekday() - timetable.weekday) % 7)


def _occasion(cadence: Cadence, timetable: Timetable, begins: date) -> Occasion:
    until = begins - _DAY
    due_on = begins
    while timetable.is_holiday(due_on) or (cadence == "monthly" and _is_weekend(due_on)):
        due_on += _DAY
    return Occasion(
        cadence,
        since=until.replace(day=1) if cadence == "monthly" else until - 6 * _DAY,
        until=until,
        due_at=datetime.combine(due_on, time(timetable.hour), LOCAL_ZONE),
    )


def _is_weekend(day: date) -> bool:
    return day.isoweekday() >= _SATURDAY
