"""Reads a growing file from where it was last read to."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.ingest.connectors.connector import (
    Connector,
    Cursor,
    Event,
    Kind,
    Page,
    SourceError,
    SourceRecord,
    Surroundings,
)
from tests.fakes.lines.config import LinesConfig
from tests.fakes.lines.mapping import map_line

_MOST_LINES: Final = 500


class LinesConnector:
    """One open file; its cursor is the number of bytes that were read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self, cursor: Cursor | None) -> Page:
        """Read whole lines; what its writer has not ended yet waits for the next reading."""
        return await asyncio.to_thread(self._read, cursor or 0)

    def _read(self, start: int) -> Page:
        records: list[SourceRecord] = []
        place = start
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                while len(records) < _MOST_LINES and (line := file.readline()).endswith(b"\n"):
                    records.append(SourceRecord(f"byte {place}", line))
                    place += len(line)
        except OSError as error:
            raise SourceError(
                f"{self._path}: {error.strerror}; is it there, and readable?"
            ) from None
        return Page(records, place, is_last=len(records) < _MOST_LINES)

    def map(self, original: bytes) -> Sequence[Event]:
        """See `map_line`."""
        return map_line(original)

    async def close(self) -> None:
        """Nothing stays open between two readings."""


async def _open(config: LinesConfig, _: Surroundings) -> Connector:
    return LinesConnector(config.path)


LINES: Final = Kind(LinesConfig, _open)
