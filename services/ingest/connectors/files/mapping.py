"""From a row of a file to its event."""

from services.ingest.connectors.connector import Event
from services.ingest.core.rows import EventId, row_of, to_event


def map_row(original: bytes, *, source: str, event_id: EventId) -> list[Event]:
    """Make the one event of a row.

    Raises:
        ObjectionError: naming the column and what to write.
    """
    return [to_event(row_of(original), sources=[source], event_id=event_id)]
