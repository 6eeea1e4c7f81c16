"""Projection: how fast a share goes, and the day a target is met if it goes on so."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.pace import Milestone
from contracts.projection import State, project, towards

START = Milestone(date(2026, 9, 1), Decimal(40))


def later(day: int, percent: str) -> Milestone:
    return Milestone(date(2026, 9, day), Decimal(percent))


@pytest.mark.parametrize(
    ("now", "target", "state", "met_on", "slope"),
    [
        # 10 points in 20 days are half a point a day: 20 more take 40 days.
        (later(21, "50"), "70", "on-the-way", date(2026, 10, 31), "0.5"),
        # Part of a day is a whole one.
        (later(21, "50"), "70.01", "on-the-way", date(2026, 11, 1), "0.5"),
        # A week is enough to tell a speed, six days are not.
        (later(8, "47"), "50", "on-the-way", date(2026, 9, 11), "1"),
        (later(7, "50"), "70", "too-short", None, None),
        (START, "70", "too-short", None, None),
        # What is met is met today, whatever is known of the days before and however it goes.
        (START, "40", "met", date(2026, 9, 1), None),
        (later(2, "70"), "70", "met", date(2026, 9, 2), None),
        (later(21, "39"), "30", "met", date(2026, 9, 21), "-0.05"),
        (later(21, "40"), "70", "not-at-this-pace", None, "0"),
        (later(21, "39"), "70", "not-at-this-pace", None, "-0.05"),
        # More than a hundred years; 36.49 points at a thousandth a day are just within them.
        (later(21, "40.01"), "90", "not-at-this-pace", None, "0.0005"),
        (later(21, "40.02"), "76.51", "on-the-way", date(2126, 8, 18), "0.001"),
        (later(21, "50"), None, "no-target", None, "0.5"),
        (START, None, "no-target", None, None),
    ],
)
def test_the_trend_between_two_points(
    now: Milestone, target: str | None, state: State, met_on: date | None, slope: str | None
) -> None:
    found = project(START, now, None if target is None else Decimal(target))
    assert (found.state, found.met_on) == (state, met_on)
    assert found.slope == (None if slope is None else Decimal(slope))
    assert (found.first, found.last) == (START.on, now.on)


def test_the_least_gain_of_the_longest_trend_has_a_speed() -> None:
    now = Milestone(START.on + timedelta(days=90), Decimal("40.01"))
    assert project(START, now, Decimal(41)).slope == Decimal("0.0001")


PERCENT = st.decimals(0, 100, places=2)


@given(PERCENT, PERCENT, PERCENT, PERCENT, st.integers(0, 90))
def test_a_trend_that_was_told_leads_to_another_target_as_it_would_have(
    before: Decimal, after: Decimal, told: Decimal, target: Decimal, days: int
) -> None:
    start, now = Milestone(START.on, before), Milestone(START.on + timedelta(days=days), after)
    known = project(start, now, told)
    assert towards(target, after, known.slope, known.first, known.last) == project(
        start, now, target
    )


@given(PERCENT, PERCENT, PERCENT, st.integers(7, 90))
def test_the_day_told_is_the_first_on_which_the_target_is_met(
    before: Decimal, after: Decimal, target: Decimal, days: int
) -> None:
    now = Milestone(START.on + timedelta(days=days), after)
    found = project(Milestone(START.on, before), now, target)
    if found.state != "on-the-way":
        return
    assert found.met_on is not None
    ahead = (found.met_on - now.on).days
    missing, gained = (target - after) * days, after - before
    assert gained * ahead >= missing > gained * (ahead - 1)
