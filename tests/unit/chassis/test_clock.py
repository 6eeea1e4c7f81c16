from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import Clock, FixedClock, SystemClock


def test_the_machine_tells_the_time_in_utc() -> None:
    clock: Clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.now().tzinfo is UTC


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock(datetime.fromisoformat("2025-07-01T07:00:00+07:00"))
    assert clock.now() == datetime(2025, 7, 1, tzinfo=UTC)
    clock.advance(timedelta(days=1))
    assert clock.now().isoformat() == "2025-07-02T00:00:00+00:00"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2025, 7, 1))  # noqa: DTZ001 - the mistake in question
