"""Refused records: what scoring could not read, sealed for ingest and told to operators."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from joserfc.jwk import ECKey

from contracts.rejected import RejectedEvent, TopicOrigin, seal
from contracts.topics import SUBJECT_EVENTS
from services.scoring.core.records import UnreadableError
from services.scoring.shard import Refusal, Refuse

_NAMESPACE: Final = UUID("6f0f6d1a-5f0b-4d0e-9f39-0c4c4f1c2a11")

#: The record's source is not trusted to be readable, so all refusals of scoring share one key.
_SOURCE: Final = "unknown"


def refusing(public_key: ECKey, topic: str = SUBJECT_EVENTS) -> Refuse:
    """A function that makes refusals of the topic's records.

    Their originals are opened by the holder of the private key alone.
    """

    def refuse(
        shard: int, offset: int, value: bytes | None, error: UnreadableError, now: datetime
    ) -> Refusal:
        original = value or b""
        rejected = RejectedEvent(
            # The same record gives the same id, so telling of it twice is harmless.
            id=uuid5(_NAMESPACE, f"{topic}/{shard}/{offset}"),
            reason=error.reason,
            detail=error.detail,
            rejected_at=now,
            stage="scoring",
            caller=None,
            source=None,
            event_id=None,
            event_type=None,
            origin=TopicOrigin(topic=topic, partition=shard, offset=offset),
            original_bytes=len(original),
            sealed=seal(public_key, original),
        )
        return Refusal(offset, _SOURCE, rejected.model_dump_json())

    return refuse
