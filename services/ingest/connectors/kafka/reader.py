"""Reads a topic from a cursor, which is the next offset of each partition.

Partitions are assigned by hand, without a consumer group: the cursor in PostgreSQL decides, so
nothing is committed to Kafka and no rebalance moves a position. Records of transactions that were
not committed are not read.

aiokafka has traps here. An exception while it decodes one partition loses what it has decoded of
others, so a page that failed is thrown away as a whole and read again record by record. A broker
that is away, or an answer it does not understand, is logged and tried again without end, so a page
without records asks for the topic's end, which does not keep quiet. And `stop` may end with the
cancellation of a task of its own, which would pass for ours.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

from services.ingest.connectors.connector import (
    Cursor,
    Event,
    Page,
    RecordMapping,
    SourceError,
    SourceRecord,
)
from services.ingest.connectors.kafka.config import KafkaConfig
from services.ingest.connectors.kafka.positions import offsets_of, start
from services.ingest.connectors.kafka.records import UNREADABLE, original

_WAIT_MS: Final = 1_000
#: How long a partition may stand still although it has records, before the consumer is made anew.
_STILL_SECONDS: Final = 30.0
#: Damage on the way is gone when a batch is fetched again; damage on the broker's disk is not.
_TRIES: Final = 3


class KafkaConnector:
    """One open topic."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        topic: str,
        partitions: Sequence[int],
        config: KafkaConfig,
        *,
        mapping: RecordMapping,
        connector: str,
    ) -> None:
        """Take over a consumer that has been started.

        Args:
            consumer: without a group, assignment or position.
            topic: what to read.
            partitions: those that the topic has now; later ones are noticed.
            config: the limits of a page.
            mapping: makes events of a record.
            connector: its name, for the log.
        """
        self._consumer = consumer
        self._topic = topic
        self._partitions = list(partitions)
        self._config = config
        self._mapping = mapping
        self._log = structlog.get_logger(__name__).bind(connector=connector, topic=topic)
        self._at: Cursor | None = None
        self._moved: dict[int, float] = {}

    async def read(self, cursor: Cursor | None) -> Page:
        """Read what there is, or wait for it about a second.

        There is always a next reading: waiting for records is done here, not between readings.

        Raises:
            SourceError: the topic cannot be read, or the cursor is another kind's.
        """
        offsets = offsets_of(cursor)
        try:
            lost = await self._go_to(offsets)
            records = await self._take()
            positions = await self._positions()
            behind = await self._behind(positions, known=bool(records))
        except OffsetOutOfRangeError:
            # Retention was faster; the next reading looks where the topic begins now.
            self._at = None
            return Page([], cursor, is_last=False)
        except TopicAuthorizationFailedError:
            raise SourceError(
                f"the broker does not let ingest read topic {self._topic}; grant READ and DESCRIBE"
            ) from None
        except KafkaError as error:
            raise SourceError(f"topic {self._topic} cannot be read: {said(error)}") from None
        self._at = {**(offsets or {}), **{str(one): at for one, at in positions.items()}}
        return Page(records, self._at, is_last=False, behind=behind, lost=lost)

    def map(self, original: bytes) -> Sequence[Event]:
        """Make events of a record's text."""
        return self._mapping(original)

    async def close(self) -> None:
        """Leave the broker."""
        try:
            await self._consumer.stop()
        except asyncio.CancelledError:
            # Of aiokafka's own task, which it ends so when the broker is away; it stays connected.
            await self._consumer._client.close()  # noqa: SLF001 - `stop` does nothing twice
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise

    async def _go_to(self, cursor: Mapping[str, int] | None) -> int:
        """Stand at the cursor in all partitions; returns how many offsets are gone before it."""
        known = self._consumer.partitions_for_topic(self._topic)
        if self._consumer.assignment() and not known:
            raise SourceError(f"topic {self._topic} is gone")
        partitions = sorted(known or self._partitions)
        if cursor is not None and cursor == self._at and partitions == self._partitions:
            return 0
        mine = self._of(partitions)
        earliest = _by_number(await self._consumer.beginning_offsets(mine))
        found = start(cursor, earliest, _by_number(await self._consumer.end_offsets(mine)))
        for partition, count in found.gone.items():
            self._log.error(
                "retention has removed records before they were read",
                partition=partition,
                offsets=count,
                reading_from=found.positions[partition],
            )
        for partition in found.again:
            self._log.error("the topic ends before the cursor: read anew", partition=partition)
        # No await from here on: a partition without a position would make the consumer fail.
        self._consumer.assign(mine)
        for one in mine:
            self._consumer.seek(one, found.positions[one.partition])
        self._partitions = partitions
        self._moved.clear()
        return sum(found.gone.values())

    async def _take(self) -> list[SourceRecord]:
        before = await self._positions()
        try:
            fetched = await self._consumer.getmany(
                timeout_ms=_WAIT_MS, max_records=self._config.page_records
            )
        except Exception as error:
            if not _is_damage(error):
                raise
            self._log.warning("records cannot be decoded: one by one", error=type(error).__name__)
            for one in self._of(self._partitions):
                self._consumer.seek(one, before[one.partition])
            return await self._one_by_one()
        records: list[SourceRecord] = []
        size = 0
        for one, found in fetched.items():
            for record in found:
                read = _source_record(record)
                if records and size + len(read.original) > self._config.page_bytes:
                    self._consumer.seek(one, record.offset)
                    break
                size += len(read.original)
                records.append(read)
        return records

    async def _one_by_one(self) -> list[SourceRecord]:
        """Read up to what cannot be decoded, and past it, so that it alone is refused.

        What follows it in its batch cannot be decoded either: the client comes to it first.
        """
        records: list[SourceRecord] = []
        mine = self._of(self._partitions)
        size = 0
        for one, end in (await self._consumer.end_offsets(mine)).items():
            failures = 0
            while (
                len(records) < self._config.page_records
                and size < self._config.page_bytes
                and (at := await self._consumer.position(one)) < end
            ):
                try:
                    fetched = await self._consumer.getmany(one, timeout_ms=_WAIT_MS, max_records=1)
                except Exception as error:
                    if not _is_damage(error):
                        raise
                    failures += 1
                    self._consumer.seek(one, at)
                    if failures == _TRIES:
                        self._log.error(
                            "a record cannot be decoded and is refused",
                            partition=one.partition,
                            offset=at,
                            error=type(error).__name__,
                        )
                        records.append(SourceRecord(_place(one, at), UNREADABLE))
                        self._consumer.seek(one, at + 1)
                        failures -= 1
                    continue
                if not fetched:
                    break
                failures = 0
                for record in fetched[one]:
                    records.append(_source_record(record))
                    size += len(records[-1].original)
        return records

    async def _positions(self) -> dict[int, int]:
        return {
            one.partition: await self._consumer.position(one) for one in self._of(self._partitions)
        }

    async def _behind(self, positions: Mapping[int, int], *, known: bool) -> int:
        """How many records wait; asks the broker unless it has just sent some."""
        mine = self._of(self._partitions)
        if known:
            ends = {one.partition: self._consumer.last_stable_offset(one) or 0 for one in mine}
        else:
            ends = _by_number(await self._consumer.end_offsets(mine))
        now, before = time.monotonic(), self._at or {}
        for one, at in positions.items():
            if ends[one] <= at or before.get(str(one)) != at:
                self._moved[one] = now
            elif now - self._moved.setdefault(one, now) > _STILL_SECONDS:
                raise SourceError(
                    f"the broker does not send what comes after offset {at} of partition {one} of "
                    f"{self._topic}; look at the log of ingest and at the broker's"
                )
        return sum(max(0, ends[one] - at) for one, at in positions.items())

    def _of(self, partitions: Sequence[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, one) for one in partitions]


def _source_record(record: ConsumerRecord[Any, Any]) -> SourceRecord:
    one = TopicPartition(record.topic, record.partition)
    return SourceRecord(_place(one, record.offset), original(record.value, record.headers))


def _place(one: TopicPartition, offset: int) -> str:
    return f"topic {one.topic}, partition {one.partition}, offset {offset}"


def _by_number(offsets: Mapping[TopicPartition, int]) -> dict[int, int]:
    return {one.partition: offset for one, offset in offsets.items()}


def _is_damage(error: Exception) -> bool:
    """Whether it is the record's fault: what decoding raises, of checksums, codecs and headers."""
    return isinstance(error, CorruptRecordException) or not isinstance(error, KafkaError)


def said(error: BaseException) -> str:
    """What an error of Kafka's client is called, for whoever reads a message."""
    # Only kinds of errors: what they say may show addresses, never records, but is long.
    return type(error).__name__
