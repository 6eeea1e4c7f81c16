"""Silences over HTTP: what is not told for a while, because somebody knows why.

A unit silences itself and the units below, an operator anything; a leader reads.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Self
from uuid import UUID, uuid4

import asyncpg
from fastapi import APIRouter, Depends, FastAPI, Query, Response
from pydantic import BaseModel, Field, model_validator

from contracts.events import EventTime
from contracts.updates import Severity
from services.chassis.problems import Problem
from services.notifier.acknowledging import HistoryAnswer, Said, history_of, unknown
from services.notifier.callers import Acting, Caller, Sight
from services.notifier.core.causes import Domain
from services.notifier.core.silence import Silence, SilenceState
from services.notifier.http import Api
from services.notifier.store import works


class Matchers(BaseModel, extra="forbid"):
    """Which alerts are meant: each matcher that is given must fit. `area` includes all below."""

    area: str | None = None
    indicator: str | None = None
    set: str | None = None
    severity: Severity | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(value is None for value in self.model_dump().values()):
            raise ValueError("give at least one of area, indicator, set and severity")
        return self


class SilenceRequest(BaseModel, extra="forbid"):
    """A silence: alerts that fit are not told from `starts_at` (now, if left out) to `ends_at`."""

    matchers: Matchers
    starts_at: EventTime | None = None
    ends_at: EventTime
    comment: Said


class SilenceAnswer(BaseModel):
    """One silence; `ended_at` is when somebody ended it before its end."""

    id: UUID
    matchers: Matchers
    state: SilenceState
    starts_at: EventTime
    ends_at: EventTime
    comment: str
    created_at: EventTime
    created_by: str
    ended_at: EventTime | None


class SilencesAnswer(BaseModel):
    """Silences, those that end last first."""

    silences: list[SilenceAnswer]


class SilenceFilter(BaseModel, extra="forbid"):
    """Which silences; without a state those that are ahead, active and ended."""

    state: SilenceState | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


def add_silence_routes(
    app: FastAPI, *, sight: Sight, acting: Acting, api: Callable[[], Api]
) -> None:
    """Add the routes of silences; `api` is asked at each request."""
    router = APIRouter(prefix="/v1", tags=["silences"])
    Visible = Annotated[Sequence[str] | None, Depends(sight)]  # noqa: N806 - an annotation
    Who = Annotated[Caller, Depends(acting)]  # noqa: N806 - an annotation

    @router.post("/silences", status_code=201)
    async def add_silence(who: Who, wanted: SilenceRequest, response: Response) -> SilenceAnswer:
        """Keep alerts quiet for a while. A unit may do so for itself and the units below."""
        silence = _new(api(), who, wanted)
        async with api().pool.acquire() as connection, connection.transaction():
            await works.add_silence(connection, silence)
        response.headers["Location"] = f"/v1/silences/{silence.id}"
        return _silence(silence, api())

    @router.get("/silences")
    async def list_silences(
        seen: Visible, wanted: Annotated[SilenceFilter, Query()]
    ) -> SilencesAnswer:
        """Silences that touch what the token sees, those that end last first."""
        async with api().pool.acquire() as connection:
            found = await works.silences(
                connection,
                api().clock.now(),
                state=wanted.state,
                visible=_touching(seen, api().domain),
                limit=wanted.limit,
            )
        return SilencesAnswer(silences=[_silence(one, api()) for one in found])

    @router.get("/silences/{silence_id}")
    async def one_silence(seen: Visible, silence_id: UUID) -> SilenceAnswer:
        """One silence."""
        async with api().pool.acquire() as connection:
            return _silence(await _find(connection, api(), seen, silence_id), api())

    @router.get("/silences/{silence_id}/history")
    async def silence_history(seen: Visible, silence_id: UUID) -> HistoryAnswer:
        """Who did what with a silence, when."""
        async with api().pool.acquire() as connection:
            await _find(connection, api(), seen, silence_id)
            return history_of(await works.of_silence(connection, silence_id))

    @router.delete("/silences/{silence_id}", status_code=204)
    async def end_silence(who: Who, silence_id: UUID) -> None:
        """End a silence now; one that has ended stays as it is. It is kept for the record."""
        async with api().pool.acquire() as connection, connection.transaction():
            silence = await _find(connection, api(), who.areas, silence_id)
            if not who.reaches(silence.area):
                raise Problem(403, detail="The silence reaches beyond the units of the token.")
            await works.end_silence(connection, silence.id, api().clock.now(), who.name)

    app.include_router(router)


def _new(api: Api, who: Caller, wanted: SilenceRequest) -> Silence:
    now = api.clock.now()
    matchers, starts_at = wanted.matchers, wanted.starts_at or now
    domain = api.domain
    if matchers.area is not None and domain.areas.get(matchers.area) is None:
        raise Problem(422, detail=f"matchers.area: there is no unit {matchers.area}.")
    if matchers.set is not None and all(one.set != matchers.set for one in domain.catalogue):
        raise Problem(422, detail=f"matchers.set: the catalogue has no set {matchers.set}.")
    if not who.reaches(matchers.area):
        raise Problem(
            403, detail="A unit silences itself and the units below; name one as matchers.area."
        )
    if wanted.ends_at <= max(starts_at, now):
        raise Problem(422, detail="ends_at: must lie ahead, and after starts_at.")
    return Silence(
        id=uuid4(),
        area=matchers.area,
        indicator=matchers.indicator,
        indicator_set=matchers.set,
        severity=matchers.severity,
        starts_at=starts_at,
        ends_at=wanted.ends_at,
        comment=wanted.comment.strip(),
        created_at=now,
        created_by=who.name,
    )


async def _find(
    connection: asyncpg.Connection, api: Api, seen: Sequence[str] | None, silence_id: UUID
) -> Silence:
    found = await works.silences(
        connection, api.clock.now(), visible=_touching(seen, api.domain), silence=silence_id
    )
    if not found:
        raise unknown("silence", silence_id)
    return found[0]


def _touching(seen: Sequence[str] | None, domain: Domain) -> Sequence[str] | None:
    """The units whose silences matter to somebody: a silence of a unit above reaches them too."""
    if seen is None:
        return None
    return sorted({unit for area in seen for unit in domain.areas.lineage_upward(area)})


def _silence(silence: Silence, api: Api) -> SilenceAnswer:
    return SilenceAnswer(
        id=silence.id,
        matchers=Matchers(
            area=silence.area,
            indicator=silence.indicator,
            set=silence.indicator_set,
            severity=silence.severity,
        ),
        state=silence.state(api.clock.now()),
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        comment=silence.comment,
        created_at=silence.created_at,
        created_by=silence.created_by,
        ended_at=silence.ended_at,
    )
