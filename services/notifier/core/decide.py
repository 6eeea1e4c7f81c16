"""The decision: what becomes of an alert, and why.

One pure function of the alert that stands, the figure against its line, how fresh it is, what is
known of its past, and the moment.

States run pending → firing → resolved. A pending alert that is not confirmed is dropped (state
None): nobody has been told of it. A resolved one never comes back; a unit that falls behind again
gets a new alert.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from contracts.updates import AlertState, Severity
from services.notifier.core.course import NO_TREND, Trend
from services.notifier.core.figure import Standing
from services.notifier.core.rule import Rule


class Reason(StrEnum):
    """Why an alert is in its state, or why there is none; also the metric label."""

    BEHIND_PACE = "behind-pace"
    TARGET_MISSED = "target-missed"
    FALLING = "falling"
    RECOVERING = "recovering"
    RECOVERED = "recovered"
    NOT_BEHIND = "not-behind"
    TOO_FEW = "too-few"
    NO_PACE = "no-pace"
    NOT_TOLD = "not-told"
    DENOMINATOR_CHANGED = "denominator-changed"
    SOURCE_SILENT = "source-silent"
    UNIT_ENDED = "unit-ended"
    PROMISE_BROKEN = "promise-broken"
    REPORT_DUE = "report-due"
    REPORT_MISSING = "report-missing"
    REPORT_RECEIVED = "report-received"
    RECEIVER_DISABLED = "receiver-disabled"
    RECEIVER_FAILING = "receiver-failing"
    RECEIVER_REMOVED = "receiver-removed"


#: Reasons for which nothing was judged: the figures of an alert stay those of the last judgement,
#: and it is not told again.
UNJUDGED: Final = frozenset(
    {Reason.SOURCE_SILENT, Reason.REPORT_MISSING, Reason.DENOMINATOR_CHANGED}
)


@dataclass(frozen=True, slots=True)
class Held:
    """The alert that stands before a decision: pending or firing, since when, how grave, and why.

    Without a reason it is one that lags.
    """

    state: AlertState
    opened_at: datetime
    severity: Severity
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of it; `state` None: there is no alert (any more)."""

    state: AlertState | None
    reason: Reason
    severity: Severity = "info"

    @property
    def said(self) -> tuple[AlertState | None, Severity, Reason]:
        """State, severity and reason."""
        return self.state, self.severity, self.reason


def decide(
    held: Held | None,
    standing: Standing,
    *,
    fresh: bool,
    rule: Rule,
    now: datetime,
    trend: Trend = NO_TREND,
    is_reported: bool = False,
    is_told: bool = True,
) -> Decision:
    """Judge one figure of one unit.

    Where nothing can be judged (stale data, a denominator that has moved) nothing is decided: what
    fires goes on firing as it was, what is pending is dropped and must be confirmed anew.

    Args:
        held: the alert that stands.
        standing: the figure against its line.
        fresh: whether its source has been heard lately.
        rule: how it is judged.
        now: the moment.
        trend: what is known of its past.
        is_reported: whether it is a unit's own report; a stale one is a report that is missing.
        is_told: whether the rule lets units of this level be told.
    """
    if not is_told:
        return _over(held, Reason.NOT_TOLD)
    if not fresh:
        return _unjudged(held, Reason.REPORT_MISSING if is_reported else Reason.SOURCE_SILENT)
    if standing.denominator is not None and standing.denominator < rule.minimum_denominator:
        return _over(held, Reason.TOO_FEW)
    if standing.behind is None:
        return _over(held, Reason.NO_PACE)
    if not trend.is_settled:
        return _unjudged(held, Reason.DENOMINATOR_CHANGED)
    return _compared(held, standing, standing.behind, trend=trend, rule=rule, now=now)


def _compared(
    held: Held | None,
    standing: Standing,
    behind: Decimal,
    *,
    trend: Trend,
    rule: Rule,
    now: datetime,
) -> Decision:
    """Judge a figure that can be compared with its line."""
    if behind > rule.tolerance:
        reason = Reason.BEHIND_PACE if standing.missed_on is None else Reason.TARGET_MISSED
        state = _confirmed(held, rule.hold_for, now)
        return Decision(state, reason, rule.severity(behind, trend.late))
    if _lags(held) and behind > rule.tolerance - rule.hysteresis:
        return Decision("firing", Reason.RECOVERING, _severity(held))
    if _has_fallen(trend, rule):
        return Decision(_confirmed(held, rule.hold_for, now), Reason.FALLING)
    return _over(held, Reason.RECOVERED if _fires(held) else Reason.NOT_BEHIND)


def decide_silence(
    held: Held | None, heard_at: datetime, limit: timedelta, now: datetime
) -> Decision:
    """Judge one feed: an alert for operators once it has been silent longer than its limit."""
    if now - heard_at > limit:
        return Decision("firing", Reason.SOURCE_SILENT, "warning")
    if held is None:
        return Decision(None, Reason.NOT_BEHIND)
    return Decision("resolved", Reason.RECOVERED, held.severity)


def decide_unjudged(held: Held | None) -> Decision:
    """Judge what has no target any more."""
    return _over(held, Reason.NO_PACE)


def decide_ended(held: Held | None) -> Decision:
    """Judge a unit that exists no more: another has taken over, and nothing is asked of this one."""
    return _over(held, Reason.UNIT_ENDED)


def _has_fallen(trend: Trend, rule: Rule) -> bool:
    if rule.falling is None or trend.fallen is None:
        return False
    return trend.fallen >= rule.falling.points


def _confirmed(held: Held | None, hold_for: timedelta, now: datetime) -> AlertState:
    since = held.opened_at if held is not None else now
    return "firing" if _fires(held) or now - since >= hold_for else "pending"


def _unjudged(held: Held | None, reason: Reason) -> Decision:
    return Decision("firing" if _fires(held) else None, reason, _severity(held))


def _over(held: Held | None, reason: Reason) -> Decision:
    return Decision("resolved" if _fires(held) else None, reason, _severity(held))


def _lags(held: Held | None) -> bool:
    """Whether it fires because the unit lagged, and not because it fell above its line."""
    return held is not None and held.state == "firing" and held.reason is not Reason.FALLING


def _fires(held: Held | None) -> bool:
    return held is not None and held.state == "firing"


def _severity(held: Held | None) -> Severity:
    return held.severity if held is not None else "info"
