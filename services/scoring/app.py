"""The wiring of scoring: what is opened, in which order, and what closes it again."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from contracts import areas as area_data
from contracts import catalogue as catalogue_data
from contracts.areas import AreasError
from contracts.catalogue import CatalogueError
from contracts.rejected import read_key
from services.chassis import buildinfo
from services.chassis.batches import broker_of
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import migrate, open_pool
from services.chassis.http import create_app
from services.chassis.kafka import ensure_topics
from services.chassis.kafka_client import client_options
from services.chassis.process import Tasks
from services.chassis.readiness import Readiness
from services.chassis.tokens import TokenVerifier
from services.scoring.consumer import Consumer
from services.scoring.core.rules import Rules
from services.scoring.http.callers import reader as callers
from services.scoring.http.reading import Reader
from services.scoring.http.routes import routes
from services.scoring.http.stream import Stream, stream_route
from services.scoring.metrics import Metrics
from services.scoring.publishing import Publisher
from services.scoring.refusing import refusing
from services.scoring.rollup import Rollup
from services.scoring.settings import Configuration
from services.scoring.shard import Shards
from services.scoring.taking_up import take_up
from services.scoring.units import refuse_missing_units
from services.scoring.work import Work

_MIGRATIONS: Final = Path(__file__).parent / "migrations"

_BATCH_BYTES: Final = 128 * 1024

_DESCRIPTION: Final = """
Current figures of every unit and indicator, their history, ranking and what holds them back.
Read only. Values are percent with two decimals; days are those of Asia/Ho_Chi_Minh.
"""


def build(configuration: Configuration, clock: Clock | None = None) -> FastAPI:
    """The application; everything is opened when its lifespan begins.

    Raises:
        AreasError, CatalogueError: the units or the catalogue cannot be used; the message says
            which file and why.
    """
    areas = area_data.load(configuration.areas.folder)
    catalogue = catalogue_data.load(configuration.catalogue.folder)
    rules = Rules(catalogue, areas)
    registry = CollectorRegistry()
    readiness = Readiness()
    metrics = Metrics(registry)
    stream = Stream(registry)
    verifier = TokenVerifier.from_settings(configuration.tokens)
    time = clock or SystemClock()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        kafka, settings = configuration.kafka, configuration.scoring
        async with contextlib.AsyncExitStack() as opened:
            topics, schema = settings.topics, settings.database_schema
            await ensure_topics(kafka, topics.configs())
            await migrate(configuration.postgres.resolve(), schema=schema, migrations=_MIGRATIONS)
            pool = await open_pool(
                configuration.postgres, schema=schema, application_name="nhipso-scoring"
            )
            opened.push_async_callback(pool.close)
            with _said_plainly():
                await refuse_missing_units(pool, areas)
                await take_up(pool, catalogue, time.now())
            producer = AIOKafkaProducer(
                **client_options(kafka),
                client_id="nhipso-scoring",
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                # The figures of a round fill a few batches instead of hundreds.
                max_batch_size=_BATCH_BYTES,
            )
            await producer.start()
            opened.push_async_callback(producer.stop)
            shards = Shards(
                pool,
                rules,
                refusing(read_key(configuration.rejections.public_key_file), topics.subject_events),
                memory_bytes=settings.memory_bytes,
                journal_entries=settings.journal_entries,
            )
            consumer = Consumer(shards, time, metrics, settings)
            broker = broker_of(kafka, client_id="nhipso-scoring", registry=registry)
            consumer.subscribe(broker)
            stream.subscribe(broker, topics.indicator_events)
            work = Work(
                pool=pool,
                shards=shards,
                consumer=consumer,
                rollup=Rollup(areas, catalogue),
                publisher=Publisher(producer, catalogue, topics),
                clock=time,
                metrics=metrics,
                settings=settings,
            )
            app.state.reader = Reader(pool, catalogue, areas, time)
            tasks = await opened.enter_async_context(Tasks())
            await broker.start()
            opened.push_async_callback(broker.stop)
            opened.callback(stream.close)
            for loop in (consumer.watch, work.lead, work.step_days, work.gauge):
                tasks.start(loop.__name__, loop)
            readiness.add("postgres", lambda: _answers(pool))
            readiness.add("kafka", consumer.reachable)
            readiness.add("roll-up", work.going)
            yield

    app = create_app(
        title="Nhịp Số scoring",
        version=buildinfo.version(),
        description=_DESCRIPTION,
        lifespan=lifespan,
        readiness=readiness,
        registry=registry,
    )
    authorised = callers(verifier)
    app.include_router(routes(authorised))
    app.include_router(stream_route(stream, authorised))
    return app


@contextlib.contextmanager
def _said_plainly() -> Iterator[None]:
    """Say in one line what ends the start; the traceback that follows hides it."""
    try:
        yield
    except (AreasError, CatalogueError) as error:
        structlog.get_logger(__name__).critical("scoring cannot start", reason=str(error))
        raise


async def _answers(pool: asyncpg.Pool) -> str | None:
    await pool.fetchval("SELECT 1")
    return None
