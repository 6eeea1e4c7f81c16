"""Batches through FastStream, on a real broker."""

import asyncio
import contextvars
import weakref

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from prometheus_client import CollectorRegistry

from services.chassis.batches import Batch, broker_of, subscribe
from services.chassis.kafka import ensure_topics
from services.chassis.settings import KafkaSettings

TOPIC = "batches-of-chassis.v1"


@pytest.fixture
async def settings(kafka: str) -> KafkaSettings:
    known = KafkaSettings(bootstrap_servers=kafka, partitions=1)
    await ensure_topics(known, {TOPIC: {}})
    return known


async def test_what_a_handler_opens_does_not_keep_its_batch(settings: KafkaSettings) -> None:
    """A connection that lives on has the context in which it was opened, and all that is in it."""
    opened: list[contextvars.Context] = []
    first: list[weakref.ref[ConsumerRecord]] = []
    second = asyncio.Event()

    async def handle(batch: Batch) -> None:
        opened.append(contextvars.copy_context())
        if first:
            second.set()
        else:
            first.append(weakref.ref(batch[0]))

    broker = broker_of(settings, client_id="test", registry=CollectorRegistry())
    subscribe(broker, TOPIC, handle, group_id=None)
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap_servers)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, b"one")
        await broker.start()
        while not first:  # noqa: ASYNC110 - the handler fills it
            await asyncio.sleep(0.01)
        await producer.send_and_wait(TOPIC, b"two")
        async with asyncio.timeout(30):
            await second.wait()
            while first[0]() is not None:  # noqa: ASYNC110 - FastStream lets go of it
                await asyncio.sleep(0.01)
    finally:
        await broker.stop()
        await producer.stop()
    assert opened
