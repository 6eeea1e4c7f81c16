"""Alerts and deliveries over HTTP, for operators and leaders, and for units what is theirs."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import BaseModel, Field

from contracts.events import EventTime, IsoDay
from contracts.times import local_day
from contracts.updates import AlertState, Basis, Percent, Severity
from services.chassis.clock import Clock
from services.chassis.problems import Problem
from services.notifier.callers import Sight
from services.notifier.core.acknowledgement import Acknowledgement
from services.notifier.core.aim import Aim
from services.notifier.core.alert import Alert, AlertKind
from services.notifier.core.causes import Domain
from services.notifier.core.figure import Figure, FigureKey
from services.notifier.core.letter import UNIT_PREFIX, LetterCauses, causes, indicator_name
from services.notifier.store import alerts, deliveries, figures, works
from services.notifier.store.alerts import Search
from services.notifier.store.deliveries import DeliveryState, Logged


class AcknowledgementAnswer(BaseModel):
    """What a unit has said last of an alert; `broken_at`: its promised day passed in vain."""

    note: str
    promised_on: IsoDay | None
    acknowledged_at: EventTime
    acknowledged_by: str
    broken_at: EventTime | None


class AlertAnswer(BaseModel):
    """One alert. Shares are in percent; `gap_people` counts what the indicator counts.

    `pace`, `target` and `gap_people` are of the line that the unit is further behind: `aim` says
    which, `other_pace` and `other_target` tell of the other one. `target_on` is the target's day,
    `missed_on` the last day of a target that passed unmet.
    """

    id: UUID
    kind: AlertKind
    area: str
    area_name: str
    indicator: str
    indicator_name: str
    basis: Basis
    state: AlertState
    severity: Severity
    reason: str
    value: Percent | None
    pace: Percent | None
    target: Percent | None
    aim: Aim
    other_pace: Percent | None
    other_target: Percent | None
    target_on: IsoDay | None
    missed_on: IsoDay | None
    gap_people: int | None
    numerator: int | None
    denominator: int | None
    opened_at: EventTime
    changed_at: EventTime
    fired_at: EventTime | None
    resolved_at: EventTime | None
    told_at: EventTime | None
    held_back_by: LetterCauses
    acknowledgement: AcknowledgementAnswer | None


class AlertsAnswer(BaseModel):
    """Alerts, worst first; `total` counts those beyond the limit too."""

    alerts: list[AlertAnswer]
    total: int


class DeliveryAnswer(BaseModel):
    """One row of the log of deliveries."""

    id: UUID
    message: UUID
    area: str
    receiver: str
    state: DeliveryState
    attempts: int
    created_at: EventTime
    next_attempt_at: EventTime | None
    finished_at: EventTime | None
    last_error: str | None
    reason: str | None
    alerts: list[UUID]


class DeliveriesAnswer(BaseModel):
    """Deliveries, newest first."""

    deliveries: list[DeliveryAnswer]


@dataclass(frozen=True, slots=True)
class Api:
    """What the routes need; it is there once the lifespan has started."""

    pool: asyncpg.Pool
    domain: Domain
    clock: Clock

    async def search(self, wanted: Search) -> AlertsAnswer:
        """Find alerts and say of each what holds the unit back."""
        today = local_day(self.clock.now())
        async with self.pool.acquire() as connection:
            found, total = await alerts.search(connection, wanted)
            keys = self.domain.keys_for([alert.key for alert in found], today)
            near = await figures.of_keys(connection, keys)
            said = await works.acknowledgements(connection, [alert.id for alert in found])
        return AlertsAnswer(
            alerts=[self._answer(alert, near, said.get(alert.id)) for alert in found],
            total=total,
        )

    def _answer(
        self, alert: Alert, near: dict[FigureKey, Figure], said: Acknowledgement | None
    ) -> AlertAnswer:
        today = local_day(self.clock.now())
        area = self.domain.areas.get(alert.key.area)
        standing = alert.standing
        return AlertAnswer(
            id=alert.id,
            kind=alert.kind,
            area=alert.key.area,
            area_name=area.name if area is not None else alert.key.area,
            indicator=alert.key.indicator,
            indicator_name=indicator_name(self.domain, alert.key.indicator),
            basis=alert.key.basis,
            state=alert.state,
            severity=alert.severity,
            reason=alert.reason.value,
            value=standing.value,
            pace=standing.pace,
            target=standing.target,
            aim=standing.aim,
            other_pace=standing.other.pace if standing.other is not None else None,
            other_target=standing.other.target if standing.other is not None else None,
            target_on=standing.target_on,
            missed_on=standing.missed_on,
            gap_people=standing.gap_people,
            numerator=standing.numerator,
            denominator=standing.denominator,
            opened_at=alert.opened_at,
            changed_at=alert.changed_at,
            fired_at=alert.fired_at,
            resolved_at=alert.resolved_at,
            told_at=alert.told_at,
            held_back_by=causes(self.domain.held_back(alert.key, near, today), self.domain),
            acknowledgement=None if said is None else AcknowledgementAnswer(**asdict(said)),
        )


class AlertFilter(BaseModel, extra="forbid"):
    """Which alerts; what is left out lets everything pass. `area` is exactly that unit."""

    state: AlertState | None = None
    area: str | None = None
    indicator: str | None = None
    severity: Severity | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


def add_routes(app: FastAPI, *, sight: Sight, api: Callable[[], Api]) -> None:
    """Add the notifier's routes to an app; `api` is asked at each request."""
    router = APIRouter(prefix="/v1", tags=["alerts"])
    Visible = Annotated[Sequence[str] | None, Depends(sight)]  # noqa: N806 - an annotation

    @router.get("/alerts")
    async def list_alerts(seen: Visible, wanted: Annotated[AlertFilter, Query()]) -> AlertsAnswer:
        """Alerts, worst first."""
        if wanted.area is not None and seen is not None and wanted.area not in seen:
            raise Problem(403, detail=f"The token gives no sight of {wanted.area}.")
        return await api().search(Search(**wanted.model_dump(), visible=seen))

    @router.get("/alerts/{alert_id}")
    async def one_alert(seen: Visible, alert_id: UUID) -> AlertAnswer:
        """One alert."""
        found = await api().search(Search(visible=seen, id=alert_id))
        if not found.alerts:
            raise Problem(404, detail=f"There is no alert {alert_id} that this token may see.")
        return found.alerts[0]

    @router.get("/deliveries")
    async def list_deliveries(
        seen: Visible,
        alert: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> DeliveriesAnswer:
        """What was sent to whom, and how it went; of one alert or of all."""
        audiences = None if seen is None else [f"{UNIT_PREFIX}{area}" for area in seen]
        async with api().pool.acquire() as connection:
            logged = await deliveries.search(
                connection, alert=alert, audiences=audiences, limit=limit
            )
        return DeliveriesAnswer(deliveries=[_delivery(row) for row in logged])

    @router.get("/deliveries/{delivery_id}")
    async def one_delivery(seen: Visible, delivery_id: UUID) -> DeliveryAnswer:
        """How one delivery stands."""
        audiences = None if seen is None else [f"{UNIT_PREFIX}{area}" for area in seen]
        async with api().pool.acquire() as connection:
            found = await deliveries.search(
                connection, alert=None, audiences=audiences, limit=1, delivery=delivery_id
            )
        if not found:
            raise Problem(
                404, detail=f"There is no delivery {delivery_id} that this token may see."
            )
        return _delivery(found[0])

    app.include_router(router)


def _delivery(row: Logged) -> DeliveryAnswer:
    return DeliveryAnswer(
        id=row.id,
        message=row.message,
        area=row.area,
        receiver=row.receiver,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at if row.state == "waiting" else None,
        finished_at=row.finished_at,
        last_error=row.last_error,
        reason=row.reason,
        alerts=list(row.alerts),
    )
