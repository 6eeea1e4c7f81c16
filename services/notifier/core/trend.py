"""The trend of a share over the last 90 days, and the day on which its target is met if it goes on.

The slope is what was gained from the first day of the trend to the last, by the day, as scoring
takes it: a line fitted to points would make too much of a campaign in the middle of the trend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Final, Literal

from contracts.pace import Milestone

TREND_DAYS: Final = 90
SHORTEST_TREND_DAYS: Final = 7
_STEP: Final = timedelta(days=7)
_FURTHEST_DAYS: Final = 36_500
_SLOPE_STEP: Final = Decimal("0.0001")

#: As scoring tells it: `too-short` is less than a week of figures, `not-at-this-pace` stands still,
#: falls, or needs more than a hundred years.
Outlook = Literal["met", "on-the-way", "not-at-this-pace", "too-short", "no-target"]


@dataclass(frozen=True, slots=True)
class Trend:
    """Points a week apart, the last one of today, and what they come to.

    `slope` is in percentage points a day, None over less than a week; `met_on` is None unless the
    target is met or on the way.
    """

    points: tuple[Milestone, ...]
    outlook: Outlook
    slope: Decimal | None
    met_on: date | None


def trend(history: Sequence[Milestone], target: Decimal | None, today: date) -> Trend | None:
    """The trend of what is known up to today; None where nothing is.

    Args:
        history: the share on each day on which it changed, earliest first; it stands in between.
        target: in percent, or None where there is none.
        today: the local day.
    """
    known = [point for point in history if point.on <= today]
    if not known:
        return None
    begins = max(known[0].on, today - timedelta(days=TREND_DAYS))
    days = [today]
    while days[-1] - _STEP > begins:
        days.append(days[-1] - _STEP)
    if begins < today:
        days.append(begins)
    points = tuple(Milestone(day, _standing_on(known, day)) for day in reversed(days))
    start, now = points[0], points[-1]
    length = (now.on - start.on).days
    gained = now.percent - start.percent
    slope = None
    if length >= SHORTEST_TREND_DAYS:
        slope = (gained / length).quantize(_SLOPE_STEP, ROUND_HALF_UP)
    outlook, met_on = _outlook(now, target, gained, length)
    return Trend(points, outlook, slope, met_on)


def _standing_on(known: Sequence[Milestone], day: date) -> Decimal:
    return next(point.percent for point in reversed(known) if point.on <= day)


def _outlook(
    now: Milestone, target: Decimal | None, gained: Decimal, days: int
) -> tuple[Outlook, date | None]:
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
