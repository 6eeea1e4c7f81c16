"""One figure judged: how it stands, what its past says, what is decided, and what is kept of it."""

from dataclasses import dataclass
from datetime import datetime

from contracts.areas import Level
from contracts.catalogue import Indicator
from contracts.times import local_day
from services.notifier.core.aim import Aims
from services.notifier.core.course import Course, follow, trend
from services.notifier.core.decide import Decision, Held, decide
from services.notifier.core.figure import Figure, Standing, standing
from services.notifier.core.rule import Rule


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a unit's figures of one indicator are judged by."""

    indicator: Indicator
    level: Level
    aims: Aims
    rule: Rule


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of one figure; `course` is to be kept for the next judgement."""

    decision: Decision
    standing: Standing
    course: Course


def judge(
    held: Held | None,
    figure: Figure,
    course: Course,
    criteria: Criteria,
    *,
    fresh: bool,
    now: datetime,
) -> Judgement:
    """Judge one figure at a moment.

    Args:
        held: the alert that stands.
        figure: as scoring told it last.
        course: what was kept of its past.
        criteria: what it is judged by.
        fresh: whether its source has been heard lately.
        now: the moment.
    """
    rule = criteria.rule
    stands = standing(criteria.indicator, figure, local_day(now), criteria.aims)
    kept = follow(course, figure, fresh=fresh, rule=rule, now=now)
    decision = decide(
        held,
        stands,
        fresh=fresh,
        rule=rule,
        now=now,
        trend=trend(kept, stands, rule=rule, now=now),
        is_reported=figure.key.basis == "reported",
        is_told=criteria.level in rule.levels,
    )
    return Judgement(decision, stands, kept)
