"""Batches of Kafka records through FastStream, without the traps on the way.

FastStream's own parser dies on headers that are null or not UTF-8, and with manual acknowledgement
an exception is swallowed while the position moves on. So nothing is parsed here, records reach the
handler as they are, and the handler must not raise: it commits explicit offsets itself.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from faststream.message import StreamMessage
from prometheus_client import CollectorRegistry

from services.chassis.kafka_client import security_of
from services.chassis.settings import KafkaSettings

Batch = tuple[ConsumerRecord, ...]


#: How long the group waits for a member that was killed: the least that brokers allow by default,
#: since its partitions rest until then.
_SESSION_MS: Final = 6_000

_PARTITION_BYTES: Final = 1024 * 1024
_ANSWER_BYTES: Final = 8 * 1024 * 1024

#: How long a batch in work may take to end when the process stops.
_GRACE_SECONDS: Final = 5.0


class Subscription:
    """One subscription of a process; its consumer is there once the broker has started."""

    def __init__(self, subscriber: Any) -> None:
        self._subscriber = subscriber

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The consumer, for offsets and assignment; None before the start and after the stop."""
        consumer: AIOKafkaConsumer | None = self._subscriber.consumer
        return consumer


def broker_of(
    settings: KafkaSettings, *, client_id: str, registry: CollectorRegistry
) -> KafkaBroker:
    """A broker whose metrics go to `registry`; it makes no topics and publishes idempotently."""
    return KafkaBroker(
        settings.bootstrap_servers,
        security=security_of(settings),
        client_id=client_id,
        apply_types=False,
        allow_auto_create_topics=False,
        # Batches are logged at debug; what FastStream cannot do it says as an error.
        logger=logging.getLogger(__name__),
        log_level=logging.DEBUG,
        acks="all",
        graceful_timeout=_GRACE_SECONDS,
        enable_idempotence=True,
        middlewares=[KafkaPrometheusMiddleware(registry=registry, app_name=client_id)],
    )


def subscribe(
    broker: KafkaBroker,
    topic: str,
    handler: Callable[[Batch], Coroutine[Any, Any, None]],
    *,
    group_id: str | None,
    max_records: int | None = None,
    poll_seconds: float = 0.05,
    from_end: bool = False,
    partition_bytes: int = _PARTITION_BYTES,
) -> Subscription:
    """Hand batches of a topic to a handler that does not raise.

    Args:
        broker: not started yet.
        topic: its name.
        handler: takes records of one or several partitions, in order within each.
        group_id: None reads all partitions without committing.
        max_records: the most records a batch.
        poll_seconds: how long to wait for the first record of a batch.
        partition_bytes: what is fetched of a partition at a time, as the broker has compressed it.
        from_end: begin with what comes from now on where no offset is committed, else with the
            earliest record.
    """
    subscriber: Any = broker.subscriber(
        topic,
        group_id=group_id,
        batch=True,
        max_records=max_records,
        batch_timeout_ms=int(poll_seconds * 1000),
        session_timeout_ms=_SESSION_MS,
        heartbeat_interval_ms=_SESSION_MS // 3,
        auto_offset_reset="latest" if from_end else "earliest",
        max_partition_fetch_bytes=partition_bytes,
        # An answer is held several times while it is read.
        fetch_max_bytes=max(_ANSWER_BYTES, partition_bytes),
        ack_policy=AckPolicy.MANUAL,
        parser=_parse,
        decoder=_decode,
    )
    # FastStream puts the message into the context of the handler. What is opened there, say a
    # connection of a pool, would keep that context and thus the batch for as long as it lives.
    outside = contextvars.copy_context()

    async def handle(batch: Batch) -> None:
        await asyncio.get_running_loop().create_task(handler(batch), context=outside)

    subscriber(handle)
    return Subscription(subscriber)


async def _parse(records: Batch) -> StreamMessage[Batch]:
    # The middleware for metrics adds up the lengths of a body of bytes.
    return StreamMessage(raw_message=records, body=[record.value or b"" for record in records])


async def _decode(message: StreamMessage[Batch]) -> Batch:
    return message.raw_message
