"""Reads the files of a folder, one after the other, a piece at a time.

The cursor is the file and the last line of it that was taken. A file is moved away after the cursor
behind its last row was kept, so that whatever happens in between is repeated and nothing is lost.
"""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.ingest.connectors.connector import (
    Cursor,
    Event,
    Kind,
    Page,
    RecordMapping,
    SourceError,
    SourceRecord,
    Surroundings,
    position_in,
)
from services.ingest.connectors.files.config import FilesConfig
from services.ingest.connectors.files.folder import Fault, Folder, Waiting
from services.ingest.connectors.files.mapping import map_row
from services.ingest.core.blame import field_at_fault
from services.ingest.core.identifiers import redact
from services.ingest.core.rows import Row, TableError
from services.ingest.core.verdicts import Refused
from services.ingest.files.reading import FileSettings, form_of, opened

_MOST_RECORDS: Final = 500
_MOST_BYTES: Final = 4 * 1024 * 1024


class Place(BaseModel):
    """How far a file has been read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    """Its name; a long number in it is masked."""
    identity: str
    line: int
    ended: bool = False


@dataclass(slots=True)
class _Open:
    """The file that is being read."""

    waiting: Waiting
    rows: Iterator[Row]
    line: int
    closing: ExitStack
    failure: str | None = None
    lines: list[int] = field(default_factory=list)
    """Those of the page that was read last."""

    def is_at(self, place: Place) -> bool:
        return (self.waiting.identity, self.line) == (place.identity, place.line)


class FilesConnector:
    """One watched folder."""

    def __init__(self, config: FilesConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._surroundings = surroundings
        self._events_of = mapping_for(config, surroundings)
        self._limits = FileSettings.model_construct(
            max_bytes=config.max_bytes, max_rows=config.max_rows
        )
        self._folder = Folder(
            config.folder, config.settled_seconds, surroundings.pseudonymiser.event_id
        )
        self._open: _Open | None = None
        # A reading that was given up goes on in its thread; whoever closes waits for its end, else
        # a workbook whose process was stopped would look like one that cannot be read.
        self._turn = threading.Lock()
        self._closed = False

    async def read(self, cursor: Cursor | None) -> Page:
        """Read on: the next rows of the file, or of the next one.

        Raises:
            SourceError: the folder cannot be used, or the cursor is another kind's.
        """
        try:
            return await asyncio.to_thread(self._read_in_turn, cursor)
        except OSError as error:
            raise SourceError(
                f"{self._config.folder}: {error.strerror or type(error).__name__}; "
                "the folder must be there, and ingest must be able to write in it"
            ) from None

    def map(self, original: bytes) -> Sequence[Event]:
        """Make the event of a row."""
        return self._events_of(original)

    async def heard(self, refusals: Sequence[tuple[int, Refused]]) -> None:
        """Remember which rows of the last page were refused, for the report."""
        current = self._open
        if current is None:
            return
        faults = [
            Fault(
                current.lines[index],
                field_at_fault(verdict.reason, verdict.detail),
                verdict.reason.value,
                verdict.detail,
            )
            for index, verdict in refusals
        ]
        await asyncio.to_thread(self._folder.refuse, current.waiting.identity, faults)

    async def close(self) -> None:
        """Let go of the file, and of the process that reads a workbook."""
        await asyncio.to_thread(self._close_in_turn)

    def _read_in_turn(self, cursor: Cursor | None) -> Page:
        with self._turn:
            if self._closed:
                raise SourceError("the connector is closed")
            return self._read(cursor)

    def _close_in_turn(self) -> None:
        with self._turn:
            self._closed = True
            self._close()

    def _read(self, cursor: Cursor | None) -> Page:
        place = None if cursor is None else position_in(cursor, Place, "files")
        self._folder.prepare()
        if place is not None and place.ended:
            self._finish(place)
            place = None
        current = self._open
        if current is not None and place is not None and current.is_at(place):
            if (page := self._page(current)) is not None:
                return page
            place = None
        waiting = self._folder.waiting(self._surroundings.clock.now().timestamp())
        current = self._current(place, waiting)
        while current is not None:
            page = self._page(current)
            if page is not None:
                return page
            # It could not be read, so the next one is taken.
            waiting = [one for one in waiting if one.path != current.waiting.path]
            current = self._current(None, waiting)
        return Page([], cursor, is_last=True)

    def _current(self, place: Place | None, waiting: list[Waiting]) -> _Open | None:
        """The file to read on, open at its place."""
        found = None
        if place is not None:
            found = next((one for one in waiting if one.identity == place.identity), None)
            if found is None:
                self._folder.forget(place.identity)
        chosen = found or next(iter(waiting), None)
        line = place.line if place is not None and found is not None else 0
        self._close()
        if chosen is None:
            return None
        self._open = self._opened(chosen, line)
        return self._open

    def _opened(self, waiting: Waiting, line: int) -> _Open:
        closing = ExitStack()
        rows: Iterator[Row] = iter(())
        failure: str | None = None
        try:
            stream = closing.enter_context(waiting.path.open("rb"))
            if waiting.size > self._limits.max_bytes:
                raise TableError(  # noqa: TRY301 - told like any other fault of the file
                    f"the file is larger than {self._limits.max_bytes:,} bytes; split it"
                )
            form = form_of(waiting.path.name, stream.read(8))
            rows = closing.enter_context(opened(stream, form, self._limits, self._config.sheet))
        except TableError as error:
            failure = str(error)
        except OSError:
            closing.close()
            raise
        return _Open(waiting, (row for row in rows if row.line > line), line, closing, failure)

    def _page(self, current: _Open) -> Page | None:
        """The next rows; None when the file could not be read and was put aside."""
        rows: list[Row] = []
        records: list[SourceRecord] = []
        size = 0
        ended = False
        # A name may be no text at all.
        name = redact(current.waiting.path.name.encode(errors="replace").decode())
        while current.failure is None and len(records) < _MOST_RECORDS and size < _MOST_BYTES:
            try:
                row = next(current.rows, None)
            except TableError as error:
                current.failure = str(error)
                break
            if row is None:
                ended = True
                break
            rows.append(row)
            records.append(SourceRecord(f"{name}, line {row.line}", row.original()))
            size += len(records[-1].original)
        if current.failure is not None and not records:
            self._close()
            self._folder.fail(current.waiting, current.failure)
            return None
        current.lines = [row.line for row in rows]
        current.line = rows[-1].line if rows else current.line
        place = Place(file=name, identity=current.waiting.identity, line=current.line, ended=ended)
        return Page(records, place.model_dump(), is_last=False)

    def _finish(self, place: Place) -> None:
        """Put a file aside that was read to its end, unless it has been changed meanwhile."""
        self._close()
        for one in self._folder.waiting(float("inf")):
            if one.identity == place.identity:
                self._folder.finish(one)
                return
        self._folder.forget(place.identity)

    def _close(self) -> None:
        if self._open is not None:
            self._open.closing.close()
            self._open = None


async def open_connector(config: FilesConfig, surroundings: Surroundings) -> FilesConnector:
    """Open the connector; nothing is read yet."""
    return FilesConnector(config, surroundings)


def mapping_for(_: FilesConfig, surroundings: Surroundings) -> RecordMapping:
    """The mapping alone, for records that are tried again."""
    return partial(
        map_row, source=surroundings.source, event_id=surroundings.pseudonymiser.event_id
    )


FILES: Final = Kind(config=FilesConfig, open=open_connector, mapping=mapping_for)
"""The row of the table of connectors."""
