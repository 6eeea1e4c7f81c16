"""From a record of ``rejected-events.v1`` to a row. Pure."""

import json
from typing import Final

from pydantic import ValidationError

from contracts.rejected import ConnectorOrigin, RejectedEvent
from services.ingest.core.identifiers import redact

#: Longer texts are cut: an index takes so much, and nobody reads more.
LONGEST_TEXT: Final = 512
_LARGEST_BIGINT: Final = 2**63 - 1

Row = tuple[object, ...]
"""In the order of the parameters of `insert`."""


def row_of(value: bytes | None) -> Row | None:
    """The row of a record; None of one that is no rejection."""
    try:
        rejected = RejectedEvent.model_validate_json(value or b"")
    except (ValidationError, UnicodeError):
        return None
    if rejected.original_bytes > _LARGEST_BIGINT or "\x00" in rejected.sealed:
        return None
    origin = rejected.origin
    connector = origin.connector if isinstance(origin, ConnectorOrigin) else None
    return (
        rejected.id,
        rejected.rejected_at,
        rejected.stage,
        rejected.reason.value,
        _shown(rejected.detail),
        _fit(rejected.caller),
        [fit(source) for source in rejected.caller_sources],
        [fit(domain) for domain in rejected.caller_domains],
        # The name of a source of the caller's own was given by the province: it is nobody's number.
        (_fit if rejected.source in rejected.caller_sources else _shown)(rejected.source),
        _shown(rejected.event_id),
        _shown(rejected.event_type),
        origin.via,
        _fit(connector),
        json.dumps({name: _member(member) for name, member in origin.model_dump().items()}),
        rejected.original_bytes,
        rejected.sealed,
    )


def fit(text: str) -> str:
    """A text as PostgreSQL takes it: without NUL, and not too long."""
    return text.replace("\x00", "\ufffd")[:LONGEST_TEXT]


def _fit(text: str | None) -> str | None:
    return None if text is None else fit(text)


def _shown(text: str | None) -> str | None:
    """Masked already by who wrote the record; the room's law does not rest on that."""
    return None if text is None else fit(redact(text))


def _member(value: object) -> object:
    return _shown(value) if isinstance(value, str) else value
