"""What is handed to the producer, and what becomes of its errors."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaError, KafkaTimeoutError, OutOfOrderSequenceNumber
from faststream.kafka import KafkaResponse
from prometheus_client import CollectorRegistry

from services.chassis.settings import KafkaSettings
from services.ingest.core.partition import partition_of
from services.ingest.publisher import BrokerAwayError, Publisher, Record

TOPIC = "subject-events.v1"


class Sent:
    """Stands where FastStream's `publish_batch` is and notes what it is given."""

    def __init__(self, outcome: Exception | None = None) -> None:
        self.batches: list[tuple[int, list[KafkaResponse]]] = []
        self._outcome = outcome

    async def __call__(self, *batch: KafkaResponse, partition: int, **_: Any) -> None:
        self.batches.append((partition, list(batch)))
        await asyncio.sleep(0)
        if self._outcome is not None:
            raise self._outcome


def publisher(monkeypatch: pytest.MonkeyPatch, sent: Any, partitions: int = 12) -> Publisher:
    made = Publisher(
        KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        content_types={TOPIC: "application/cloudevents+json"},
        timeout_seconds=0.2,
        registry=CollectorRegistry(),
    )
    monkeypatch.setattr(made._broker, "publish_batch", sent)
    monkeypatch.setattr(made, "_partitions", {TOPIC: partitions})
    monkeypatch.setattr(made, "_failure", asyncio.get_running_loop().create_future())
    return made


def records(count: int, size: int = 10) -> list[Record]:
    return [(f"citizen:{number}".encode(), b"x" * size) for number in range(count)]


async def test_each_partition_gets_its_records_in_one_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = Sent()
    await publisher(monkeypatch, sent).publish(TOPIC, records(200))
    partitions = [partition for partition, _ in sent.batches]
    assert len(partitions) == len(set(partitions)) == 12
    for partition, batch in sent.batches:
        assert {partition_of(one.key or b"", 12) for one in batch} == {partition}
    assert sum(len(batch) for _, batch in sent.batches) == 200


async def test_no_batch_is_larger_than_kafka_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent()
    sizes = records(50, 100_000)
    await publisher(monkeypatch, sent, partitions=1).publish(TOPIC, sizes)
    bodies = [[one.body for one in batch] for _, batch in sent.batches]
    assert max(sum(map(len, batch)) for batch in bodies) < 1_000_000
    keys = [one.key for _, batch in sent.batches for one in batch]
    assert keys == [key for key, _ in sizes]


async def test_nothing_is_sent_for_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent()
    await publisher(monkeypatch, sent).publish(TOPIC, [])
    assert sent.batches == []


async def test_a_broker_that_does_not_answer_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    with pytest.raises(BrokerAwayError):
        await publisher(monkeypatch, never).publish(TOPIC, records(1))


async def test_an_error_that_passes_leaves_the_producer_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = publisher(monkeypatch, Sent(KafkaTimeoutError()))
    with pytest.raises(BrokerAwayError):
        await one.publish(TOPIC, records(3))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one.watch(), 0.05)


@pytest.mark.parametrize("error", [OutOfOrderSequenceNumber(), KafkaError("unexpected")])
async def test_an_error_beyond_repair_ends_the_watch(
    monkeypatch: pytest.MonkeyPatch, error: KafkaError
) -> None:
    one = publisher(monkeypatch, Sent(error))
    with pytest.raises(BrokerAwayError):
        await one.publish(TOPIC, records(3))
    with pytest.raises(type(error)):
        await one.watch()
