"""From a line to its event."""

import msgspec

from services.ingest.connectors.connector import Event, UnmappableError


def map_line(line: bytes) -> list[Event]:
    """Read one event in edge form; an empty line is none.

    Raises:
        UnmappableError: the line is not a JSON object.
    """
    if not line.strip():
        return []
    try:
        return [msgspec.json.decode(line, type=dict)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnmappableError("the line is not a JSON object; write one event a line") from None
