"""Puts the room together: what runs in the background, and its routes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from fastapi import APIRouter
from joserfc.jwk import ECKey
from prometheus_client import CollectorRegistry

from services.chassis.batches import broker_of
from services.chassis.clock import Clock
from services.chassis.process import Tasks
from services.chassis.settings import KafkaSettings
from services.chassis.tokens import TokenVerifier
from services.ingest.connectors.connector import Configured, Kind, Surroundings
from services.ingest.pauses import Pauses
from services.ingest.pipeline import Pipeline
from services.ingest.rejecting.mapping import EventId, Meaning
from services.ingest.rejecting.metrics import RejectionMetrics
from services.ingest.rejecting.pausing import Pausing
from services.ingest.rejecting.pausing import router as pausing_router
from services.ingest.rejecting.projecting import Projecting
from services.ingest.rejecting.retrying import Retrying
from services.ingest.rejecting.routes import reading_router, working_router
from services.ingest.rejecting.store import Store
from services.ingest.repeating import repeat
from services.ingest.sources.store import SourceStore

_COUNT_SECONDS: Final = 15.0
_FORGET_SECONDS: Final = 3_600.0


class Rejecting:
    """Rejections and pauses of a process."""

    def __init__(
        self,
        *,
        store: Store,
        retrying: Retrying,
        projecting: Projecting,
        pausing: Pausing,
        metrics: RejectionMetrics,
        clock: Clock,
    ) -> None:
        self._store = store
        self._retrying = retrying
        self._projecting = projecting
        self._pausing = pausing
        self._metrics = metrics
        self._clock = clock

    def start(self, tasks: Tasks) -> None:
        """Start what runs in the background."""
        tasks.start("rejections", self._projecting.run)
        tasks.start("pauses", self._pausing.run)
        tasks.start("count rejections", self._count_on)
        tasks.start("forget rejections", self._forget_on)

    def routers(self, tokens: TokenVerifier) -> list[APIRouter]:
        """All routes of the room."""
        return [
            reading_router(self._store, self._retrying, tokens),
            working_router(self._store, self._retrying, tokens, self._clock),
            pausing_router(self._pausing, tokens),
        ]

    async def _count_on(self) -> None:
        async def step() -> None:
            self._metrics.set_open(await self._store.open_counts())

        await repeat("count rejections", step, every_seconds=_COUNT_SECONDS)

    async def _forget_on(self) -> None:
        async def step() -> None:
            await self._store.forget(self._clock.now())
            await self._pausing.forget()

        await repeat("forget rejections", step, every_seconds=_FORGET_SECONDS)


@asynccontextmanager
async def open_room(
    kafka: KafkaSettings,
    *,
    group_id: str,
    pool: asyncpg.Pool,
    pipeline: Pipeline,
    pauses: Pauses,
    private_key: ECKey,
    connectors: Sequence[Configured[Any]],
    kinds: Mapping[str, Kind[Any]],
    surroundings: Mapping[str, Surroundings],
    event_id: EventId,
    metrics: RejectionMetrics,
    registry: CollectorRegistry,
    clock: Clock,
) -> AsyncIterator[Rejecting]:
    """Read which sources are paused, and begin to keep rejections.

    Args:
        kafka: where ``rejected-events.v1`` is read.
        group_id: the consumer group that the processes share.
        pool: of ingest's schema.
        pipeline: where retried events go.
        pauses: what this process knows of pauses.
        private_key: opens the originals.
        connectors: those of the configuration.
        kinds: the table of connectors.
        surroundings: what each connector is given, by its name.
        event_id: makes ids of rows without one.
        metrics: where is counted.
        registry: where FastStream's metrics of consuming go.
        clock: for when something was done, and how old a rejection is.
    """
    pausing = Pausing(pauses, pool, metrics, clock)
    # What is paused is known before the first request.
    await pausing.step()

    def meaning() -> Meaning:
        return Meaning(connectors, kinds, surroundings, event_id=event_id, grants=SourceStore(pool))

    store = Store(pool)
    retrying = Retrying(
        store, pipeline, meaning, private_key=private_key, metrics=metrics, clock=clock
    )
    broker = broker_of(kafka, client_id="nhipso-ingest-rejections", registry=registry)
    projecting = Projecting(broker, store, metrics, group_id=group_id)
    try:
        yield Rejecting(
            store=store,
            retrying=retrying,
            projecting=projecting,
            pausing=pausing,
            metrics=metrics,
            clock=clock,
        )
    finally:
        await projecting.stop()
