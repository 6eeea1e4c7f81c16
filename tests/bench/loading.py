"""Loads a topic as ingest writes it: key = subject, murmur2, idempotent, one header.

Compressed with lz4, as ingest did when the figures of docs/scaling.md were measured; zstd takes a
reader 0.1 µs an event more.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.producer.message_accumulator import BatchBuilder
from numpy.typing import NDArray

from contracts.topics import CLOUDEVENTS_JSON, CONTENT_TYPE_HEADER
from tests.bench.invented_events import Records

_BATCH_BYTES: Final = 256 * 1024
_HEADERS: Final = [(CONTENT_TYPE_HEADER, CLOUDEVENTS_JSON.encode())]
_POSITIVE: Final = np.uint32(0x7FFFFFFF)


async def load(
    bootstrap: str,
    topic: str,
    partitions: int,
    records: Iterable[Records],
    *,
    configs: Mapping[str, str] | None = None,
) -> int:
    """Make a topic and fill it; returns how many records the broker has acknowledged.

    Args:
        bootstrap: the broker.
        topic: must not be there yet.
        partitions: of the topic.
        records: what goes in. Those of a partition keep their order.
        configs: of the topic.
    """
    # A new partition has no leader for a moment; that is tried again, and need not be told.
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    await _make(bootstrap, NewTopic(topic, partitions, 1, topic_configs=dict(configs or {})))
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=_BATCH_BYTES,
    )
    await producer.start()
    try:
        count = 0
        for some in records:
            placed = (some.hashes & _POSITIVE) % partitions
            # Partitions side by side, each waiting for its own answers: what is on its way to the
            # broker is bounded.
            await asyncio.gather(
                *(
                    _fill(producer, topic, partition, some, np.flatnonzero(placed == partition))
                    for partition in range(partitions)
                )
            )
            count += len(some.keys)
    finally:
        await producer.stop()
    return count


async def _make(bootstrap: str, topic: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([topic])
    finally:
        await admin.close()
    if any(code for _, code, *_ in answer.topic_errors):
        raise RuntimeError(f"topic {topic.name} cannot be made: {answer.topic_errors}")


async def _fill(
    producer: AIOKafkaProducer, topic: str, partition: int, some: Records, rows: NDArray[np.intp]
) -> None:
    for batch in _batches(producer, some.keys[rows].tolist(), some.values[rows].tolist()):
        await (await producer.send_batch(batch, topic, partition=partition))


def _batches(
    producer: AIOKafkaProducer, keys: Iterable[bytes], values: Iterable[bytes]
) -> Iterator[BatchBuilder]:
    batch = None
    for key, value in zip(keys, values, strict=True):
        if batch is not None:
            if batch.append(key=key, value=value, timestamp=None, headers=_HEADERS) is not None:
                continue
            yield batch
        batch = producer.create_batch()
        batch.append(key=key, value=value, timestamp=None, headers=_HEADERS)
    if batch is not None:
        yield batch
