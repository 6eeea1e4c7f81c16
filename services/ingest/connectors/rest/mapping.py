"""From a record of the API to events; pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.times import parse_rfc3339
from services.ingest.connectors.connector import Event, UnmappableError
from services.ingest.connectors.rest.config import RestConfig, Watermark
from services.ingest.core.declared import columns_of, map_row
from services.ingest.core.declared_values import MISSING, UnreadableError, look_up, moment


def events_of(
    original: bytes, config: RestConfig, *, source: str, event_id: Callable[[bytes], str]
) -> Sequence[Event]:
    """The events of a record.

    Raises:
        UnmappableError: it is no object.
        ObjectionError: names the rule and the field of the mapping.
    """
    record: Any = json.loads(original)
    if not isinstance(record, dict):
        raise UnmappableError("the record is no JSON object; look at the pointer `records`")
    return map_row(record, config.mapping.events, source=source, event_id=event_id)


def original_of(record: Any, config: RestConfig) -> bytes:
    """What is kept of a record: the members that the mapping looks at, always written alike."""
    if isinstance(record, dict):
        wanted = columns_of(config.mapping.events)
        record = {name: record[name] for name in sorted(wanted & record.keys())}
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


def changed_at(record: Any, watermark: Watermark) -> datetime | None:
    """When a record changed last; None if it does not say so in the form that was declared."""
    if not isinstance(record, Mapping):
        return None
    value = look_up(record, watermark.field)
    if value is MISSING or value is None:
        return None
    try:
        return parse_rfc3339(moment(value, watermark.form, watermark.zone))
    except UnreadableError:
        return None
