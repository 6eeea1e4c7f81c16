"""Reads a file of events in any form that ingest takes, each with its line."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec

from services.cli.lines import read_lines
from services.ingest.core.rows import EventId, TableError, attributes_of, to_event
from services.ingest.core.verdicts import ObjectionError
from services.ingest.files.reading import FileSettings, form_of, opened
from services.ingest.wire import NotCloudEventsError, Received, read_events

_MARK: Final = b"\xef\xbb\xbf"
_JSON_NAMES: Final = frozenset({".json", ".jsonl", ".ndjson"})
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class UnreadableError(Exception):
    """A file that cannot be read, or not to its end; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Item:
    """An event and the line on which it begins, from 1."""

    line: int
    received: Received


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no JSON."""

    line: int
    why: str


def read_items(
    path: Path, sources: Collection[str], event_id: EventId, sheet: str | None = None
) -> Iterator[Item | Unreadable]:
    """The events of a file, in their order.

    Args:
        path: the file: a JSON array, JSON lines, CSV or XLSX.
        sources: as which rows are sent that name no source.
        event_id: makes the ids of rows that have none.
        sheet: which sheet of a workbook; the first one without it.

    Raises:
        UnreadableError: also while it is read.
    """
    try:
        with path.open("rb") as stream:
            beginning = stream.read(4096)
            stream.seek(0)
            first = beginning.removeprefix(_MARK).lstrip()[:1]
            if first == b"[":
                yield from _array(stream.read().removeprefix(_MARK))
            elif first == b"{" or path.suffix.lower() in _JSON_NAMES:
                yield from _objects(stream)
            else:
                yield from _rows(stream, path.name, beginning, (sources, event_id), sheet)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None
    except TableError as error:
        raise UnreadableError(str(error)) from None


def _array(body: bytes) -> Iterator[Item]:
    try:
        elements = [bytes(element) for element in _ELEMENTS.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"is no JSON array in UTF-8: {error}") from None
    place, line = 0, 1
    for element in elements:
        # Between two elements there are blanks and a comma alone.
        begins = body.index(element, place)
        line += body.count(b"\n", place, begins)
        yield Item(line, _one(element))
        line += element.count(b"\n")
        place = begins + len(element)


def _objects(stream: IO[bytes]) -> Iterator[Item | Unreadable]:
    body = _single(stream)
    if body is not None:
        yield Item(1, _one(body))
        return
    for line in read_lines(stream):
        if line.objection is not None:
            yield Unreadable(line.number, line.objection)
            continue
        try:
            yield Item(line.number, _one(line.text))
        except NotCloudEventsError as error:
            yield Unreadable(line.number, str(error))


def _single(stream: IO[bytes]) -> bytes | None:
    """The whole file if it is one object over several lines; None if it is one a line."""
    try:
        json.loads(stream.readline().removeprefix(_MARK))
    except ValueError:
        stream.seek(0)
        body = stream.read().removeprefix(_MARK)
        try:
            json.loads(body)
        except (ValueError, RecursionError):
            stream.seek(0)
            return None
        return body
    except RecursionError:
        pass
    stream.seek(0)
    return None


def _one(text: bytes) -> Received:
    return read_events("batch", {}, b"[" + text + b"]", max_events=1)[0]


def _rows(
    stream: IO[bytes],
    name: str,
    beginning: bytes,
    known: tuple[Collection[str], EventId],
    sheet: str | None,
) -> Iterator[Item]:
    sources, event_id = known
    limits = FileSettings.model_construct(max_rows=10_000_000)
    with opened(stream, form_of(name, beginning), limits, sheet) as rows:
        for row in rows:
            original = row.original()
            try:
                event = to_event(row, sources=sources, event_id=event_id)
            except ObjectionError as objection:
                attributes = attributes_of(row, sources)
                yield Item(row.line, Received(0, attributes, original, objection))
            else:
                yield Item(row.line, Received(0, event, original))
