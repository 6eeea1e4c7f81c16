"""Fixtures of tests that run ingest as a process."""

import pytest

from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS, TOPIC_CONFIGS
from services.chassis.kafka import ensure_topics
from services.chassis.settings import KafkaSettings


@pytest.fixture(scope="module")
async def topics(kafka: str) -> None:
    """Ingest's topics, so that they can be followed before it has started."""
    settings = KafkaSettings(bootstrap_servers=kafka, partitions=4)
    await ensure_topics(
        settings, {one: TOPIC_CONFIGS[one] for one in (SUBJECT_EVENTS, REJECTED_EVENTS)}
    )
