"""A year without public holidays is shown, and said once."""

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from contracts import holidays
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.calendar import Calendar

#: 30 November 2027, a minute before midnight in Viet Nam.
EVE = datetime(2027, 11, 30, 16, 59, tzinfo=UTC)


async def test_the_next_year_is_wanted_from_december_on() -> None:
    registry = CollectorRegistry()
    calendar = Calendar(holidays.load(), NotifierMetrics(registry))
    with capture_logs() as said:
        await calendar.step(EVE)
        assert (registry.get_sample_value("notifier_holiday_years_missing"), said) == (0, [])
        for minutes in (1, 2, 3):
            await calendar.step(EVE + timedelta(minutes=minutes))
    assert registry.get_sample_value("notifier_holiday_years_missing") == 1
    assert [(one["log_level"], one["year"]) for one in said] == [("warning", 2028)]
