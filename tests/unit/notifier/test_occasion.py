"""When digests fall due, about which days, and what becomes of late ones."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.notifier.core.occasion import Cadence, Timetable, by_hand, latest, plan

# Monday 23 November 2026, 08:00 in Viet Nam.
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WEEKLY = Timetable(weekday=1, hour=8, late=3 * DAY)


@pytest.mark.parametrize(
    ("now", "period", "since", "until"),
    [
        (MONDAY, "2026-11-22", date(2026, 11, 16), date(2026, 11, 22)),
        (MONDAY - timedelta(seconds=1), "2026-11-15", date(2026, 11, 9), date(2026, 11, 15)),
        (MONDAY + 6 * DAY, "2026-11-22", date(2026, 11, 16), date(2026, 11, 22)),
        (MONDAY + 7 * DAY, "2026-11-29", date(2026, 11, 23), date(2026, 11, 29)),
    ],
)
def test_a_week_ends_before_its_digest(
    now: datetime, period: str, since: date, until: date
) -> None:
    found = latest("weekly", WEEKLY, now)
    assert (found.period, found.since, found.until) == (period, since, until)


@pytest.mark.parametrize(
    ("now", "period", "due"),
    [
        # 1 November 2026 is a Sunday: due on Monday.
        (datetime(2026, 11, 1, 12, tzinfo=UTC), "2026-09", date(2026, 10, 1)),
        (datetime(2026, 11, 2, 1, tzinfo=UTC), "2026-10", date(2026, 11, 2)),
        (datetime(2027, 1, 31, 12, tzinfo=UTC), "2026-12", date(2027, 1, 1)),
    ],
)
def test_a_month_is_told_on_the_first_working_day(now: datetime, period: str, due: date) -> None:
    found = latest("monthly", WEEKLY, now)
    assert (found.period, (found.due_at).date()) == (period, due)
    assert f"{found.since:%Y-%m-%d}" == f"{period}-01"


def test_a_holiday_puts_it_off() -> None:
    holidays = {date(2026, 11, 23), date(2026, 11, 24)}
    timetable = Timetable(weekday=1, hour=8, late=3 * DAY, is_holiday=holidays.__contains__)
    assert latest("weekly", timetable, MONDAY + DAY).period == "2026-11-15"
    put_off = latest("weekly", timetable, MONDAY + 2 * DAY)
    assert (put_off.period, put_off.due_at) == ("2026-11-22", MONDAY + 2 * DAY)


@pytest.mark.parametrize(
    ("measured", "after", "planned"),
    [
        (None, timedelta(0), "measure"),
        ("2026-11-15", timedelta(0), "tell"),
        ("2026-11-15", 3 * DAY, "tell"),
        ("2026-11-15", 3 * DAY + timedelta(seconds=1), "measure"),
        ("2026-10-25", DAY, "tell"),
        ("2026-11-22", timedelta(0), "done"),
        ("2026-11-22", 4 * DAY, "done"),
    ],
)
def test_what_is_done_about_an_occasion(
    measured: str | None, after: timedelta, planned: str
) -> None:
    now = MONDAY + after
    assert plan(latest("weekly", WEEKLY, now), measured, WEEKLY, now) == planned


@pytest.mark.parametrize(
    ("cadence", "since"), [("weekly", date(2026, 11, 17)), ("monthly", date(2026, 11, 1))]
)
def test_by_hand_it_ends_today(cadence: Cadence, since: date) -> None:
    found = by_hand(cadence, MONDAY)
    assert (found.since, found.until) == (since, date(2026, 11, 23))
