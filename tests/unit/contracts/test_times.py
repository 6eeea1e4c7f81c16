from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.times import (
    EARLIEST_DAY,
    LOCAL_ZONE,
    epoch_microseconds,
    format_rfc3339,
    local_day,
    local_ordinal,
    parse_rfc3339,
    time_objection,
)

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001  # hypothesis wants naive bounds
    max_value=datetime(2035, 12, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T08:30:00+07:00", datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
        ("2026-11-22T01:30:00Z", datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
        ("2026-11-22t01:30:00z", datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
        ("2026-11-22T01:30:00-00:00", datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
        ("2026-11-21T21:00:00-04:30", datetime(2026, 11, 22, 1, 30, tzinfo=UTC)),
        ("2026-11-22T01:30:00.5Z", datetime(2026, 11, 22, 1, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-11-22T01:30:00.1234567Z", datetime(2026, 11, 22, 1, 30, 0, 123_456, tzinfo=UTC)),
        ("2026-11-22T01:30:59.9999999Z", datetime(2026, 11, 22, 1, 30, 59, 999_999, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_reads_every_form_of_rfc_3339_and_cuts_to_microseconds(text: str, moment: datetime) -> None:
    assert parse_rfc3339(text) == moment
    assert parse_rfc3339(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T08:30:00",
        "2026-11-22 08:30:00Z",
        "2026-11-22T08:30Z",
        "20261122T083000Z",
        "2026-11-22T08:30:00+07",
        "2026-11-22T08:30:00+0700",
        "2026-11-22T08:30:00.Z",
        "2026-11-22T08:30:00,5Z",
        "2026-11-22T08:30:00Z\n",
        " 2026-11-22T08:30:00Z",
        "2026-W47-7T08:30:00Z",
        "2026-02-30T08:30:00Z",
        "2026-13-01T08:30:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T08:60:00Z",
        "2026-11-22T08:30:61Z",
        "2026-11-22T08:30:00+24:00",
        "2026-11-22T08:30:00+07:60",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+07:00",
        "9999-12-31T23:59:59-07:00",
        "٢٠٢٦-11-22T08:30:00Z",
        "1795312200",
    ],
)
def test_refuses_what_is_not_rfc_3339_or_names_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|no real moment"):
        parse_rfc3339(text)


def test_a_leap_second_is_the_beginning_of_the_next_second() -> None:
    assert parse_rfc3339("2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC)
    assert parse_rfc3339("2017-01-01T06:59:60+07:00") == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2016-12-31T22:59:60Z", "2016-12-30T23:59:60Z", "2016-12-31T23:59:60+07:00"]
)
def test_a_leap_second_anywhere_but_at_the_end_of_a_month_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no real moment"):
        parse_rfc3339(text)


@given(MOMENTS, st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_writing_and_reading_give_the_same_moment_whatever_the_offset(
    moment: datetime, minutes: int
) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert format_rfc3339(elsewhere).endswith("Z")
    assert parse_rfc3339(format_rfc3339(elsewhere)) == moment
    assert parse_rfc3339(elsewhere.isoformat()) == moment


@given(MOMENTS)
def test_epoch_microseconds_lose_nothing(moment: datetime) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert epoch + timedelta(microseconds=epoch_microseconds(moment)) == moment


def test_a_local_day_begins_at_midnight_in_ho_chi_minh() -> None:
    assert local_day(datetime(2025, 6, 30, 16, 59, 59, tzinfo=UTC)) == date(2025, 6, 30)
    assert local_day(datetime(2025, 6, 30, 17, 0, 0, tzinfo=UTC)) == date(2025, 7, 1)


def test_local_ordinal_agrees_with_the_zone_on_every_day_from_2000_to_2035() -> None:
    day = datetime(2000, 1, 1, tzinfo=LOCAL_ZONE)
    while day.year < 2036:
        first, last = day, day + timedelta(hours=23, minutes=59, seconds=59, microseconds=999_999)
        for moment in (first, last):
            assert local_ordinal(epoch_microseconds(moment)) == day.date().toordinal()
            assert local_day(moment) == day.date()
        day += timedelta(days=1)


@given(MOMENTS)
def test_local_ordinal_agrees_with_the_zone_at_any_moment(moment: datetime) -> None:
    assert local_ordinal(epoch_microseconds(moment)) == local_day(moment).toordinal()


def test_times_are_bounded_by_the_year_2000_and_five_minutes_ahead() -> None:
    first = datetime(EARLIEST_DAY.year, 1, 1, tzinfo=LOCAL_ZONE)
    assert time_objection(first, NOW) is None
    assert time_objection(NOW + timedelta(minutes=5), NOW) is None
    assert "2000-01-01" in str(time_objection(first - timedelta(microseconds=1), NOW))
    late = NOW + timedelta(minutes=5, microseconds=1)
    assert "5 minutes ahead" in str(time_objection(late, NOW))


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_the_ends_of_the_calendar_are_objected_to_and_break_nothing(text: str) -> None:
    assert time_objection(parse_rfc3339(text), NOW) is not None
