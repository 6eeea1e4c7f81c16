"""Take indicator events from Kafka into the store, a batch a transaction, then commit offsets.

Correctness rests on versions: an older or equal one changes nothing, so a batch may come any number
of times. FastStream subscribes; because it swallows what a handler raises and then moves on, the
handler never raises: what passes is retried in place, all else is handed to `watch`, which stops
the process before anything is committed.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import asyncpg
import stamina
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.middlewares import AckPolicy
from pydantic import ValidationError

from contracts.catalogue import Catalogue
from contracts.topics import INDICATOR_EVENTS
from contracts.updates import IndicatorUpdated
from services.notifier.core.intake import digest
from services.notifier.metrics import NotifierMetrics
from services.notifier.store import TRANSIENT, figures

GROUP: Final = "notifier"

_MAX_RECORDS: Final = 5_000
_BATCH_TIMEOUT_MS: Final = 200
_LONGEST_RETRY_WAIT: Final = 5.0

#: aiokafka's ConsumerRecord and consumer; the library is untyped.
Record: TypeAlias = Any
Consumer: TypeAlias = Any


class Consuming:
    """The subscriber of ``indicator-events.v1``."""

    def __init__(
        self,
        broker: KafkaBroker,
        pool: asyncpg.Pool,
        catalogue: Catalogue,
        metrics: NotifierMetrics,
    ) -> None:
        """Subscribe on a broker that has not been started yet."""
        self._pool = pool
        self._catalogue = catalogue
        self._metrics = metrics
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._taken: dict[TopicPartition, int] = {}
        self._log = structlog.get_logger(__name__)
        self._subscriber = broker.subscriber(
            INDICATOR_EVENTS,
            batch=True,
            group_id=GROUP,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            max_records=_MAX_RECORDS,
            batch_timeout_ms=_BATCH_TIMEOUT_MS,
            parser=_parse,
            decoder=_decode,
        )
        self._subscriber(self._handle)

    async def watch(self) -> None:
        """Wait for what the handler could not explain.

        Raises:
            Exception: the reason why consuming stopped.
        """
        await self._failure

    async def check(self) -> str | None:
        """For readiness: None while partitions are assigned to this process."""
        consumer = self._consumer()
        if self._failure.done():
            return "consuming has stopped"
        if consumer is None or not consumer.assignment():
            return "no partition of indicator-events.v1 is assigned yet"
        return None

    def observe_lag(self) -> None:
        """Bring the lag's gauge up to date."""
        consumer = self._consumer()
        if consumer is None:
            return
        for partition in consumer.assignment():
            end, taken = consumer.highwater(partition), self._taken.get(partition)
            # Before the first record both are unknown; then the lag is the whole partition.
            if end is not None:
                lag = end - taken if taken is not None else 0
                self._metrics.consumer_lag.labels(str(partition.partition)).set(max(0, lag))

    def _consumer(self) -> Consumer | None:
        return self._subscriber.consumer

    async def _handle(self, records: Sequence[Record]) -> None:
        try:
            await self._take(records)
        except Exception as error:  # noqa: BLE001 - handed on; FastStream would swallow it
            if not self._failure.done():
                self._failure.set_exception(error)
            # Never come back: the next batch must not be read, nor offsets pass this one.
            await asyncio.Event().wait()

    async def _take(self, records: Sequence[Record]) -> None:
        batch = digest(self._readable(records), self._catalogue)
        async for attempt in stamina.retry_context(
            on=TRANSIENT, attempts=None, timeout=None, wait_max=_LONGEST_RETRY_WAIT
        ):
            with attempt:
                async with self._pool.acquire() as connection, connection.transaction():
                    await figures.hear(connection, batch.heard)
                    await figures.upsert(connection, batch.figures)
        await self._commit(records)

    def _readable(self, records: Iterable[Record]) -> Iterable[IndicatorUpdated]:
        for record in records:
            try:
                yield IndicatorUpdated.model_validate_json(record.value or b"")
            except ValidationError as error:
                self._metrics.unreadable.inc()
                self._log.error(
                    "a record is no indicator event and is passed over",
                    partition=record.partition,
                    offset=record.offset,
                    reason=error.errors(include_input=False, include_url=False)[0]["msg"],
                )

    async def _commit(self, records: Sequence[Record]) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        self._taken.update(offsets)
        consumer = self._consumer()
        if consumer is None:
            return
        try:
            # Explicit offsets: a bare commit would commit what has been read but not taken.
            await consumer.commit(offsets)
        except (KafkaError, IllegalStateError) as error:
            # A partition moved away or the broker is restarting: the records come again, which
            # is harmless, or the next batch's commit covers these.
            self._log.warning("offsets could not be committed", error=repr(error))
        self.observe_lag()


async def _parse(records: tuple[Record, ...]) -> KafkaMessage:
    """Wrap a batch without a look at headers: FastStream's own parser falls over strange ones."""
    first, last = records[0], records[-1]
    return KafkaMessage(
        body=[record.value or b"" for record in records],
        raw_message=records,
        message_id=f"{first.partition}/{first.offset}-{last.offset}",
        consumer=_NO_CONSUMER,
    )


async def _decode(message: KafkaMessage) -> Sequence[Record]:
    """Hand the records on as they are; each is decoded by itself in the handler."""
    return message.raw_message


class _NoConsumer:
    """Acknowledging through FastStream would commit positions that we did not mean."""

    async def commit(self) -> None:
        """Nothing: offsets are committed explicitly."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Nothing: records are never given back."""


_NO_CONSUMER: Final = _NoConsumer()
