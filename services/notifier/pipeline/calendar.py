"""Say when the public holidays of a year are not known: letters would go out on them."""

from datetime import datetime

import structlog

from contracts.holidays import Holidays
from contracts.times import local_day
from services.notifier.metrics import NotifierMetrics


class Calendar:
    """Looks after the public holidays."""

    def __init__(self, holidays: Holidays, metrics: NotifierMetrics) -> None:
        self._holidays = holidays
        self._metrics = metrics
        self._said: set[int] = set()

    async def step(self, now: datetime) -> None:
        """Show how many years are missing, and log each of them once."""
        missing = self._holidays.missing(local_day(now))
        self._metrics.holiday_years_missing.set(len(missing))
        for year in missing:
            if year not in self._said:
                self._said.add(year)
                structlog.get_logger(__name__).warning(
                    "the public holidays of a year are not known, so only its weekends are kept; "
                    "add them to the file of holidays",
                    year=year,
                )
