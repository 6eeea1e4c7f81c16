"""Projection: how fast a share goes, and on which day a target is met if it goes on so.

The speed is what was gained from the first day of the trend to the last, by the day: the mean of all
daily gains. A line fitted to the daily points (least squares) would not do. Figures move in steps,
a campaign, a quarterly report, and such a line makes up to one and a half times the true gain of a
step in the middle of the trend, and nothing of one at its end: it would speed up and slow down while
the step only grows older. It pays where single points are noisy, and counts are not.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Final, Literal

from contracts.pace import Milestone, two_decimals

#: The slope is taken over at most so many days, and never over fewer than the second number.
TREND_DAYS: Final = 90
SHORTEST_TREND_DAYS: Final = 7

#: Beyond this many days "when" is "not at this pace".
_FURTHEST_DAYS: Final = 36_500

# The least gain, 0.01 in 90 days, still has a speed.
_SLOPE_STEP: Final = Decimal("0.0001")

#: `met`: the target is met. `on-the-way`: there is a day on which it will be. `not-at-this-pace`: it
#: stands still, falls, or needs more than a hundred years. `too-short`: less than a week is known.
#: `no-target`: there is nothing to meet.
State = Literal["met", "on-the-way", "not-at-this-pace", "too-short", "no-target"]


@dataclass(frozen=True, slots=True)
class Projection:
    """What a trend comes to.

    `slope` is in percentage points a day (four decimals, rounded half up), None over less than a
    week. `met_on` is the day on which the target is met, None in all states but `met` (today) and
    `on-the-way`. `first` and `last` are the days of the trend.
    """

    state: State
    slope: Decimal | None
    met_on: date | None
    first: date
    last: date


def project(start: Milestone, now: Milestone, target: Decimal | None) -> Projection:
    """The projection of the trend between two points.

    Args:
        start: the share on the first day of the trend.
        now: the share today.
        target: in percent, or None where there is none.
    """
    days = (now.on - start.on).days
    gained = now.percent - start.percent
    is_known = days >= SHORTEST_TREND_DAYS
    slope = (gained / days).quantize(_SLOPE_STEP, ROUND_HALF_UP) if is_known else None
    state, met_on = _outlook(now, target, gained, days)
    return Projection(state, slope, met_on, start.on, now.on)


def towards(
    target: Decimal | None, value: Decimal, slope: Decimal | None, first: date, last: date
) -> Projection:
    """The projection of a trend that was told already, towards another target.

    The slope has four decimals, so that over 90 days what was gained is known to the second one.

    Args:
        target: in percent, or None where there is none.
        value: the share on the last day.
        slope: in percentage points a day, None over less than a week.
        first: the first day of the trend.
        last: its last day.
    """
    gained = two_decimals((slope or Decimal(0)) * (last - first).days)
    return project(Milestone(first, value - gained), Milestone(last, value), target)


def _outlook(
    now: Milestone, target: Decimal | None, gained: Decimal, days: int
) -> tuple[State, date | None]:
    if target is None:
        return "no-target", None
    if now.percent >= target:
        return "met", now.on
    if days < SHORTEST_TREND_DAYS:
        return "too-short", None
    if gained <= 0:
        return "not-at-this-pace", None
    ahead = ((target - now.percent) * days / gained).to_integral_value(ROUND_CEILING)
    if ahead > _FURTHEST_DAYS:
        return "not-at-this-pace", None
    return "on-the-way", now.on + timedelta(days=int(ahead))
