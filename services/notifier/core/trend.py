"""The trend of a share over the last 90 days, and what it comes to, projected as scoring does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from contracts.pace import Milestone
from contracts.projection import TREND_DAYS, Projection, project

_STEP: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Trend:
    """Points a week apart, the last one of today, and what they come to."""

    points: tuple[Milestone, ...]
    projection: Projection


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
    return Trend(points, project(points[0], points[-1], target))


def _standing_on(known: Sequence[Milestone], day: date) -> Decimal:
    return next(point.percent for point in reversed(known) if point.on <= day)
