"""The kafka connector keeps what every connector keeps, on a topic of events in edge form."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.integration.ingest.connectors.conformance import Conformance, citizen, new_source


def event(number: int, source: str) -> dict[str, Any]:
    """An invented event about the citizen of a number."""
    return {
        "specversion": "1.0",
        "id": f"eid-{number}",
        "source": source,
        "type": "vn.nhipso.identity.eid-changed.v1",
        "subject": f"citizen:{citizen(number)}",
        "time": "2026-03-01T08:30:00+07:00",
        "data": {"level": 2, "activated": True},
    }


@asynccontextmanager
async def producing(bootstrap: str, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def create(bootstrap: str, topic: str, partitions: int = 3, **configs: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
    finally:
        await admin.close()


@dataclass
class Inbox:
    """The inbox topic of one source."""

    bootstrap: str
    kind: str = "kafka"
    domains: Sequence[str] = ("identity",)
    source: str = field(default_factory=new_source)

    @property
    def topic(self) -> str:
        return f"inbox.{self.source.rpartition(':')[2]}.v1"

    @property
    def config(self) -> Mapping[str, Any]:
        return {}

    async def add(self, numbers: Iterable[int]) -> None:
        async with producing(self.bootstrap) as producer:
            for number in numbers:
                value = json.dumps(event(number, self.source)).encode()
                await producer.send(self.topic, value, key=str(number).encode())

    async def add_bad(self, count: int) -> None:
        too_large = json.dumps(event(1, self.source)).encode() + b" " * 900_000
        bad = [b"no event \xff", None, too_large, b'["an", "array"]', b"{"]
        async with producing(self.bootstrap) as producer:
            for number in range(count):
                await producer.send(self.topic, bad[number % len(bad)], key=b"bad")


@pytest.fixture
async def ground(kafka: str) -> Inbox:
    inbox = Inbox(kafka)
    await create(kafka, inbox.topic)
    return inbox


class TestKafka(Conformance):
    """The suite."""
