"""The consumer: batches of ``subject-events.v1`` into shard transactions, then Kafka offsets.

FastStream subscribes; correctness lies in the transaction. Its manual acknowledgement swallows an
exception and moves on, so nothing may be raised out of the handler: what a new try can mend is
tried again in place, anything else stops the process before it commits.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import stamina
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker

from contracts.reasons import Reason
from services.chassis import batches
from services.chassis.batches import Batch, Subscription
from services.chassis.clock import Clock
from services.chassis.database import is_transient
from services.chassis.failpoints import failpoint
from services.scoring.metrics import Metrics
from services.scoring.settings import ScoringSettings
from services.scoring.shard import Shards, Taken

#: So long after a full batch another one is expected.
_BEHIND_SECONDS: Final = 1.0

#: Fetched of a partition at a time: a backlog comes in large batches of few shards, in which many
#: events are of the same subjects.
_PARTITION_BYTES: Final = 2 * 1024 * 1024

#: Shards that commit at the same time; each holds one connection.
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class _Sought:
    """Where a shard was sought back to, and under which assignment.

    aiokafka makes a new set of partitions with each assignment, and begins it at the committed
    position: what was sought before then counts no more, even where the partition has stayed.
    """

    offset: int
    assignment: AbstractSet[TopicPartition]


class Consumer:
    """Feeds the shards that Kafka assigns to this process."""

    def __init__(
        self,
        shards: Shards,
        clock: Clock,
        metrics: Metrics,
        settings: ScoringSettings,
    ) -> None:
        self._shards = shards
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._topic = settings.topics.subject_events
        self._sought: dict[int, _Sought] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._subscription: Subscription | None = None
        #: Until when the last full batch tells of a backlog, by the loop's clock.
        self._behind_until = 0.0
        self._log = structlog.get_logger(__name__)

    def subscribe(self, broker: KafkaBroker) -> None:
        """Register the handler; records flow once the broker is started."""
        self._subscription = batches.subscribe(
            broker,
            self._topic,
            self._handle,
            group_id=self._settings.group_id,
            max_records=self._settings.batch_records,
            poll_seconds=self._settings.poll_seconds,
            partition_bytes=_PARTITION_BYTES,
        )

    async def watch(self) -> None:
        """Run until a batch fails beyond repair; raises what it failed with."""
        await self._failed

    @property
    def is_behind(self) -> bool:
        """Whether there is a backlog to work off: the last batch was as full as it may be."""
        return asyncio.get_running_loop().time() < self._behind_until

    def assigned(self) -> list[int]:
        """The shards that Kafka has given to this process."""
        consumer = self._kafka()
        return [] if consumer is None else sorted(tp.partition for tp in consumer.assignment())

    async def reachable(self) -> str | None:
        """Why the broker cannot be reached, or None when it answers."""
        consumer = self._kafka()
        if consumer is None:
            return "not subscribed yet"
        await consumer.topics()
        return None

    async def measure_lag(self) -> None:
        """Set the lag of each assigned shard: the broker's end less PostgreSQL's position."""
        consumer = self._kafka()
        if consumer is None:
            return
        partitions = [TopicPartition(self._topic, shard) for shard in self.assigned()]
        if not partitions:
            self._metrics.lag.clear()
            return
        # In this order, since positions only follow ends.
        positions = await self._shards.positions(tp.partition for tp in partitions)
        ends = await consumer.end_offsets(partitions)
        self._metrics.lag.clear()
        for partition, end in ends.items():
            position, _ = positions.get(partition.partition, (0, None))
            self._metrics.lag.labels(str(partition.partition)).set(max(0, end - position))
            if position > end:
                self._log.error(
                    "the topic ends before the shard's position, new records would be dropped as "
                    "known; restore the topic, or empty the schema to read it from its beginning",
                    shard=partition.partition,
                    position=position,
                    end=end,
                )

    def _kafka(self) -> AIOKafkaConsumer | None:
        return None if self._subscription is None else self._subscription.consumer

    async def _handle(self, batch: Batch) -> None:
        if self._failed.done():
            return
        is_full = len(batch) >= self._settings.batch_records
        if is_full:
            self._behind_until = math.inf
        by_shard: defaultdict[int, list[ConsumerRecord]] = defaultdict(list)
        for record in batch:
            by_shard[record.partition].append(record)
        try:
            positions = await asyncio.gather(
                *(self._take(shard, records) for shard, records in by_shard.items())
            )
            await self._commit(dict(zip(by_shard, positions, strict=True)))
        except Exception as error:  # noqa: BLE001 - FastStream would swallow it and move on
            if not self._failed.done():
                self._failed.set_exception(error)
        loop = asyncio.get_running_loop()
        self._behind_until = loop.time() + _BEHIND_SECONDS if is_full else 0.0

    async def _take(self, shard: int, records: Sequence[ConsumerRecord]) -> int | None:
        """Take a batch, however often it takes; returns the shard's position, None to seek."""
        async with self._at_once:
            async for attempt in stamina.retry_context(
                on=is_transient, attempts=None, timeout=None, wait_initial=0.1, wait_max=5.0
            ):
                with attempt, self._metrics.shard_transaction.time():
                    taken = await self._shards.take(
                        shard,
                        records,
                        self._clock.now(),
                        gap_is_real=self._has_sought(shard),
                    )
        if taken.sought is not None:
            self._seek(shard, taken.sought, records[0].offset)
            return None
        self._sought.pop(shard, None)
        if taken.missing:
            self._report_missing(shard, taken, records)
        self._count(records, taken.taken, [error.reason for error in taken.refused])
        return taken.next_offset

    def _has_sought(self, shard: int) -> bool:
        """Whether these records are what the broker answers when asked from the position on."""
        sought, consumer = self._sought.get(shard), self._kafka()
        return (
            sought is not None
            and consumer is not None
            and sought.assignment is consumer.assignment()
        )

    def _seek(self, shard: int, offset: int, found: int) -> None:
        """Fetch again from where PostgreSQL stands: Kafka's position has run ahead of it.

        aiokafka drops what it has fetched from another position, so the next batch begins here.
        """
        consumer = self._kafka()
        partition = TopicPartition(self._topic, shard)
        self._log.warning("records are missing, seeking back", shard=shard, to=offset, found=found)
        self._metrics.reseeks.inc()
        if consumer is None or partition not in consumer.assignment():
            return
        consumer.seek(partition, offset)
        self._sought[shard] = _Sought(offset, consumer.assignment())

    def _report_missing(self, shard: int, taken: Taken, records: Sequence[ConsumerRecord]) -> None:
        first = records[len(records) - taken.taken].offset
        self._metrics.missing_records.inc(taken.missing)
        self._log.error(
            "the broker no longer has records that were never taken; "
            "restore them or rebuild from a source",
            shard=shard,
            from_offset=first - taken.missing,
            to_offset=first,
        )

    def _count(self, records: Sequence[ConsumerRecord], taken: int, refused: list[Reason]) -> None:
        if taken:
            # Of the record that has waited longest; one observation for each would cost more than
            # the fold.
            oldest = min(record.timestamp for record in records[len(records) - taken :])
            waited = self._clock.now().timestamp() - oldest / 1000
            self._metrics.event_to_state.observe(max(0.0, waited))
        self._metrics.records.labels("taken").inc(taken - len(refused))
        self._metrics.records.labels("refused").inc(len(refused))
        self._metrics.records.labels("known").inc(len(records) - taken)
        for reason in refused:
            self._metrics.rejected.labels(reason).inc()

    async def _commit(self, positions: dict[int, int | None]) -> None:
        """Tell Kafka the positions; a failure costs nothing, since PostgreSQL decides."""
        consumer = self._kafka()
        if consumer is None:
            return
        owned = consumer.assignment()
        offsets = {
            partition: position
            for shard, position in positions.items()
            if position is not None and (partition := TopicPartition(self._topic, shard)) in owned
        }
        if not offsets:
            return
        failpoint("consumer.before-kafka-commit")
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            self._log.info("kafka offsets not committed", error=type(error).__name__)
