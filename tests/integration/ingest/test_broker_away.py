"""What ingest answers while the broker is away, and that it goes on when it is back."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from contracts.topics import SUBJECT_EVENTS
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from tests.contract.ingest.service import BATCH, Ingest, Keys, running, settings_for


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Kafka]:
    """A broker of this test alone, which it may stop and start."""
    broker = Kafka(tmp_path / "kafka", port=free_port(), controller_port=free_port(), heap="256m")
    broker.start()
    broker.wait_ready(60)
    try:
        yield broker
    finally:
        broker.stop()


def event(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"away-{number}",
        "source": "urn:nhipso:source:vneid",
        "type": "vn.nhipso.identity.eid-changed.v1",
        "subject": f"citizen:{number:012}",
        "time": "2026-03-01T08:30:00+07:00",
        "data": {"level": 2, "activated": True},
    }


async def until_ready(ingest: Ingest, status: int) -> None:
    deadline = time.monotonic() + 60
    while (await ingest.get("/readyz"))[0] != status:
        assert time.monotonic() < deadline, f"/readyz did not become {status}"
        await asyncio.sleep(0.2)


async def test_nothing_is_accepted_while_the_broker_is_away(
    own_kafka: Kafka, database: str, tmp_path: Path
) -> None:
    (tmp_path / "keys").mkdir()
    keys = Keys(tmp_path / "keys")
    keys.write()
    settings = settings_for(keys, own_kafka.bootstrap, database, delivery_timeout_seconds=2.0)
    async with running(settings, keys) as ingest:
        assert (await ingest.post(event(1)))[0] == 202

        await asyncio.to_thread(own_kafka.stop)
        await until_ready(ingest, 503)
        started = time.monotonic()
        answers = await asyncio.gather(
            *(ingest.post([event(n), {"id": "refused"}], content_type=BATCH) for n in range(2, 12))
        )
        assert time.monotonic() - started < 10
        for status, problem, headers in answers:
            assert (status, problem["status"]) == (503, 503)
            assert int(headers["Retry-After"]) > 0
        assert (await ingest.get("/healthz"))[0] == 200
        _, metrics = await ingest.get("/metrics")
        assert 'ingest_events_total{domain="identity",result="accepted"} 1.0' in metrics

        own_kafka.start()
        await asyncio.to_thread(own_kafka.wait_ready, 60)
        await until_ready(ingest, 200)
        deadline = time.monotonic() + 60
        while (await ingest.post(event(100)))[0] != 202:
            assert time.monotonic() < deadline, "ingest does not accept again"
        ids = await _ids(own_kafka.bootstrap)
        assert {"away-1", "away-100"} <= ids

        await asyncio.to_thread(own_kafka.stop)
        assert (await ingest.post(event(101)))[0] == 503
        started = time.monotonic()
    assert time.monotonic() - started < 15, "ingest cannot stop without its broker"


async def _ids(bootstrap: str) -> set[str]:
    """The ids of all events on the topic."""
    consumer = AIOKafkaConsumer(
        SUBJECT_EVENTS, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        ids: set[str] = set()
        while any([await consumer.position(p) < end for p, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                ids |= {json.loads(record.value)["id"] for record in records}
        return ids
    finally:
        await consumer.stop()
