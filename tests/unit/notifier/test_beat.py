"""A step is done again and again; what passes by itself does not end it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import FixedClock
from services.notifier.pipeline.beat import Beat

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


class Step:
    """Raises what it is given, one at a call."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, _now: datetime) -> None:
        self.calls += 1
        if (error := self.errors.pop(0)) is not None:
            raise error


async def test_goes_on_after_what_passes_and_stops_at_what_cannot_be_explained() -> None:
    step = Step(None, ConnectionResetError(), TimeoutError(), None, ValueError("no idea"))
    beat = Beat("trying", step, every_seconds=0.001, clock=FixedClock(NOW))
    with pytest.raises(ValueError, match="no idea"):
        await beat.run()
    assert step.calls == 5


async def test_who_is_woken_does_not_wait_for_its_time() -> None:
    calls = 0

    async def step(_: datetime) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ValueError
        beat.wake()  # what comes while a step runs is not lost

    beat = Beat("trying", step, every_seconds=3600, clock=FixedClock(NOW))
    with pytest.raises(ValueError):  # noqa: PT011 - the step above
        await beat.run()
    assert calls == 3


async def test_says_when_it_does_not_go_forward() -> None:
    clock = FixedClock(NOW)
    beat = Beat("trying", Step(None, ValueError()), every_seconds=0.001, clock=clock)
    assert await beat.check() == "trying has not run yet"
    with pytest.raises(ValueError):  # noqa: PT011 - the step above
        await beat.run()
    assert await beat.check() is None
    clock.advance(timedelta(seconds=61))
    assert await beat.check() == "trying last ran 61 s ago"
    clock.advance(timedelta(days=1))
    assert await beat.check() == "trying last ran 86461 s ago"
