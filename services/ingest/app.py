"""Wires ingest: what is opened, in which order, and closed again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry

from contracts import areas, catalogue, rejected
from contracts.topics import CLOUDEVENTS_JSON, REJECTED_EVENTS, SUBJECT_EVENTS, TOPIC_CONFIGS
from services.chassis import buildinfo
from services.chassis.clock import Clock, SystemClock
from services.chassis.http import create_app
from services.chassis.kafka import ensure_topics
from services.chassis.process import Tasks
from services.chassis.readiness import Readiness
from services.chassis.settings import read_secret
from services.chassis.tokens import TokenVerifier
from services.ingest import descriptions
from services.ingest.core.check import Knowledge
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.metrics import IngestMetrics
from services.ingest.pipeline import Pipeline
from services.ingest.publisher import Publisher
from services.ingest.routes import EventsEndpoint
from services.ingest.settings import IngestSettings

#: The topics that ingest writes, and in which media type.
_TOPICS: Final = {SUBJECT_EVENTS: CLOUDEVENTS_JSON, REJECTED_EVENTS: "application/json"}
_DESCRIPTION: Final = """\
Takes in the events of source systems: checks them against the wire contract, sees that a source
sends its own domains alone, puts pseudonyms in the place of citizens' numbers and publishes.

It answers when the broker has acknowledged. Sending an event again is harmless.
"""


def build(settings: IngestSettings, clock: Clock | None = None) -> FastAPI:
    """Build the service; nothing is connected before its lifespan starts.

    Raises:
        SecretFileError, SealError, JwksError, ValueError: a key, the units or the catalogue
            cannot be used; the message says which file and what it should hold.
    """
    registry = CollectorRegistry()
    readiness = Readiness()
    publisher = Publisher(
        settings.kafka,
        content_types=_TOPICS,
        timeout_seconds=settings.ingest.delivery_timeout_seconds,
        registry=registry,
    )
    pipeline = Pipeline(
        knowledge=Knowledge(
            areas=areas.load(settings.areas.folder),
            indicators=frozenset(catalogue.load(settings.catalogue.folder).by_id),
            pseudonymiser=Pseudonymiser(read_secret(settings.pseudonym.key_file)),
        ),
        publisher=publisher,
        sealing_key=rejected.public_part(rejected.read_key(settings.rejections.key_file)),
        max_event_bytes=settings.ingest.max_event_bytes,
        metrics=IngestMetrics(registry),
        clock=clock or SystemClock(),
    )
    tokens = TokenVerifier.from_settings(settings.tokens)
    endpoint = EventsEndpoint(
        pipeline=pipeline,
        tokens=tokens,
        limits=settings.ingest,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await ensure_topics(settings.kafka, {topic: TOPIC_CONFIGS[topic] for topic in _TOPICS})
        await publisher.start()
        try:
            async with Tasks() as tasks:
                tasks.start("watch the producer", publisher.watch)
                yield
        finally:
            await publisher.stop()

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
    app.include_router(descriptions.router(tokens))
    _describe_security(app)
    return app


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
