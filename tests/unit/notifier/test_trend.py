"""The trend of the last 90 days and what it comes to."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from contracts.pace import Milestone
from contracts.projection import TREND_DAYS
from services.notifier.core.trend import trend

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)


def history(*points: tuple[int, str]) -> list[Milestone]:
    """Shares so many days ago."""
    return [Milestone(TODAY - ago * DAY, Decimal(share)) for ago, share in points]


def test_steps_back_by_weeks_to_the_beginning() -> None:
    found = trend(history((200, "10"), (30, "20"), (0, "30")), Decimal(90), TODAY)
    assert found is not None
    days = [point.on for point in found.points]
    assert (days[0], days[-1]) == (TODAY - TREND_DAYS * DAY, TODAY)
    assert {after - before for before, after in pairwise(days[1:])} == {7 * DAY}
    # What stood when the trend begins is older than the trend.
    assert [point.percent for point in found.points] == [10] * 9 + [20] * 4 + [30]


@pytest.mark.parametrize(
    ("points", "target", "outlook", "slope", "met_on"),
    [
        # 9 points in 90 days; 60 more take 600.
        (((90, "21"), (0, "30")), "90", "on-the-way", "0.1000", TODAY + 600 * DAY),
        (((90, "21"), (0, "90")), "90", "met", "0.7667", TODAY),
        (((90, "30"), (0, "30")), "90", "not-at-this-pace", "0.0000", None),
        (((90, "31"), (0, "30")), "90", "not-at-this-pace", "-0.0111", None),
        (((90, "30"), (0, "30.01")), "90", "not-at-this-pace", "0.0001", None),
        (((6, "20"), (0, "30")), "90", "too-short", None, None),
        (((7, "23"), (0, "30")), "90", "on-the-way", "1.0000", TODAY + 60 * DAY),
        (((90, "21"), (0, "30")), None, "no-target", "0.1000", None),
        (((0, "30"),), "90", "too-short", None, None),
    ],
)
def test_projects_as_scoring_does(
    points: tuple[tuple[int, str], ...],
    target: str | None,
    outlook: str,
    slope: str | None,
    met_on: date | None,
) -> None:
    found = trend(history(*points), None if target is None else Decimal(target), TODAY)
    assert found is not None
    projection = found.projection
    assert (projection.state, projection.met_on) == (outlook, met_on)
    assert projection.slope == (None if slope is None else Decimal(slope))


def test_says_nothing_of_nothing() -> None:
    assert trend([], Decimal(90), TODAY) is None
    assert trend(history((-1, "30")), Decimal(90), TODAY) is None
