"""Shares pauses through PostgreSQL: written by who begins one, read by all within seconds."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from contracts.events import EventTime
from contracts.tokens import Principal, Role
from services.chassis.clock import Clock
from services.chassis.database import load_queries
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.ingest.callers import callers
from services.ingest.pauses import Pause, Pauses
from services.ingest.rejecting.metrics import RejectionMetrics
from services.ingest.repeating import repeat

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "pauses.sql")

_EVERY_SECONDS: Final = 2.0
_KEPT: Final = timedelta(days=90)
_FORGET_AT_ONCE: Final = 1_000


class Pausing:
    """Keeps what a process knows of pauses and what PostgreSQL says the same."""

    def __init__(
        self, pauses: Pauses, pool: asyncpg.Pool, metrics: RejectionMetrics, clock: Clock
    ) -> None:
        self._pauses = pauses
        self._pool = pool
        self._metrics = metrics
        self._clock = clock
        self._turn = asyncio.Lock()
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Go on until cancelled."""
        await repeat(
            "pauses", self.step, every_seconds=_EVERY_SECONDS, woken=self._pauses.begun_one
        )

    async def step(self) -> None:
        """Write what has begun here, then read what there is."""
        async with self._turn:
            begun = self._pauses.begun()
            now = self._clock.now()
            for one in begun:
                written = await self._pool.fetchval(
                    _SQL["begin_pause"], one.source, now, one.counted, one.refused, one.after
                )
                if written is not None:
                    self._log.error(
                        "a source is paused: most of what it sends is refused; see its rejections, "
                        "have it mended, then end the pause",
                        source=one.source,
                        counted=one.counted,
                        refused=one.refused,
                    )
            latest = await self.latest()
            self._pauses.know(latest, begun)
            for pause in latest:
                self._metrics.set_paused(pause.source, pause.ended_at is None)

    async def latest(self) -> list[Pause]:
        """The latest pause of every source that has been paused."""
        return [_pause(row) for row in await self._pool.fetch(_SQL["latest_pauses"])]

    async def end(self, source: str, by: str) -> Pause | None:
        """Let a source go on; counting starts anew. None if it is not paused."""
        await self.step()
        row = await self._pool.fetchrow(_SQL["end_pause"], source, self._clock.now(), by)
        if row is None:
            return None
        self._log.warning("a source goes on after a pause", source=source, by=by)
        await self.step()
        return _pause(row)

    async def forget(self) -> None:
        """Forget pauses that ended long ago."""
        await self._pool.execute(_SQL["forget_pauses"], self._clock.now() - _KEPT, _FORGET_AT_ONCE)


class PauseAnswer(BaseModel):
    """The latest pause of one source; it goes on until an operator has ended it."""

    source: str
    since: EventTime
    counted: Annotated[int, Field(description="how many records were looked at")]
    refused: Annotated[int, Field(description="how many of them were refused")]
    why: Annotated[str, Field(description="what the sender is told")]
    ended_at: EventTime | None
    ended_by: Annotated[str | None, Field(description="`sub` of the operator's token")]


class PausesAnswer(BaseModel):
    """Pauses that go on, then those that have ended, each by source."""

    pauses: list[PauseAnswer]


def router(pausing: Pausing, tokens: TokenVerifier) -> APIRouter:
    """The routes; they need an operator's token."""
    routes = APIRouter()
    operators = callers(tokens, Role.OPERATOR)
    secured: dict[str, Any] = {"security": [{"bearer": []}]}

    @routes.get(
        "/v1/pauses",
        summary="Sources that are or were paused",
        dependencies=[Depends(operators)],
        openapi_extra=secured,
    )
    async def list_pauses() -> PausesAnswer:
        latest = await pausing.latest()
        ordered = sorted(latest, key=lambda one: (one.ended_at is not None, one.source))
        return PausesAnswer(pauses=[_answer(one) for one in ordered])

    @routes.post(
        "/v1/pauses/{source:path}/end", summary="Let a source go on", openapi_extra=secured
    )
    async def end_pause(
        source: str, caller: Annotated[Principal, Depends(operators)]
    ) -> PauseAnswer:
        ended = await pausing.end(source, caller.sub)
        if ended is None:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                detail="No source of this name is paused; GET /v1/pauses lists those that are.",
            )
        return _answer(ended)

    return routes


def _answer(pause: Pause) -> PauseAnswer:
    return PauseAnswer(
        source=pause.source,
        since=pause.since,
        counted=pause.counted,
        refused=pause.refused,
        why=pause.why,
        ended_at=pause.ended_at,
        ended_by=pause.ended_by,
    )


def _pause(row: Any) -> Pause:
    return Pause(**row)
