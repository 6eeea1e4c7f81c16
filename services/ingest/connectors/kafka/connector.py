"""Opens a topic for reading; makes the row of the table."""

import re
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from contracts.topics import INBOX_EVENTS
from services.chassis.kafka_client import client_options
from services.chassis.settings import KafkaSettings
from services.ingest.connectors.connector import (
    Kind,
    RecordMapping,
    SourceError,
    Surroundings,
)
from services.ingest.connectors.kafka.config import KafkaConfig
from services.ingest.connectors.kafka.mapping import mapping_of
from services.ingest.connectors.kafka.reader import KafkaConnector, said

_ANSWER_MS: Final = 10_000
#: How soon a new partition is noticed.
_METADATA_MS: Final = 10_000
_PARTITION_BYTES: Final = 1024 * 1024
_ANSWER_BYTES: Final = 8 * 1024 * 1024

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,230}")


async def open_connector(config: KafkaConfig, surroundings: Surroundings) -> KafkaConnector:
    """Connect to the broker.

    Raises:
        SourceError: the broker does not answer, or has no such topic.
    """
    topic = config.topic or _inbox(surroundings.source)
    consumer = AIOKafkaConsumer(
        **client_options(surroundings.kafka),
        client_id=f"nhipso-ingest-{surroundings.name}",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        request_timeout_ms=_ANSWER_MS,
        metadata_max_age_ms=_METADATA_MS,
        max_partition_fetch_bytes=_PARTITION_BYTES,
        fetch_max_bytes=_ANSWER_BYTES,
    )
    try:
        partitions = await _partitions(surroundings.kafka, topic)
        await consumer.start()
    except BaseException as error:
        await consumer.stop()
        if isinstance(error, KafkaError | OSError):
            raise SourceError(f"Kafka does not answer: {said(error)}") from None
        raise
    mapping = mapping_for(config, surroundings)
    return KafkaConnector(
        consumer, topic, partitions, config, mapping=mapping, connector=surroundings.name
    )


def mapping_for(config: KafkaConfig, surroundings: Surroundings) -> RecordMapping:
    """The mapping alone, for records that are tried again."""
    event_id = surroundings.pseudonymiser.event_id
    return mapping_of(config.debezium, surroundings.source, event_id)


async def _partitions(settings: KafkaSettings, topic: str) -> list[int]:
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=_ANSWER_MS)
    try:
        await admin.start()
        [described] = await admin.describe_topics([topic])
    finally:
        await admin.close()
    partitions = sorted(one["partition"] for one in described["partitions"])
    if not partitions:
        raise SourceError(
            f"the broker has no topic {topic}, or does not let ingest see it; "
            "create it, and grant READ and DESCRIBE"
        )
    return partitions


def _inbox(source: str) -> str:
    name = re.split(r"[:/]", source)[-1]
    if not _NAME.fullmatch(name):
        raise SourceError("the source's last part is no name of a topic; set config.topic")
    return INBOX_EVENTS.format(source=name)


KAFKA: Final = Kind(config=KafkaConfig, open=open_connector, mapping=mapping_for)
"""The row of the table of connectors."""
