"""What rules would have done with the days of a figure: which alerts, from when to when, how grave.

History says how a figure stood at the end of each day, and not when its sources were heard: all
days count as fresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, Literal

from contracts.pace import Milestone
from contracts.times import LOCAL_ZONE
from contracts.updates import Severity
from services.notifier.core.course import Course
from services.notifier.core.decide import Decision, Held, Reason
from services.notifier.core.figure import Figure, FigureKey
from services.notifier.core.judging import Criteria, judge

_END_OF_DAY: Final = time(23, 59, 59)
_ORDER: Final[tuple[Severity, ...]] = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Day:
    """How a figure stood at the end of a local day; `value` is in percent."""

    on: date
    numerator: int | None
    denominator: int | None
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that would have fired: from the day it began to fire to the day it was over.

    `until` is None where it still fires, `severity` the gravest that it had, `reason` the first.
    """

    area: str
    indicator: str
    since: date
    until: date | None
    severity: Severity
    reason: Reason


#: `new` and `gone`: nothing of the figure fired at that time by the other rules.
Change = Literal["new", "gone", "changed", "same"]


@dataclass(frozen=True, slots=True)
class Compared:
    """An alert, and how it differs from what other rules would have made."""

    alert: Fired
    change: Change


def compare(before: Sequence[Fired], after: Sequence[Fired]) -> list[Compared]:
    """What other rules change about the alerts of one figure.

    Args:
        before: what fires by the rules in force.
        after: what would fire by the others.

    Returns:
        All of `after`, then what is gone.
    """
    found = [Compared(one, _change(one, before)) for one in after]
    gone = (one for one in before if not any(_meet(one, other) for other in after))
    return [*found, *(Compared(one, "gone") for one in gone)]


def _change(alert: Fired, before: Sequence[Fired]) -> Change:
    met = [one for one in before if _meet(one, alert)]
    if not met:
        return "new"
    return "same" if met == [alert] else "changed"


def _meet(one: Fired, other: Fired) -> bool:
    """Whether both fire on some day; each is over on the day on which it ends."""
    return one.since < (other.until or date.max) and other.since < (one.until or date.max)


def replay(key: FigureKey, days: Sequence[Day], criteria: Criteria) -> list[Fired]:
    """Judge a figure day by day, in order, as if the rules had been in force.

    Args:
        key: what the figure is of.
        days: a point a day, earliest first.
        criteria: what it is judged by.
    """
    found: list[Fired] = []
    held: Held | None = None
    course = Course()
    first = next((Milestone(day.on, day.value) for day in days if day.value is not None), None)
    for day in days:
        now = datetime.combine(day.on, _END_OF_DAY, LOCAL_ZONE)
        figure = Figure(key, 0, day.numerator, day.denominator, day.value, now, first)
        judgement = judge(held, figure, course, criteria, fresh=True, now=now)
        course = judgement.course
        found = _told(found, held, judgement.decision, key, day.on)
        held = _held(held, judgement.decision, now)
    return found


def _told(
    found: list[Fired], held: Held | None, decision: Decision, key: FigureKey, on: date
) -> list[Fired]:
    """What has fired until a day, with what that day's decision changes."""
    fired = held is not None and held.state == "firing"
    if not fired:
        if decision.state != "firing":
            return found
        new = Fired(key.area, key.indicator, on, None, decision.severity, decision.reason)
        return [*found, new]
    last = found[-1]
    if decision.state != "firing":
        return [*found[:-1], replace(last, until=on)]
    worse = max(last.severity, decision.severity, key=_ORDER.index)
    return [*found[:-1], replace(last, severity=worse)]


def _held(before: Held | None, decision: Decision, now: datetime) -> Held | None:
    if decision.state is None or decision.state == "resolved":
        return None
    opened_at = before.opened_at if before is not None else now
    return Held(decision.state, opened_at, decision.severity, decision.reason)
