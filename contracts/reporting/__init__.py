"""Reporting periods as data: which units report what, when a period opens, is due and closes.

The law of this room: dates are data, never code. `periods` reads and writes periods, `days` says
how a day is named, `model` is the form of the file, `calendar` answers for a unit and a moment,
`reading` reads ``calendar.yaml`` of a folder. Days are local days in Asia/Ho_Chi_Minh.
"""

from contracts.reporting.calendar import Calendar, CalendarError, owing
from contracts.reporting.periods import KINDS, PeriodKind, first_day, kind_of, last_day
from contracts.reporting.reading import CALENDAR_FILE, load
from contracts.reporting.window import PeriodState, Window

__all__ = [
    "CALENDAR_FILE",
    "KINDS",
    "Calendar",
    "CalendarError",
    "PeriodKind",
    "PeriodState",
    "Window",
    "first_day",
    "kind_of",
    "last_day",
    "load",
    "owing",
]
