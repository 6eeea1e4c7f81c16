"""Loads a topic as ingest writes it: key = subject, murmur2, lz4, idempotent, one header."""

from collections.abc import Iterable
from functools import cache

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from contracts.topics import CLOUDEVENTS_JSON, CONTENT_TYPE_HEADER

_BATCH_BYTES = 256 * 1024
_HEADERS = [(CONTENT_TYPE_HEADER, CLOUDEVENTS_JSON.encode())]


async def load(
    bootstrap: str, topic: str, partitions: int, records: Iterable[tuple[bytes, bytes]]
) -> int:
    """Make a topic and fill it; returns how many records the broker has acknowledged."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()
    if any(code for _, code, *_ in answer.topic_errors):
        raise RuntimeError(f"topic {topic} cannot be made: {answer.topic_errors}")

    @cache
    def partition_of(key: bytes) -> int:
        # As Kafka's default partitioner, of Java and of aiokafka, places keys.
        place: int = (murmur2(key) & 0x7FFFFFFF) % partitions
        return place

    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=_BATCH_BYTES,
    )
    await producer.start()
    try:
        open_batches: dict[int, BatchBuilder] = {}
        count = 0
        for key, value in records:
            partition = partition_of(key)
            batch = open_batches.get(partition) or producer.create_batch()
            open_batches[partition] = batch
            if batch.append(key=key, value=value, timestamp=None, headers=_HEADERS) is None:
                # Full. What waits for the broker is bounded: one batch a partition at a time.
                await (await producer.send_batch(batch, topic, partition=partition))
                open_batches[partition] = batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=_HEADERS)
            count += 1
        for partition, batch in open_batches.items():
            await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()
    return count
