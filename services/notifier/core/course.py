"""What is kept of a figure's past: where it stood some weeks ago, and how large its denominator was.

Two points a figure are kept and no more: the older one is between one and two windows old. They
are dropped whenever the source is silent, because shares of the last days sink with no event at
all; a silent source must not make a unit look bad, also not afterwards.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from contracts.pace import Milestone
from contracts.times import local_day
from services.notifier.core.figure import Figure, Standing
from services.notifier.core.rule import Rule

#: Of fewer days nothing can be told.
SHORTEST: Final = timedelta(days=7)
_WINDOW: Final = timedelta(days=28)
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Course:
    """The past of one figure.

    `then` is where it stood one to two windows ago, `since` the point that takes its place.
    `denominator` is what the next one is compared with, `moved_at` when it last moved too far.
    """

    then: Milestone | None = None
    since: Milestone | None = None
    denominator: int | None = None
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """What a decision needs to know of the past.

    `fallen` is in percentage points, None where too little is known. `late` is by how long the next
    target's day will be missed at the present speed (``timedelta.max``: never met so), None where
    it is not missed or too little is known. `is_settled` is False while the denominator has
    moved lately.
    """

    fallen: Decimal | None = None
    late: timedelta | None = None
    is_settled: bool = True


NO_TREND: Final = Trend()


def follow(course: Course, figure: Figure, *, fresh: bool, rule: Rule, now: datetime) -> Course:
    """What is kept after a judgement at this moment; the same object where nothing changes."""
    if not fresh or figure.value is None:
        if course.then is None and course.since is None:
            return course
        return replace(course, then=None, since=None)
    today = local_day(now)
    here = Milestone(today, figure.value)
    if _moved(course.denominator, figure.denominator, rule):
        return Course(None, here, figure.denominator, now)
    if course.since is None:
        return replace(course, then=None, since=here, denominator=figure.denominator)
    window = rule.falling.within if rule.falling is not None else _WINDOW
    if today - course.since.on >= window:
        return replace(course, then=course.since, since=here, denominator=figure.denominator)
    return course


def trend(course: Course, standing: Standing, *, rule: Rule, now: datetime) -> Trend:
    """What the past says of a figure that stands so now."""
    settled = (
        rule.shift is None or course.moved_at is None or now - course.moved_at >= rule.shift.settle
    )
    today = local_day(now)
    start = course.then or course.since
    if start is None or standing.value is None or today - start.on < SHORTEST:
        return Trend(is_settled=settled)
    return Trend(
        fallen=start.percent - standing.value,
        late=_late(start, standing, today),
        is_settled=settled,
    )


def _moved(before: int | None, after: int | None, rule: Rule) -> bool:
    if rule.shift is None or before is None or after is None:
        return False
    return abs(after - before) * _HUNDRED > rule.shift.percent * before


def _late(start: Milestone, standing: Standing, today: date) -> timedelta | None:
    """By how long the target's day is missed if all goes on as since `start`."""
    value, target, due = standing.value, standing.target, standing.target_on
    if value is None or target is None or due is None or value >= target:
        return None
    gained = value - start.percent
    if gained <= 0:
        return timedelta.max
    days = ((target - value) * (today - start.on).days / gained).to_integral_value(ROUND_CEILING)
    late = int(days) - (due - today).days
    if late <= 0:
        return None
    return timedelta(days=late) if late < timedelta.max.days else timedelta.max
