"""The calendar in force: a file's schedules, with their indicators looked up in the catalogue."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from contracts.areas import Area, Areas, Level
from contracts.catalogue import Catalogue
from contracts.reporting.model import CalendarFile, Chosen, Schedule
from contracts.reporting.periods import PeriodKind, between, kind_of
from contracts.reporting.window import Window
from contracts.times import local_day

#: A schedule's days lie at most so far from the last day of their period; see `days`.
_FURTHEST: Final = timedelta(days=2 * 366)


class CalendarError(ValueError):
    """A calendar that cannot be used, with the place that is wrong."""


class Calendar:
    """Which units report what, and by when. Decides from values alone."""

    def __init__(self, file: CalendarFile, catalogue: Catalogue) -> None:
        """Look up the indicators.

        Raises:
            CalendarError: a schedule names a set or indicator that the catalogue has not.
        """
        self.version = file.version
        self._schedules: dict[tuple[Level, PeriodKind], Schedule] = {}
        self._expected: dict[tuple[Level, PeriodKind], tuple[str, ...]] = {}
        for number, schedule in enumerate(file.schedules, start=1):
            place = f"schedules: number {number} ({schedule.kind}, {', '.join(schedule.levels)})"
            chosen = _chosen(schedule.indicators, catalogue, place)
            for level in schedule.levels:
                self._schedules[level, schedule.kind] = schedule
                self._expected[level, schedule.kind] = chosen

    @property
    def scheduled(self) -> list[tuple[Level, PeriodKind]]:
        """Which levels report for which kinds of period."""
        return list(self._schedules)

    def expected(self, level: Level, period: str) -> tuple[str, ...]:
        """The indicators that a unit of a level reports for a period, as the catalogue orders them.

        None of them when units of that level do not report for it.

        Raises:
            ValueError: when the text is no period.
        """
        if self.window(level, period) is None:
            return ()
        return self._expected[level, kind_of(period)]

    def window(self, level: Level, period: str) -> Window | None:
        """The days of a period; None when units of that level do not report for it.

        Raises:
            ValueError: when the text is no period.
        """
        schedule = self._schedules.get((level, kind_of(period)))
        if schedule is None or not schedule.is_asked_for(period):
            return None
        return schedule.window(period)

    def between(self, level: Level, first: date, last: date) -> list[Window]:
        """The periods that are open on some day between two days, by their due days."""
        found = []
        for (of_level, kind), schedule in self._schedules.items():
            if of_level != level:
                continue
            near = {*between(kind, first - _FURTHEST, last + _FURTHEST), *schedule.overrides}
            windows = [schedule.window(one) for one in near if schedule.is_asked_for(one)]
            found += [one for one in windows if one.opens <= last and one.closes >= first]
        return sorted(found, key=lambda window: (window.due, window.period))

    def periods(
        self, area: Area, now: datetime, *, back: timedelta = timedelta(days=366)
    ) -> list[Window]:
        """The periods that a unit has to report, by their due days.

        All that are open or due, and those that have closed within `back`. A unit owes the report
        of a period if it exists on the period's due day, so that after a reform the new unit
        reports, also for the time before.
        """
        today = local_day(now)
        windows = self.between(area.level, today - back, today)
        return [window for window in windows if area.is_valid(window.due)]


def owing(areas: Areas, level: Level, window: Window) -> Sequence[Area]:
    """The units of a level that owe the report of a period: those that exist on its due day."""
    return [area for area in areas.on(window.due) if area.level == level]


def _chosen(chosen: Chosen, catalogue: Catalogue, place: str) -> tuple[str, ...]:
    sets = {indicator.set for indicator in catalogue}
    for name in chosen.sets:
        if name not in sets:
            raise CalendarError(
                f"{place}: the catalogue has no set {name}; it has {', '.join(sorted(sets))}"
            )
    for name in (*chosen.ids, *chosen.without):
        if name not in catalogue.by_id:
            raise CalendarError(f"{place}: the catalogue has no indicator {name}")
    found = tuple(
        one.id
        for one in catalogue
        if (one.set in chosen.sets or one.id in chosen.ids) and one.id not in chosen.without
    )
    if not found:
        raise CalendarError(f"{place}: nothing is left to report; leave less out")
    return found
