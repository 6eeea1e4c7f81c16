"""From a record to events. Pure."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from contracts.reasons import Reason
from services.ingest.connectors.connector import Event, RecordMapping, UnmappableError
from services.ingest.connectors.kafka.config import DebeziumConfig
from services.ingest.connectors.kafka.debezium import row_of
from services.ingest.connectors.kafka.records import UNREADABLE
from services.ingest.core.declared import map_row

# A number beyond a float becomes infinite, so that its event can be refused for it.
_JSON: Final = msgspec.json.Decoder(float_hook=float)


def mapping_of(
    debezium: DebeziumConfig | None, source: str, event_id: Callable[[bytes], str]
) -> RecordMapping:
    """What makes events of a record's text, by the config.

    Args:
        debezium: the rules for change records; None when records are events.
        source: the CloudEvents source of events that are made by rules.
        event_id: gives an id from what an event says, for rules that name none.
    """
    if debezium is None:
        return _event

    def changed(original: bytes) -> list[dict[str, Any]]:
        # A tombstone follows a deletion, which has been told already.
        if not original:
            return []
        row = row_of(_decoded(original), unwrapped=debezium.unwrapped)
        if row is None:
            return []
        return map_row(row, debezium.events, source=source, event_id=event_id)

    return changed


def _event(original: bytes) -> list[Event]:
    if not original:
        raise UnmappableError(
            "the record has no value; send the event as its value", Reason.BAD_ENVELOPE
        )
    decoded = _decoded(original)
    if not isinstance(decoded, dict):
        raise UnmappableError(
            "the record is no JSON object; send one event a record", Reason.BAD_ENVELOPE
        )
    return [decoded]


def _decoded(original: bytes) -> Any:
    if original == UNREADABLE:
        raise UnmappableError(
            "Kafka's client cannot decode the record: its batch is damaged, or the name of a header "
            "in it is not UTF-8; look for it at its place in the topic and send it again",
            Reason.BAD_ENVELOPE,
        )
    try:
        return _JSON.decode(original)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # msgspec's messages name positions, never content; the others might.
        why = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
        raise UnmappableError(
            f"the record is not JSON in UTF-8: {why}", Reason.BAD_ENVELOPE
        ) from None
