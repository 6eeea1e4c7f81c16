"""What the consumer does when a batch cannot be taken: it commits nothing and says so."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from faststream.kafka import KafkaBroker

from services.chassis.kafka import ensure_topics
from services.chassis.settings import KafkaSettings
from services.notifier.pipeline import consuming
from services.notifier.pipeline.consuming import Consuming
from services.notifier.store import figures
from tests.integration.notifier.conftest import Bench, told

PATIENCE = 30.0


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic and a group of the test's own."""
    name = f"indicator-events.{uuid4().hex}"
    monkeypatch.setattr(consuming, "INDICATOR_EVENTS", name)
    monkeypatch.setattr(consuming, "GROUP", name)
    return name


async def started(kafka: str, topic: str, bench: Bench) -> tuple[KafkaBroker, Consuming]:
    await ensure_topics(KafkaSettings(bootstrap_servers=kafka, partitions=3), {topic: {}})
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        event = told(600).model_dump_json().encode()
        await producer.send_and_wait(topic, event, key=b"2025:02647")
    broker = KafkaBroker(
        kafka, apply_types=False, allow_auto_create_topics=False, logger=None, graceful_timeout=1
    )
    taking = Consuming(broker, bench.pool, bench.domain.catalogue, bench.metrics)
    await broker.start()
    return broker, taking


async def committed(kafka: str, group: str) -> dict[TopicPartition, Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {partition: found.offset for partition, found in offsets.items() if found.offset >= 0}


def failing(
    *errors: Exception, then: Callable[..., Awaitable[None]] = figures.upsert
) -> Callable[..., Awaitable[None]]:
    """The store's upsert, which first raises these."""
    left = list(errors)

    async def upsert(connection: asyncpg.Connection, some: Any) -> None:
        if left:
            raise left.pop(0)
        await then(connection, some)

    return upsert


async def test_what_cannot_be_explained_stops_it_before_it_commits(
    kafka: str, topic: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "upsert", failing(ValueError("no idea")))
    broker, taking = await started(kafka, topic, bench)
    try:
        with pytest.raises(ValueError, match="no idea"):
            await asyncio.wait_for(taking.watch(), PATIENCE)
        assert await taking.check() == "consuming has stopped"
        assert await committed(kafka, topic) == {}
    finally:
        # The handler waits for the end of the process; nothing else ends it.
        await asyncio.wait_for(broker.stop(), PATIENCE)


async def test_what_passes_is_tried_again_in_place(
    kafka: str, topic: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = asyncpg.ConnectionDoesNotExistError("the server restarts")
    monkeypatch.setattr(figures, "upsert", failing(lost, lost))
    broker, taking = await started(kafka, topic, bench)
    try:
        async with asyncio.timeout(PATIENCE):
            while not await committed(kafka, topic):  # noqa: ASYNC110 - Kafka tells nobody
                await asyncio.sleep(0.1)
        await bench.evaluate()
        assert await bench.states() == [("ds.smartphone", "pending", "target-missed")]
        assert await taking.check() is None
    finally:
        await asyncio.wait_for(broker.stop(), PATIENCE)
