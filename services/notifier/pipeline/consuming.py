"""Take indicator events from Kafka into the store, a batch a transaction, then commit offsets.

Correctness rests on versions: an older or equal one changes nothing, so a batch may come any number
of times. FastStream subscribes; because it swallows what a handler raises and then moves on, the
handler never raises: what passes is retried in place, all else is handed to `watch`, which stops
the process before anything is committed.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import asyncpg
import stamina
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker
from pydantic import ValidationError

from contracts.catalogue import Catalogue
from contracts.topics import INDICATOR_EVENTS
from contracts.updates import IndicatorUpdated
from services.chassis.batches import Batch, subscribe
from services.chassis.database import is_transient
from services.notifier.core.intake import digest
from services.notifier.metrics import NotifierMetrics
from services.notifier.store import figures

GROUP: Final = "notifier"

_MAX_RECORDS: Final = 5_000
_POLL_SECONDS: Final = 0.2
_LONGEST_RETRY_WAIT: Final = 5.0


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
        self._subscription = subscribe(
            broker,
            INDICATOR_EVENTS,
            self._handle,
            group_id=GROUP,
            max_records=_MAX_RECORDS,
            poll_seconds=_POLL_SECONDS,
        )

    async def watch(self) -> None:
        """Wait for what the handler could not explain.

        Raises:
            Exception: the reason why consuming stopped.
        """
        await self._failure

    async def check(self) -> str | None:
        """For readiness: None while partitions are assigned to this process."""
        consumer = self._subscription.consumer
        if self._failure.done():
            return "consuming has stopped"
        if consumer is None or not consumer.assignment():
            return "no partition of indicator-events.v1 is assigned yet"
        return None

    async def observe_lag(self, now: datetime) -> None:  # noqa: ARG002 - a step of a beat
        """Bring the lag's gauge up to date."""
        consumer = self._subscription.consumer
        if consumer is None:
            return
        for lost in self._taken.keys() - consumer.assignment():
            del self._taken[lost]
            # Its new owner tells its lag from now on.
            self._metrics.consumer_lag.remove(str(lost.partition))
        for partition in consumer.assignment():
            if partition not in self._taken:
                committed = await consumer.committed(partition) or 0
                # A batch may have been taken, or the partition lost, while the broker was asked.
                self._taken.setdefault(partition, committed)
            if partition not in consumer.assignment():
                continue
            end = consumer.highwater(partition)
            # It is not known before the first fetch.
            if end is not None:
                lag = max(0, end - self._taken[partition])
                self._metrics.consumer_lag.labels(str(partition.partition)).set(lag)

    async def _handle(self, records: Batch) -> None:
        try:
            await self._take(records)
        except Exception as error:  # noqa: BLE001 - handed on; FastStream would swallow it
            if not self._failure.done():
                self._failure.set_exception(error)
            # Never come back: the next batch must not be read, nor offsets pass this one.
            await asyncio.Event().wait()

    async def _take(self, records: Batch) -> None:
        digested = digest(self._readable(records), self._catalogue)
        async for attempt in stamina.retry_context(
            on=is_transient, attempts=None, timeout=None, wait_max=_LONGEST_RETRY_WAIT
        ):
            with attempt:
                async with self._pool.acquire() as connection, connection.transaction():
                    await figures.hear(connection, digested.heard)
                    await figures.upsert(connection, digested.figures)
        await self._commit(records)

    def _readable(self, records: Batch) -> Iterable[IndicatorUpdated]:
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

    async def _commit(self, records: Batch) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        self._taken.update(offsets)
        consumer = self._subscription.consumer
        if consumer is None:
            return
        try:
            # Explicit offsets: a bare commit would commit what has been read but not taken.
            await consumer.commit(offsets)
        except (KafkaError, IllegalStateError, ConsumerStoppedError) as error:
            # A partition moved away or the broker is restarting: the records come again, which
            # is harmless, or the next batch's commit covers these.
            self._log.warning("offsets could not be committed", error=repr(error))
