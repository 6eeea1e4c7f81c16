"""Topics: created if absent, never changed."""

from collections.abc import Mapping
from typing import Final

import stamina
import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)

from services.chassis.kafka_client import client_options
from services.chassis.settings import KafkaSettings

START_SECONDS: Final = 60.0
"""How long a broker that is just starting is waited for."""

_REQUEST_MS: Final = 10_000


class TopicError(Exception):
    """A topic could not be created; the message says which, and the broker's reason."""


async def ensure_topics(settings: KafkaSettings, topics: Mapping[str, Mapping[str, str]]) -> None:
    """Create the topics that are missing: name → broker's configuration of the topic.

    A topic that exists is left as it is, also if its configuration differs, and so is one that
    another process creates at the same moment. A broker that does not answer yet is tried again
    for 60 seconds.

    Raises:
        TopicError: the broker refuses a topic.
        aiokafka.errors.KafkaError: the broker does not answer.
    """
    async for attempt in stamina.retry_context(
        on=(KafkaError, OSError),
        attempts=None,
        timeout=START_SECONDS,
        wait_initial=0.2,
        wait_max=3.0,
    ):
        with attempt:
            await _ensure_once(settings, topics)


async def _ensure_once(settings: KafkaSettings, topics: Mapping[str, Mapping[str, str]]) -> None:
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=_REQUEST_MS)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        missing = [name for name in topics if name not in existing]
        if not missing:
            return
        new = [
            NewTopic(
                name,
                settings.partitions,
                settings.replication_factor,
                topic_configs=dict(topics[name]),
            )
            for name in missing
        ]
        try:
            answer = await admin.create_topics(new)
        except AttributeError as error:
            # So aiokafka 0.14 fails while a cluster that starts has no controller.
            raise KafkaConnectionError("the cluster has no controller yet") from error
        for name, code, *message in answer.topic_errors:
            _check(name, code, message[0] if message else None)
    finally:
        await admin.close()


def _check(topic: str, code: int, message: str | None) -> None:
    log = structlog.get_logger(__name__)
    error = for_code(code)
    if code == 0:
        log.info("topic created", topic=topic)
    elif error is TopicAlreadyExistsError:
        log.info("topic exists already", topic=topic)
    elif error.retriable or error is InvalidReplicationFactorError:
        # Too few brokers for the replication factor is how a cluster looks while it starts.
        raise error(f"{topic}: {message or error.__name__}")
    else:
        raise TopicError(
            f"the broker refuses topic {topic}: {message or error.__name__}; "
            "check its configuration and the broker's rights"
        )
