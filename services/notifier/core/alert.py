"""Alerts as values: one alert, the step a decision takes it, and the event that tells of it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID, uuid5

from contracts.updates import (
    ALERT_CHANGED,
    ALERT_OPENED,
    ALERT_RESOLVED,
    AlertChanged,
    AlertData,
    AlertState,
    Severity,
)
from services.notifier.core.decide import UNJUDGED, Decision, Held, Reason
from services.notifier.core.figure import FigureKey, Standing

AlertKind = Literal["pace", "source-silent", "report", "receiver"]

#: Alerts of a silent feed bear ``source.<feed>`` in the place of an indicator.
SOURCE_PREFIX: Final = "source."

#: Alerts of a receiver that takes nothing bear ``receiver.<name>`` there.
RECEIVER_PREFIX: Final = "receiver."

FOR_OPERATORS: Final[frozenset[AlertKind]] = frozenset({"source-silent", "receiver"})
"""What is about the system and not about a unit."""

#: Reasons that tell one thing: the unit lags.
_LAGS: Final = frozenset({Reason.BEHIND_PACE, Reason.TARGET_MISSED, Reason.RECOVERING})

_NAMESPACE: Final = UUID("6f1d3a52-9c0e-5d0e-8f5e-3b7f2b1a6d11")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `version` grows with each event about it; 0: none has been told.

    `due_on` is until when a report is in time; alerts of other kinds have none.
    """

    id: UUID
    kind: AlertKind
    key: FigureKey
    state: AlertState
    severity: Severity
    reason: Reason
    version: int
    standing: Standing
    opened_at: datetime
    changed_at: datetime
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    told_at: datetime | None = None
    due_on: date | None = None

    @property
    def held(self) -> Held:
        """What the next decision needs to know of it."""
        return Held(self.state, self.opened_at, self.severity, self.reason)


@dataclass(frozen=True, slots=True)
class Step:
    """What a decision does to the store: keep this alert, or drop it; and the event, if any."""

    alert: Alert
    dropped: bool = False
    event: AlertChanged | None = None


NOBODY: Final = Standing(None, None, None, None, None, None, None)
"""The standing where there is nobody to count: of a feed, and of what is no longer judged."""


def advance(
    alert: Alert | None,
    decision: Decision,
    *,
    kind: AlertKind,
    key: FigureKey,
    standing: Standing,
    now: datetime,
    due_on: date | None = None,
) -> Step | None:
    """Apply a decision; None when there was no alert and is none."""
    if decision.state is None:
        return Step(alert, dropped=True) if alert is not None else None
    before = alert
    if alert is None:
        alert = _new(kind, key, decision, standing, now)
    told, tells = _told(alert.state, alert.severity, alert.reason), _told(*decision.said)
    changed = before is None or told != tells
    # While nothing can be judged the figures stay those of the last judgement.
    judged = decision.reason not in UNJUDGED or kind != "pace"
    after = replace(
        alert,
        state=decision.state,
        severity=decision.severity,
        reason=decision.reason,
        standing=standing if judged else alert.standing,
        changed_at=now if changed else alert.changed_at,
        fired_at=alert.fired_at or (now if decision.state == "firing" else None),
        resolved_at=now if decision.state == "resolved" else None,
        due_on=due_on or alert.due_on,
    )
    if not changed or after.state == "pending":
        return Step(after)
    after = replace(after, version=after.version + 1)
    return Step(after, event=told_of(after, now))


def _told(state: AlertState | None, severity: Severity, reason: Reason) -> tuple[object, ...]:
    """What readers of events are told of; hovering about the line of recovery is not news."""
    return state, severity, Reason.BEHIND_PACE if reason in _LAGS else reason


def _new(
    kind: AlertKind, key: FigureKey, decision: Decision, standing: Standing, now: datetime
) -> Alert:
    return Alert(
        # The same history gives the same id.
        id=uuid5(_NAMESPACE, "/".join((*key, now.isoformat()))),
        kind=kind,
        key=key,
        state="pending",
        severity=decision.severity,
        reason=decision.reason,
        version=0,
        standing=standing,
        opened_at=now,
        changed_at=now,
    )


def told_of(alert: Alert, now: datetime) -> AlertChanged:
    """The event that tells of an alert as it stands."""
    kinds = {"resolved": ALERT_RESOLVED}
    opened = ALERT_OPENED if alert.version == 1 else ALERT_CHANGED
    standing = alert.standing
    return AlertChanged.model_validate(
        {
            "id": f"{alert.id}/{alert.version}",
            "type": kinds.get(alert.state, opened),
            "subject": f"area:{alert.key.area}",
            "time": now,
            "data": AlertData(
                alert=str(alert.id),
                area=alert.key.area,
                indicator=alert.key.indicator,
                state=alert.state,
                severity=alert.severity,
                reason=alert.reason.value,
                value=standing.value,
                pace=standing.pace,
                target=standing.target,
                gap_people=standing.gap_people,
                numerator=standing.numerator,
                denominator=standing.denominator,
                aim=standing.aim,
                opened_at=alert.opened_at,
                changed_at=alert.changed_at,
            ),
        }
    )
