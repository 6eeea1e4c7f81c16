"""What tests of scoring do on a real broker: fresh topics, records sent, records read back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from contracts.topics import INDICATOR_EVENTS, REJECTED_EVENTS, SUBJECT_EVENTS

TOPICS = (SUBJECT_EVENTS, REJECTED_EVENTS, INDICATOR_EVENTS)


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it never was.
    """
    async with asyncio.timeout(seconds):
        while not await what():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)


async def fresh_topics(kafka: str, partitions: int) -> None:
    """Delete the topics of scoring and make them anew, so that offsets begin at 0."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        known = [name for name in await admin.list_topics() if name in TOPICS]
        if known:
            await admin.delete_topics(known)

        async def created() -> bool:
            missing = [name for name in TOPICS if name not in made]
            answer = await admin.create_topics([NewTopic(name, partitions, 1) for name in missing])
            made.update(name for name, code, *_ in answer.topic_errors if code == 0)
            # A topic that is being deleted still stands in the way for a moment.
            return len(made) == len(TOPICS)

        made = set[str]()
        await until(created)
    finally:
        await admin.close()


async def send(kafka: str, values: Sequence[bytes | None], partition: int = 0) -> None:
    """Send records to a partition of subject-events.v1, with what a foreign writer may put in."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        headers = [("content-type", b"\xff\xfe"), ("empty", None)]
        for value in values:
            await producer.send(
                SUBJECT_EVENTS, value, b"\xff", partition=partition, headers=headers
            )
        await producer.flush()
    finally:
        await producer.stop()


async def read(kafka: str, topic: str, count: int, seconds: float = 20) -> list[ConsumerRecord]:
    """The records of a topic from its beginning on, as soon as there are so many."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    found: list[ConsumerRecord] = []

    async def enough() -> bool:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found.extend(records)
        return len(found) >= count

    try:
        await until(enough, seconds)
    finally:
        await consumer.stop()
    return found


async def committed(kafka: str, group: str) -> dict[int, int]:
    """What a consumer group has committed of subject-events.v1, by partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {tp.partition: at.offset for tp, at in offsets.items() if tp.topic == SUBJECT_EVENTS}


async def commit(kafka: str, group: str, offsets: dict[int, int]) -> None:
    """Set what a consumer group without members has committed."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        places = {TopicPartition(SUBJECT_EVENTS, shard): at for shard, at in offsets.items()}
        consumer.assign(list(places))
        await consumer.commit({tp: OffsetAndMetadata(at, "") for tp, at in places.items()})
    finally:
        await consumer.stop()


async def delete_before(kafka: str, partition: int, offset: int) -> None:
    """Delete records as retention would."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_records(
            {TopicPartition(SUBJECT_EVENTS, partition): RecordsToDelete(offset)}
        )
    finally:
        await admin.close()
