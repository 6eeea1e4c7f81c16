"""Puts records on topics, and returns only when the broker has acknowledged them all.

FastStream publishes, one batch a partition, which takes 6 µs of CPU for each event of a 500-event
request (measured on two cores); a `publish` an event took 38 µs, aiokafka's own `send` an event
16 µs. The partition is chosen here, as Kafka's default partitioner does, because a batch goes to
one partition. Batches are compressed with zstd: of an event 55 bytes are left, and it takes 1 µs.
aiokafka's lz4 leaves 90 and takes 3 (docs/adr/0009-two-ways-to-a-verdict.md).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, ProducerFenced
from faststream.kafka import KafkaBroker, KafkaResponse
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry

from contracts.topics import CONTENT_TYPE_HEADER
from services.chassis.failpoints import failpoint
from services.chassis.kafka_client import client_options, security_of
from services.chassis.settings import KafkaSettings
from services.ingest.core.partition import partitions_of
from services.ingest.lanes import Lane, Parcel

#: Key and value of a record.
Record = tuple[bytes, bytes]

#: Kafka takes 1 MiB a batch by default; its own bytes and those of each record count as well.
_MAX_BATCH_BYTES: Final = 900_000
_RECORD_OVERHEAD_BYTES: Final = 80
_STOP_SECONDS: Final = 5.0
_ADMIN_TIMEOUT_MS: Final = 10_000


#: After these the producer sends nothing any more; only a new one does.
_FATAL: Final = (OutOfOrderSequenceNumber, ProducerFenced)


class BrokerAwayError(Exception):
    """The broker has not acknowledged in time; nothing may be called accepted."""


class _Message(KafkaResponse):
    """A record as FastStream takes it; made without its constructor, which takes 2 µs."""

    headers: Mapping[str, str] = MappingProxyType({})  # type: ignore[assignment]
    correlation_id = None
    timestamp_ms = None

    def __init__(self, key: bytes, body: bytes) -> None:
        self.key = key
        self.body = body


class Publisher:
    """A producer that waits for all replicas and never doubles a record by its own retries."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        content_types: Mapping[str, str],
        timeout_seconds: float,
        registry: CollectorRegistry,
    ) -> None:
        """Prepare a producer; `start` connects it.

        Args:
            settings: where the broker is.
            content_types: topic → what its records' header `content-type` says.
            timeout_seconds: how long a publication may take before it counts as failed.
            registry: where FastStream's metrics of publishing go.
        """
        self._settings = settings
        self._content_types = content_types
        self._timeout = timeout_seconds
        self._partitions: dict[str, int] = {}
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._failure: asyncio.Future[None] | None = None
        self._broker = KafkaBroker(
            settings.bootstrap_servers,
            security=security_of(settings),
            client_id="nhipso-ingest",
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            # Batches come ready-made; waiting would only make answers late.
            linger_ms=0,
            max_batch_size=_MAX_BATCH_BYTES,
            request_timeout_ms=int(timeout_seconds * 1000),
            allow_auto_create_topics=False,
            middlewares=[KafkaPrometheusMiddleware(registry=registry)],
            # No correlation id in the headers: the contract's record has the one header.
            id_generator=lambda: "",
            logger=None,
        )

    async def start(self) -> None:
        """Connect, and learn how many partitions the topics have.

        Raises:
            aiokafka.errors.KafkaError: the broker does not answer.
            LookupError: a topic does not exist.
        """
        self._failure = asyncio.get_running_loop().create_future()
        self._partitions = await _count_partitions(self._settings, list(self._content_types))
        await self._broker.start()

    async def stop(self) -> None:
        """Disconnect; what the broker has not acknowledged in a few seconds is given up."""
        for lane in self._lanes.values():
            await lane.close()
        try:
            # An idempotent producer tries for ever, also while it stops.
            async with asyncio.timeout(_STOP_SECONDS):
                await self._broker.stop()
        except TimeoutError:
            structlog.get_logger(__name__).warning("stopped without the broker")

    async def watch(self) -> None:
        """Wait until the producer is beyond repair, and raise why; for a supervised task."""
        if self._failure is None:
            raise RuntimeError("the publisher has not been started")
        await asyncio.shield(self._failure)

    async def reachable(self) -> str | None:
        """Why the broker cannot be reached, or None; for readiness."""
        return None if await self._broker.ping(timeout=1.5) else "the broker does not answer"

    async def publish(self, topic: str, records: Sequence[Record]) -> None:
        """Publish records and wait until the broker has acknowledged every one.

        Cancelled or timed out, some of the records may have been written all the same.

        Raises:
            BrokerAwayError: the broker has not acknowledged all of them in time.
        """
        if not records:
            return
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.gather(
                    *(
                        self._lane(topic, partition).put(parcel)
                        for partition, parcel in self._parcels(topic, records)
                    )
                )
        except (TimeoutError, KafkaError) as error:
            # Of errors only the kind is told: what they carry may be a record.
            reason = type(error).__name__
            structlog.get_logger(__name__).warning("not acknowledged", topic=topic, error=reason)
            raise BrokerAwayError(f"{topic}: {reason}") from error

    def _lane(self, topic: str, partition: int) -> Lane:
        lane = self._lanes.get((topic, partition))
        if lane is None:
            headers = {CONTENT_TYPE_HEADER: self._content_types[topic]}

            async def send(records: list[KafkaResponse]) -> None:
                failpoint("ingest.before-acknowledgement")
                try:
                    await self._broker.publish_batch(
                        *records, topic=topic, partition=partition, headers=headers
                    )
                except KafkaError as error:
                    self._note(error)
                    raise

            lane = self._lanes[topic, partition] = Lane(send, _MAX_BATCH_BYTES)
        return lane

    def _note(self, error: Exception) -> None:
        # aiokafka's sender ends with a bare KafkaError when it meets what it does not expect.
        fatal = isinstance(error, _FATAL) or type(error) is KafkaError
        if fatal and self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)

    def _parcels(self, topic: str, records: Sequence[Record]) -> Iterator[tuple[int, Parcel]]:
        """Records by partition, in their order, no parcel larger than a batch may be."""
        partitions = self._partitions[topic]
        parcels: dict[int, list[KafkaResponse]] = {}
        sizes: dict[int, int] = {}
        placed = partitions_of([key for key, _ in records], partitions)
        for (key, value), partition in zip(records, placed, strict=True):
            size = len(key) + len(value) + _RECORD_OVERHEAD_BYTES
            if partition in parcels and sizes[partition] + size > _MAX_BATCH_BYTES:
                yield partition, Parcel(parcels.pop(partition), sizes[partition])
            if partition not in parcels:
                parcels[partition] = []
                sizes[partition] = 0
            parcels[partition].append(_Message(key, value))
            sizes[partition] += size
        for partition, parcel in parcels.items():
            yield partition, Parcel(parcel, sizes[partition])


async def _count_partitions(settings: KafkaSettings, topics: list[str]) -> dict[str, int]:
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=_ADMIN_TIMEOUT_MS)
    try:
        await admin.start()
        described = await admin.describe_topics(topics)
    finally:
        await admin.close()
    counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
    missing = [topic for topic in topics if not counts.get(topic)]
    if missing:
        raise LookupError(f"the broker has no topic {', '.join(missing)}; create it first")
    return counts
