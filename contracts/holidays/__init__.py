"""Public holidays as data: on which days offices are closed, on which weekend days they work.

The law of this room: a holiday is a row, never code, and what is not certain is marked so.
``vietnam.yaml`` goes by year; `reading` reads it, or a file of a province's own.
"""

from contracts.holidays.reading import DayOff, Holidays, HolidaysError, WorkingDay, load

__all__ = ["DayOff", "Holidays", "HolidaysError", "WorkingDay", "load"]
