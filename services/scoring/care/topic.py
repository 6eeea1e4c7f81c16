"""``subject-events.v1`` by partition and offset, read in no consumer group."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from contracts.topics import SUBJECT_EVENTS
from services.chassis.kafka_client import client_options
from services.chassis.settings import KafkaSettings
from services.scoring.care.schemas import CareError

_ANSWER_MS: Final = 30_000


class Extent(NamedTuple):
    """What a partition holds: records from `begins` up to and without `ends`."""

    begins: int
    ends: int


class Topic:
    """Reads the topic's partitions, one after the other."""

    def __init__(
        self, consumer: AIOKafkaConsumer, kafka: KafkaSettings, batch_records: int
    ) -> None:
        self._consumer = consumer
        self._kafka = kafka
        self._batch_records = batch_records

    @classmethod
    @asynccontextmanager
    async def opened(cls, kafka: KafkaSettings, batch_records: int) -> AsyncIterator[Self]:
        """Connect to the broker.

        Raises:
            aiokafka.errors.KafkaError: it does not answer.
        """
        consumer = AIOKafkaConsumer(
            **client_options(kafka),
            client_id="nhipso-care",
            enable_auto_commit=False,
            # A record that is gone must be told, not passed over.
            auto_offset_reset="none",
        )
        try:
            await consumer.start()
            yield cls(consumer, kafka, batch_records)
        finally:
            await consumer.stop()

    async def extents(self) -> Mapping[int, Extent]:
        """What each partition holds now.

        Raises:
            CareError: there is no such topic.
            aiokafka.errors.KafkaError: the broker does not answer.
        """
        partitions = await self._partitions()
        begins = await self._consumer.beginning_offsets(partitions)
        ends = await self._consumer.end_offsets(partitions)
        return {at.partition: Extent(begins[at], ends[at]) for at in partitions}

    async def read(
        self, partition: int, first: int, end: int
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """The records of a partition from `first` up to and without `end`, in batches.

        Raises:
            CareError: the broker does not hand out records that it should hold.
            aiokafka.errors.KafkaError: it does not answer.
        """
        if first >= end:
            return
        place = TopicPartition(SUBJECT_EVENTS, partition)
        self._consumer.assign([place])
        self._consumer.seek(place, first)
        while first < end:
            fetched = await self._fetch(place, first)
            records = [record for record in fetched if record.offset < end]
            if records:
                yield records
            first = fetched[-1].offset + 1

    async def _partitions(self) -> Sequence[TopicPartition]:
        admin = AIOKafkaAdminClient(**client_options(self._kafka), request_timeout_ms=_ANSWER_MS)
        try:
            await admin.start()
            if SUBJECT_EVENTS not in await admin.list_topics():
                raise CareError(f"the broker has no topic {SUBJECT_EVENTS}; name the right broker")
            (described,) = await admin.describe_topics([SUBJECT_EVENTS])
        finally:
            await admin.close()
        return [TopicPartition(SUBJECT_EVENTS, one["partition"]) for one in described["partitions"]]

    async def _fetch(self, place: TopicPartition, first: int) -> Sequence[ConsumerRecord]:
        try:
            fetched = await self._consumer.getmany(
                place, timeout_ms=_ANSWER_MS, max_records=self._batch_records
            )
        except OffsetOutOfRangeError:
            raise CareError(
                f"partition {place.partition} has lost its records from offset {first} on while "
                "they were read; set retention.ms and retention.bytes of the topic to -1"
            ) from None
        if not fetched.get(place):
            raise KafkaError(
                f"partition {place.partition}: no record from offset {first} on within "
                f"{_ANSWER_MS // 1000} s"
            )
        found: Sequence[ConsumerRecord] = fetched[place]
        return found
