"""Quiet hours: evenings, nights, weekends and public holidays, in local time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

from contracts.times import LOCAL_ZONE
from services.notifier.core.stop import Stop


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When offices read what they get: from `opens` up to, but not at, `closes`.

    `weekdays` are 1 (Monday) to 7. `is_holiday` names public holidays, `is_made_up` days of the
    weekend that are worked instead of others.
    """

    opens: time
    closes: time
    weekdays: frozenset[int]
    is_holiday: Callable[[date], bool]
    is_made_up: Callable[[date], bool]

    def closed(self, now: datetime) -> Stop | None:
        """Why nobody is told at a moment, or None in office hours."""
        local = now.astimezone(LOCAL_ZONE)
        today = local.date()
        if self.is_holiday(today):
            return Stop.HOLIDAY
        if local.isoweekday() not in self.weekdays and not self.is_made_up(today):
            return Stop.WEEKEND
        return None if self.opens <= local.time() < self.closes else Stop.QUIET_HOURS
