"""What there is to tell about reports of units on a day: due soon, missing, or complete."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.areas import Areas, Level
from contracts.report_events import (
    REPORT_DUE,
    REPORT_MISSING,
    REPORT_RECEIVED,
    ReportData,
    ReportEvent,
    ReportEventType,
    report_event,
)
from contracts.reporting import Calendar, Window, owing
from contracts.times import local_day
from services.ingest.core.completeness import Receipt, Standing, judge


@dataclass(frozen=True, slots=True)
class Due:
    """A period that is looked at, for the units of a level."""

    level: Level
    window: Window


def to_look_at(
    calendar: Calendar, looked_on: date, awaited: Sequence[str], today: date
) -> list[Due]:
    """The periods of which something may be to tell.

    Args:
        calendar: the calendar in force.
        looked_on: when was last looked, so that what passed since is not left out.
        awaited: periods of which somebody has been reminded and nothing has come yet.
        today: the local day.
    """
    found: list[Due] = []
    for level in dict.fromkeys(level for level, _ in calendar.scheduled):
        windows = {one.period: one for one in calendar.between(level, looked_on, today)}
        for period in awaited:
            window = calendar.window(level, period)
            if window is not None:
                windows[period] = window
        found += [Due(level, window) for window in windows.values()]
    return found


def reminders(
    calendar: Calendar,
    areas: Areas,
    looked_at: Sequence[Due],
    received: Mapping[tuple[str, str], Sequence[Receipt]],
    *,
    began_on: date,
    now: datetime,
) -> Iterator[ReportEvent]:
    """The events that there should be by now; those that have been told before are among them.

    Args:
        calendar: the calendar in force.
        areas: the units.
        looked_at: see `to_look_at`.
        received: (period, area id) → what has come.
        began_on: the first day on which anybody looked; of what was due or missing by then nothing
            is told, so that a new installation does not begin with a letter to everybody.
        now: the moment.
    """
    today = local_day(now)
    for due in looked_at:
        window = due.window
        expected = calendar.expected(due.level, window.period)
        for area in owing(areas, due.level, window):
            came = received.get((window.period, area.area_id), ())
            standing = judge(area.area_id, window, expected, came, today)
            told = _told(standing, window, began_on, today)
            if told is not None and (area.is_valid(today) or standing.is_complete):
                event_type, day = told
                yield report_event(event_type, _data(standing, window, day), now)


def _told(
    standing: Standing, window: Window, began_on: date, today: date
) -> tuple[ReportEventType, date] | None:
    """What is to be told of a report, and for which day; of reminders the latest alone."""
    if standing.completed_at is not None:
        return REPORT_RECEIVED, local_day(standing.completed_at)
    if today <= window.due:
        passed = [day for day in window.reminders if began_on < day <= today]
        return (REPORT_DUE, passed[-1]) if passed else None
    if began_on <= window.grace_until < today:
        return REPORT_MISSING, window.grace_until + timedelta(days=1)
    return None


def _data(standing: Standing, window: Window, day: date) -> ReportData:
    return ReportData(
        area=standing.area_id,
        period=window.period,
        kind=window.kind,
        day=day,
        opens=window.opens,
        due=window.due,
        closes=window.closes,
        expected=len(standing.expected),
        missing=standing.missing,
    )
