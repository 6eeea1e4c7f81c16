"""Keeps what comes on ``rejected-events.v1``: insert, then commit offsets.

A rejection's id is its row's, so records may come any number of times, to any process of the group.
FastStream swallows what a handler raises and moves on, so the handler never raises: what passes is
tried again in place, all else goes to `run`, which stops the process before anything is committed.
"""

import asyncio
import contextlib
from typing import Final

import stamina
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker

from contracts.topics import REJECTED_EVENTS
from services.chassis.batches import Batch, subscribe
from services.chassis.database import is_transient
from services.chassis.failpoints import failpoint
from services.ingest.rejecting.metrics import RejectionMetrics
from services.ingest.rejecting.rows import Row, row_of
from services.ingest.rejecting.store import Store

_MAX_RECORDS: Final = 1_000
_POLL_SECONDS: Final = 0.2
_LONGEST_RETRY_WAIT: Final = 5.0
_STOP_SECONDS: Final = 5.0


class Projecting:
    """The subscriber of ``rejected-events.v1``."""

    def __init__(
        self, broker: KafkaBroker, store: Store, metrics: RejectionMetrics, *, group_id: str
    ) -> None:
        """Subscribe on a broker that has not been started yet."""
        self._broker = broker
        self._store = store
        self._metrics = metrics
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._log = structlog.get_logger(__name__)
        self._subscription = subscribe(
            broker,
            REJECTED_EVENTS,
            self._handle,
            group_id=group_id,
            max_records=_MAX_RECORDS,
            poll_seconds=_POLL_SECONDS,
        )

    async def run(self) -> None:
        """Go on until cancelled.

        Raises:
            Exception: what the handler could not explain.
        """
        # It waits until the group has given it partitions, which takes seconds after a process of
        # it was killed; nothing else waits for that.
        await self._broker.start()
        await self._failure

    async def stop(self) -> None:
        """Leave the group."""
        # A consumer whose broker is away would say good-bye to it for ever.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._broker.stop()

    async def _handle(self, records: Batch) -> None:
        try:
            await self._take(records)
        except Exception as error:  # noqa: BLE001 - handed on; FastStream would swallow it
            if not self._failure.done():
                self._failure.set_exception(error)
            # Never come back: the next batch must not be read, nor offsets pass this one.
            await asyncio.Event().wait()

    async def _take(self, records: Batch) -> None:
        rows: list[Row] = []
        unfit = 0
        for record in records:
            row = row_of(record.value)
            if row is None:
                self._log.warning(
                    "a record is no rejection and is passed over",
                    partition=record.partition,
                    offset=record.offset,
                )
            else:
                rows.append(row)
        async for attempt in stamina.retry_context(
            on=is_transient, attempts=None, timeout=None, wait_max=_LONGEST_RETRY_WAIT
        ):
            with attempt:
                unfit = await self._store.insert(rows)
        if unfit:
            self._log.warning("rejections that no row can be made of are passed over", count=unfit)
        self._metrics.records.labels("kept").inc(len(rows) - unfit)
        self._metrics.records.labels("unreadable").inc(len(records) - len(rows) + unfit)
        failpoint("rejections.before-kafka-commit")
        await self._commit(records)

    async def _commit(self, records: Batch) -> None:
        consumer = self._subscription.consumer
        if consumer is None:
            return
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        try:
            # Explicit offsets: a bare commit would commit what has been read but not kept.
            await consumer.commit(offsets)
        except (KafkaError, IllegalStateError, ConsumerStoppedError) as error:
            # A partition moved away or the broker is restarting: the records come again.
            self._log.warning("offsets could not be committed", error=type(error).__name__)
