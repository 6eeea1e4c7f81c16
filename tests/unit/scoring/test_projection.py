"""Projection: the day a target is met if things go on as they went."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.pace import Milestone
from services.scoring.core.projection import projected_on

START = Milestone(date(2026, 9, 1), Decimal(40))


def later(day: int, percent: str) -> Milestone:
    return Milestone(date(2026, 9, day), Decimal(percent))


def test_at_the_speed_between_two_points() -> None:
    """10 points in 20 days are half a point a day: 20 more take 40 days."""
    assert projected_on(START, later(21, "50"), Decimal(70)) == date(2026, 10, 31)


def test_part_of_a_day_is_a_whole_one() -> None:
    assert projected_on(START, later(21, "50"), Decimal("70.01")) == date(2026, 11, 1)


def test_a_target_that_is_met_is_met_today() -> None:
    assert projected_on(START, later(2, "70"), Decimal(70)) == date(2026, 9, 2)


@pytest.mark.parametrize(
    ("now", "target"),
    [
        (later(21, "50"), None),
        (later(7, "50"), Decimal(70)),  # six days are too few to tell a speed
        (later(21, "40"), Decimal(70)),
        (later(21, "39"), Decimal(70)),
        (later(21, "40.01"), Decimal(90)),  # more than a hundred years
    ],
)
def test_no_day_can_be_told(now: Milestone, target: Decimal | None) -> None:
    assert projected_on(START, now, target) is None


def test_a_week_is_enough() -> None:
    assert projected_on(START, later(8, "47"), Decimal(50)) == date(2026, 9, 11)
