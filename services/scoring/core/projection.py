"""Projection: on which day a target is met if things go on as they went."""

from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from contracts.pace import Milestone

#: The slope is taken over at most so many days, and never over fewer than the second number.
TREND_DAYS: Final = 90
SHORTEST_TREND_DAYS: Final = 7

#: Beyond this many days "when" is "not at this pace".
_FURTHEST_DAYS: Final = 36_500


def projected_on(start: Milestone, now: Milestone, target: Decimal | None) -> date | None:
    """The day on which `target` percent is met at the speed between two points.

    None where there is no target, the points are less than a week apart, or it is not met at this
    pace within a hundred years. A target that is met already is met today.
    """
    if target is None:
        return None
    if now.percent >= target:
        return now.on
    days = (now.on - start.on).days
    gained = now.percent - start.percent
    if days < SHORTEST_TREND_DAYS or gained <= 0:
        return None
    ahead = ((target - now.percent) * days / gained).to_integral_value(ROUND_CEILING)
    return now.on + timedelta(days=int(ahead)) if ahead <= _FURTHEST_DAYS else None
