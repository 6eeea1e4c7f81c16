"""From what a row holds to events; pure."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from services.ingest.connectors.connector import Event, UnmappableError
from services.ingest.connectors.postgres.config import PostgresConfig
from services.ingest.core.declared import map_row

# A number beyond a float becomes infinite, so that its own event can be refused for it.
_JSON: Final = msgspec.json.Decoder(float_hook=float)


def events_of(
    original: bytes, config: PostgresConfig, *, source: str, event_id: Callable[[bytes], str]
) -> Sequence[Event]:
    """The events of a row.

    Raises:
        UnmappableError: an outbox's row holds no event.
        ObjectionError: names the rule and the field of the mapping.
    """
    if config.mapping is None:
        return [_whole_event(original, config.event_column)]
    row: dict[str, Any] = json.loads(original, parse_float=Decimal)
    return map_row(row, config.mapping.events, source=source, event_id=event_id)


def _whole_event(original: bytes, column: str | None) -> Event:
    try:
        event = _JSON.decode(original)
    except msgspec.DecodeError:
        event = None
    if not isinstance(event, dict):
        raise UnmappableError(
            f"the column {column} holds no JSON object; write an event in edge form into it"
        )
    return event
