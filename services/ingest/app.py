"""Wires ingest: what is opened, in which order, and closed again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry

from contracts import areas, catalogue, rejected
from contracts.topics import (
    CLOUDEVENTS_JSON,
    REJECTED_EVENTS,
    REPORT_EVENTS,
    SUBJECT_EVENTS,
    TOPIC_CONFIGS,
)
from services.chassis import buildinfo
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import migrate, open_pool
from services.chassis.http import create_app
from services.chassis.kafka import ensure_topics
from services.chassis.process import Tasks
from services.chassis.readiness import Readiness
from services.chassis.settings import read_secret
from services.chassis.tokens import TokenVerifier
from services.ingest import descriptions
from services.ingest.connectors import configuration
from services.ingest.connectors import routes as connector_routes
from services.ingest.connectors.connector import RouteNeeds, Surroundings
from services.ingest.connectors.metrics import ConnectorMetrics
from services.ingest.connectors.running import Connectors
from services.ingest.connectors.table import KINDS
from services.ingest.core.check import Knowledge
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.files.endpoint import FilesEndpoint
from services.ingest.metrics import IngestMetrics
from services.ingest.pauses import Pauses
from services.ingest.periods import routes as period_routes
from services.ingest.periods.metrics import PeriodMetrics
from services.ingest.periods.receipts import Receipts
from services.ingest.periods.reminding import Reminding
from services.ingest.pipeline import Pipeline
from services.ingest.publisher import Publisher
from services.ingest.rejecting.metrics import RejectionMetrics
from services.ingest.rejecting.room import open_room
from services.ingest.reports.room import ReportRoom
from services.ingest.routes import EventsEndpoint
from services.ingest.settings import IngestSettings
from services.ingest.sources import routes as source_routes
from services.ingest.sources.store import SourceStore

_SCHEMA: Final = "ingest"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_CLOSE_SECONDS: Final = 5.0

#: The topics that ingest writes, and in which media type.
_TOPICS: Final = {
    SUBJECT_EVENTS: CLOUDEVENTS_JSON,
    REJECTED_EVENTS: "application/json",
    REPORT_EVENTS: CLOUDEVENTS_JSON,
}
_DESCRIPTION: Final = """\
Takes in the events of source systems: checks them against the wire contract, sees that a source
sends its own domains alone, puts pseudonyms in the place of citizens' numbers and publishes.

It answers when the broker has acknowledged. Sending an event again is harmless.
"""


def build(settings: IngestSettings, clock: Clock | None = None) -> FastAPI:
    """Build the service; nothing is connected before its lifespan starts.

    Raises:
        SecretFileError, SealError, JwksError, ValueError: a key, the units or the catalogue
            cannot be used, or the file of connectors; the message says which file and what it
            should hold.
    """
    registry = CollectorRegistry()
    readiness = Readiness()
    time = clock or SystemClock()
    pauses = Pauses()
    metrics = IngestMetrics(registry)
    sealing_key = rejected.read_private_key(settings.rejections.key_file)
    publisher = Publisher(
        settings.kafka,
        content_types=_TOPICS,
        timeout_seconds=settings.ingest.delivery_timeout_seconds,
        registry=registry,
    )
    knowledge = Knowledge(
        areas=areas.load(settings.areas.folder),
        indicators=frozenset(catalogue.load(settings.catalogue.folder).by_id),
        pseudonymiser=Pseudonymiser(read_secret(settings.pseudonym.key_file)),
    )
    report_room = ReportRoom(
        settings.reporting,
        catalogue.load(settings.catalogue.folder),
        knowledge=knowledge,
        registry=registry,
        clock=time,
    )
    receipts = Receipts(time)
    pipeline = Pipeline(
        knowledge=knowledge,
        publisher=publisher,
        sealing_key=rejected.public_part(sealing_key),
        max_event_bytes=settings.ingest.max_event_bytes,
        metrics=metrics,
        clock=time,
        pauses=pauses,
        receipts=receipts,
    )
    tokens = TokenVerifier.from_settings(settings.tokens)
    endpoint = EventsEndpoint(
        pipeline=pipeline, tokens=tokens, limits=settings.ingest, pauses=pauses
    )
    files = FilesEndpoint(
        pipeline=pipeline,
        tokens=tokens,
        limits=settings.ingest,
        files=settings.files,
        pauses=pauses,
        event_id=knowledge.pseudonymiser.event_id,
    )
    configured = configuration.read(settings.connectors.file, KINDS)
    connector_metrics = ConnectorMetrics(registry)
    rejection_metrics = RejectionMetrics(registry)
    period_metrics = PeriodMetrics(registry)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as opened:
            await ensure_topics(settings.kafka, {topic: TOPIC_CONFIGS[topic] for topic in _TOPICS})
            await migrate(settings.postgres.resolve(), schema=_SCHEMA, migrations=_MIGRATIONS)
            pool = await open_pool(
                settings.postgres, schema=_SCHEMA, application_name="nhipso-ingest"
            )
            opened.push_async_callback(_close, pool)
            receipts.open(pool)
            await publisher.start()
            opened.push_async_callback(publisher.stop)
            surroundings = {
                one.name: Surroundings(
                    name=one.name,
                    source=one.source,
                    domains=one.domains,
                    kafka=settings.kafka,
                    pool=pool,
                    pseudonymiser=knowledge.pseudonymiser,
                    clock=time,
                )
                for one in configured
            }
            connectors = Connectors(
                configured,
                KINDS,
                surroundings,
                pool=pool,
                pipeline=pipeline,
                pauses=pauses,
                metrics=connector_metrics,
                clock=time,
            )
            needs = RouteNeeds(
                pool=pool, tokens=tokens, wake=connectors.wake, clock=time, registry=registry
            )
            reminding = Reminding(
                pool,
                publisher,
                calendar=report_room.rules.calendar,
                areas=knowledge.areas,
                metrics=period_metrics,
                clock=time,
                every_seconds=settings.reporting.remind_every_seconds,
            )
            working = await opened.enter_async_context(
                open_room(
                    settings.kafka,
                    group_id=settings.rejections.group_id,
                    pool=pool,
                    pipeline=pipeline,
                    pauses=pauses,
                    private_key=sealing_key,
                    connectors=configured,
                    kinds=KINDS,
                    surroundings=surroundings,
                    event_id=knowledge.pseudonymiser.event_id,
                    metrics=rejection_metrics,
                    registry=registry,
                    clock=time,
                )
            )
            # Routes that need the database come here, when it is open.
            for router in (
                period_routes.router(
                    report_room.rules.calendar, knowledge.areas, pool, tokens, time
                ),
                connector_routes.router(configured, pool, tokens),
                source_routes.router(
                    SourceStore(pool), tokens, pauses, metrics, time, configured=configured
                ),
                *working.routers(tokens),
                *report_room.open(pool, pipeline, tokens),
            ):
                app.include_router(router)
            for name, kind in KINDS.items():
                if kind.routes is not None:
                    called = [one for one in configured if one.kind == name]
                    app.include_router(kind.routes(called, needs))
            tasks = await opened.enter_async_context(Tasks())
            tasks.start("watch the producer", publisher.watch)
            tasks.start("reports", report_room.run)
            tasks.start("connectors", connectors.run)
            working.start(tasks)
            tasks.start("reminders", reminding.run)
            yield

    readiness.add("kafka", publisher.reachable)
    app = create_app(
        title="ingest",
        version=buildinfo.version(),
        description=_DESCRIPTION,
        lifespan=lifespan,
        readiness=readiness,
        registry=registry,
    )
    app.include_router(endpoint.router())
    app.include_router(files.router())
    app.include_router(descriptions.router(tokens))
    _describe_security(app)
    return app


async def _close(pool: asyncpg.Pool) -> None:
    # A connection that is lost would be waited for.
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _describe_security(app: FastAPI) -> None:
    """Name the bearer token in OpenAPI; it is checked by hand, so FastAPI does not know of it."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            schema.setdefault("components", {})["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            }
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
