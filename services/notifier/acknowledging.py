"""Acknowledge an alert over HTTP, with a promised day; who did what when is kept.

A unit acts on itself and the units below, an operator on all; a leader reads.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel, Field

from contracts.events import EventTime, IsoDay
from contracts.times import local_day
from services.chassis.problems import Problem
from services.notifier.callers import Acting, Caller, Sight
from services.notifier.core.acknowledgement import Acknowledgement, promise_objection
from services.notifier.http import AlertAnswer, Api
from services.notifier.store import alerts, works
from services.notifier.store.alerts import Search
from services.notifier.store.works import Work, WorkName

Said = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class AcknowledgementRequest(BaseModel, extra="forbid"):
    """What a unit says of an alert: what it does, and by which day it will be done.

    Until the promised day has passed the alert is not told again; if it still fires then, it is
    told anew. Without a promise it is repeated as before. Either ends the way up to the unit above.
    """

    note: Said
    promised_on: IsoDay | None = None


class WorkAnswer(BaseModel):
    """Who did what, when, and what they said of it."""

    work: WorkName
    done_at: EventTime
    done_by: str
    note: str | None
    promised_on: IsoDay | None


class HistoryAnswer(BaseModel):
    """What was done, in its order."""

    history: list[WorkAnswer]


def add_acknowledgement_routes(
    app: FastAPI, *, sight: Sight, acting: Acting, api: Callable[[], Api]
) -> None:
    """Add the routes that change something; `api` is asked at each request."""
    router = APIRouter(prefix="/v1", tags=["alerts"])
    Visible = Annotated[Sequence[str] | None, Depends(sight)]  # noqa: N806 - an annotation
    Who = Annotated[Caller, Depends(acting)]  # noqa: N806 - an annotation

    @router.post("/alerts/{alert_id}/acknowledgement")
    async def acknowledge(who: Who, alert_id: UUID, said: AcknowledgementRequest) -> AlertAnswer:
        """Say that an alert is seen, what is done, and by when; said again, it counts anew."""
        await _acknowledge(api(), who, alert_id, said)
        found = await api().search(Search(visible=who.areas, id=alert_id))
        if not found.alerts:
            raise unknown("alert", alert_id)
        return found.alerts[0]

    @router.get("/alerts/{alert_id}/history")
    async def alert_history(seen: Visible, alert_id: UUID) -> HistoryAnswer:
        """Who did what with an alert, when."""
        async with api().pool.acquire() as connection:
            found, _ = await alerts.search(connection, Search(visible=seen, id=alert_id))
            if not found:
                raise unknown("alert", alert_id)
            return history_of(await works.of_alert(connection, alert_id))

    app.include_router(router)


async def _acknowledge(api: Api, who: Caller, alert_id: UUID, said: AcknowledgementRequest) -> None:
    now = api.clock.now()
    if objection := promise_objection(said.promised_on, local_day(now)):
        raise Problem(422, detail=f"promised_on: {objection}.")
    async with api.pool.acquire() as connection, connection.transaction():
        found, _ = await alerts.search(connection, Search(visible=who.areas, id=alert_id))
        if not found:
            raise unknown("alert", alert_id)
        if found[0].state != "firing":
            raise Problem(
                409, detail=f"The alert is {found[0].state}; only what fires can be acknowledged."
            )
        kept = Acknowledgement(said.note.strip(), said.promised_on, now, who.name)
        await works.acknowledge(connection, alert_id, kept)


def history_of(done: Sequence[Work]) -> HistoryAnswer:
    """What was done, as it is answered."""
    return HistoryAnswer(history=[WorkAnswer(**asdict(work)) for work in done])


def unknown(what: str, wanted: UUID) -> Problem:
    """What to raise for something that is not there, or not to be seen."""
    return Problem(404, detail=f"There is no {what} {wanted} that this token may see.")
