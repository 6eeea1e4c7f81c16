"""The topic that a bench reads, and those that its processes write."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.scoring.bench_processes import BenchError

_ANSWER_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Extent:
    """Where each partition of a topic begins and ends: the offset of the next record."""

    begins: Mapping[int, int]
    ends: Mapping[int, int]

    @property
    def records(self) -> int:
        """How many there are in all partitions."""
        return sum(self.ends.values()) - sum(self.begins.values())

    def line(self, records: int) -> Mapping[int, int]:
        """Offsets behind the first so many records, of each partition in proportion."""
        line: dict[int, int] = {}
        seen = drawn = 0
        for partition, begin in sorted(self.begins.items()):
            seen += self.ends[partition] - begin
            # Rounded as a running sum, so that all shares together are `records`.
            upto = records * seen // self.records
            line[partition] = begin + upto - drawn
            drawn = upto
        return line


async def extent_of(bootstrap: str, topic: str) -> Extent:
    """Ask the broker.

    Raises:
        BenchError: there is no such topic, or nothing in it.
        aiokafka.errors.KafkaError: the broker does not answer.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_ANSWER_MS)
    try:
        await admin.start()
        if topic not in await admin.list_topics():
            raise BenchError(f"the broker has no topic {topic}; load it first")
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    partitions = [TopicPartition(topic, one["partition"]) for one in described["partitions"]]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, request_timeout_ms=_ANSWER_MS)
    await consumer.start()
    try:
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    return Extent(
        {at.partition: offset for at, offset in begins.items()},
        {at.partition: offset for at, offset in ends.items()},
    )


async def drop(bootstrap: str, topics: Iterable[str]) -> None:
    """Delete those of the topics that are there.

    Raises:
        BenchError: they were left; says which.
    """
    wanted = sorted(topics)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_ANSWER_MS)
    try:
        await admin.start()
        known = await admin.list_topics()
        if made := [topic for topic in wanted if topic in known]:
            await admin.delete_topics(made)
    except KafkaError as error:
        raise BenchError(
            f"topics may have been left on the broker ({error}); delete {', '.join(wanted)}"
        ) from error
    finally:
        await admin.close()
