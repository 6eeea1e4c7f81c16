"""Read the events of a topic, hand each batch to whoever takes it, then commit offsets.

FastStream subscribes; because it swallows what a handler raises and then moves on, the handler
never raises: what passes is retried in place, all else is handed to `watch`, which stops the
process before anything is committed. A batch may come any number of times.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Generic, TypeVar

import stamina
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker
from pydantic import BaseModel, ValidationError

from services.chassis.batches import Batch, subscribe
from services.chassis.database import is_transient
from services.notifier.metrics import NotifierMetrics

_MAX_RECORDS: Final = 5_000
_POLL_SECONDS: Final = 0.2
_LONGEST_RETRY_WAIT: Final = 5.0

Event = TypeVar("Event", bound=BaseModel)


class Records(Generic[Event]):
    """The subscriber of one topic."""

    def __init__(
        self,
        broker: KafkaBroker,
        topic: str,
        model: type[Event],
        take: Callable[[list[Event]], Awaitable[None]],
        *,
        group: str,
        metrics: NotifierMetrics,
    ) -> None:
        """Subscribe on a broker that has not been started yet.

        Args:
            broker: of the process.
            topic: what is read.
            model: the form of its events; what has another is passed over.
            take: takes a batch in one transaction; tried again when the database is away.
            group: the consumer group.
            metrics: counts what is passed over.
        """
        self._topic = topic
        self._model = model
        self._take = take
        self._metrics = metrics
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.taken: dict[TopicPartition, int] = {}
        self._log = structlog.get_logger(__name__)
        self._subscription = subscribe(
            broker,
            topic,
            self._handle,
            group_id=group,
            max_records=_MAX_RECORDS,
            poll_seconds=_POLL_SECONDS,
        )

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The consumer; None before the start and after the stop."""
        return self._subscription.consumer

    async def watch(self) -> None:
        """Wait for what the handler could not explain.

        Raises:
            Exception: the reason why consuming stopped.
        """
        await self._failure

    async def check(self) -> str | None:
        """For readiness: None while partitions are assigned to this process."""
        if self._failure.done():
            return "consuming has stopped"
        if self.consumer is None or not self.consumer.assignment():
            return f"no partition of {self._topic} is assigned yet"
        return None

    async def _handle(self, records: Batch) -> None:
        try:
            events = list(self._readable(records))
            async for attempt in stamina.retry_context(
                on=is_transient, attempts=None, timeout=None, wait_max=_LONGEST_RETRY_WAIT
            ):
                with attempt:
                    await self._take(events)
            await self._commit(records)
        except Exception as error:  # noqa: BLE001 - handed on; FastStream would swallow it
            if not self._failure.done():
                self._failure.set_exception(error)
            # Never come back: the next batch must not be read, nor offsets pass this one.
            await asyncio.Event().wait()

    def _readable(self, records: Batch) -> Iterable[Event]:
        for record in records:
            try:
                yield self._model.model_validate_json(record.value or b"")
            except ValidationError as error:
                self._metrics.unreadable.inc()
                self._log.error(
                    "a record is not of its topic's form and is passed over",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    reason=error.errors(include_input=False, include_url=False)[0]["msg"],
                )

    async def _commit(self, records: Batch) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        self.taken.update(offsets)
        if self.consumer is None:
            return
        try:
            # Explicit offsets: a bare commit would commit what has been read but not taken.
            await self.consumer.commit(offsets)
        except (KafkaError, IllegalStateError, ConsumerStoppedError) as error:
            # A partition moved away or the broker is restarting: the records come again, which
            # is harmless, or the next batch's commit covers these.
            self._log.warning("offsets could not be committed", error=repr(error))
