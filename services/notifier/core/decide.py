"""The decision: what becomes of an alert, and why.

States run pending → firing → resolved. A pending alert that is not confirmed is dropped (state
None): nobody has been told of it. A resolved one never comes back; a unit that falls behind again
gets a new alert.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.updates import AlertState, Severity
from services.notifier.core.figure import Standing
from services.notifier.core.rule import Rule


class Reason(StrEnum):
    """Why an alert is in its state, or why there is none; also the metric label."""

    BEHIND_PACE = "behind-pace"
    RECOVERING = "recovering"
    RECOVERED = "recovered"
    NOT_BEHIND = "not-behind"
    TOO_FEW = "too-few"
    NO_PACE = "no-pace"
    SOURCE_SILENT = "source-silent"
    UNIT_ENDED = "unit-ended"
    PROMISE_BROKEN = "promise-broken"
    REPORT_DUE = "report-due"
    REPORT_MISSING = "report-missing"
    REPORT_RECEIVED = "report-received"


@dataclass(frozen=True, slots=True)
class Held:
    """The alert that stands before a decision: pending or firing, since when, how grave."""

    state: AlertState
    opened_at: datetime
    severity: Severity


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
    held: Held | None, standing: Standing, *, fresh: bool, rule: Rule, now: datetime
) -> Decision:
    """Judge one figure of one unit.

    Stale data decide nothing: what fires goes on firing, what is pending is dropped and must be
    confirmed anew once the source speaks again.
    """
    if not fresh:
        return _unjudged(held, Reason.SOURCE_SILENT)
    if standing.denominator is not None and standing.denominator < rule.minimum_denominator:
        return _over(held, Reason.TOO_FEW)
    if standing.behind is None:
        return _over(held, Reason.NO_PACE)
    if standing.behind > rule.tolerance:
        severity = rule.severity(standing.behind)
        return Decision(_lagging(held, rule.hold_for, now), Reason.BEHIND_PACE, severity)
    if standing.behind > rule.tolerance - rule.hysteresis and _fires(held):
        return Decision("firing", Reason.RECOVERING, _severity(held))
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


def decide_ended(held: Held | None) -> Decision:
    """Judge a unit that exists no more: another has taken over, and nothing is asked of this one."""
    return _over(held, Reason.UNIT_ENDED)


def _lagging(held: Held | None, hold_for: timedelta, now: datetime) -> AlertState:
    since = held.opened_at if held is not None else now
    return "firing" if _fires(held) or now - since >= hold_for else "pending"


def _unjudged(held: Held | None, reason: Reason) -> Decision:
    return Decision("firing" if _fires(held) else None, reason, _severity(held))


def _over(held: Held | None, reason: Reason) -> Decision:
    return Decision("resolved" if _fires(held) else None, reason, _severity(held))


def _fires(held: Held | None) -> bool:
    return held is not None and held.state == "firing"


def _severity(held: Held | None) -> Severity:
    return held.severity if held is not None else "info"
