"""Events written as the rows of a table, a column an attribute or a field of `data`.

| column | |
|---|---|
| `type` | the event type, with or without ``vn.nhipso.`` |
| `subject` | ``citizen:<12 digits>`` and so on |
| `time` | when it happened |
| `id` | may be left out: then the same content has the same id |
| `source` | may be left out by who sends as one source alone |
| `level` or `data.level` | a field of `data`, by its name |
| `#…` | a remark, which is not read |

Columns may stand in any order; a file may hold events of several types, whose cells are empty where
a type has no such field. What a row says is judged like any other event, by `check`.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.events import EVENT_MODELS, TYPE_PREFIX
from contracts.reasons import Reason
from services.ingest.core.cells import (
    Cell,
    CellError,
    is_empty,
    is_nullable,
    reader_of,
    to_moment,
    to_text,
)
from services.ingest.core.envelope import JSON
from services.ingest.core.identifiers import redact
from services.ingest.core.verdicts import ObjectionError

EventId = Callable[[bytes], str]
"""Makes an id of an event's content; keyed, since the content names a citizen."""

ATTRIBUTES: Final = ("id", "type", "subject", "time", "source")
_canonical: Final = json.JSONEncoder(sort_keys=True).encode
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode
_REQUIRED: Final = ("type", "subject", "time")
_DATA: Final = "data."
_REMARK: Final = "#"
#: Holds what stands to the right of the last heading.
_BEYOND: Final = ""


class TableError(ValueError):
    """A table that cannot be read, or not to its end; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class _Field:
    read: Callable[[Cell], Any]
    is_null_when_empty: bool


def _fields_of(event_type: str) -> dict[str, _Field]:
    data = EVENT_MODELS[event_type].model_json_schema()["$defs"]
    name = EVENT_MODELS[event_type].model_fields["data"].annotation
    schema = data[getattr(name, "__name__", "")]
    required = schema.get("required", ())
    return {
        field: _Field(reader_of(described), field in required and is_nullable(described))
        for field, described in schema["properties"].items()
    }


_FIELDS: Final = {event_type: _fields_of(event_type) for event_type in EVENT_MODELS}
_KNOWN_FIELDS: Final = frozenset(name for fields in _FIELDS.values() for name in fields)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it begins (from 1, with the heading) and its cells by column, none empty."""

    line: int
    cells: Mapping[str, Cell]

    def original(self) -> bytes:
        """The row as JSON text, for `row_of`."""
        return _encode({"line": self.line, "cells": self.cells}).encode()


def row_of(original: bytes) -> Row:
    """The row whose `original` this is.

    Raises:
        ObjectionError: when it is no row.
    """
    try:
        decoded = json.loads(original)
        return Row(int(decoded["line"]), dict(decoded["cells"]))
    except (ValueError, TypeError, KeyError):
        raise ObjectionError(Reason.BAD_ENVELOPE, "is not a row of a table") from None


class Columns:
    """The heading of a table."""

    def __init__(self, headings: Sequence[Cell]) -> None:
        """Read a heading.

        Raises:
            TableError: for a column that is missing, unknown or there twice.
        """
        self._names = [_column(heading, place) for place, heading in enumerate(headings, start=1)]
        named = [name for name in self._names if name is not None]
        for name in named:
            if named.count(name) > 1:
                raise TableError(f"two columns are called {_short(name)}; keep one of them")
        for name in _REQUIRED:
            if name not in named:
                raise TableError(
                    f"the heading has no column {name}; the first row must name the columns: "
                    "type, subject, time and the fields of data"
                )

    def row(self, line: int, cells: Sequence[Cell]) -> Row | None:
        """The row of these cells; None when all are empty."""
        found = {
            name: cell
            for name, cell in zip(self._names, cells, strict=False)
            if name is not None and not is_empty(cell)
        }
        if any(not is_empty(cell) for cell in cells[len(self._names) :]):
            found[_BEYOND] = True
        return Row(line, found) if found else None


def known_columns(headings: Sequence[Cell]) -> int:
    """How many of these are columns; tells which sign parts the cells of a text."""
    return sum(1 for heading in headings if _plain(heading) in _KNOWN_FIELDS.union(ATTRIBUTES))


def _plain(heading: Cell) -> str:
    return str(heading or "").strip().lower().removeprefix(_DATA)


def _short(name: str) -> str:
    return name.removeprefix(_DATA)


def _column(heading: Cell, place: int) -> str | None:
    text = "" if heading is None else str(heading).strip().lower()
    if not text or text.startswith(_REMARK):
        return None
    if text in ATTRIBUTES:
        return text
    field = text.removeprefix(_DATA)
    if field not in _KNOWN_FIELDS:
        # Something is in place of a heading: perhaps a row, with somebody's number in it.
        shown = redact(text) if re.fullmatch(r"[\w.#-]{1,40}", text) else "at that place"
        raise TableError(
            f"column {place} ({shown}) is neither an attribute ({', '.join(ATTRIBUTES)}) nor a "
            "field of any event; correct its heading, or begin it with # to have it skipped"
        )
    return _DATA + field


def attributes_of(row: Row, sources: Collection[str]) -> dict[str, Any]:
    """The row's attributes as far as they can be read, so that a refusal can name them."""
    found: dict[str, Any] = {"specversion": "1.0", "datacontenttype": JSON}
    for name in ATTRIBUTES:
        cell = row.cells.get(name)
        if isinstance(cell, str):
            found[name] = cell.strip()
    if "type" in found:
        found["type"] = _full_type(found["type"])
    if "source" not in found and len(sources) == 1:
        (found["source"],) = sources
    return found


def to_event(row: Row, *, sources: Collection[str], event_id: EventId) -> dict[str, Any]:
    """Make the event of a row, in edge form.

    Args:
        row: the row.
        sources: as which the caller may send; a row without a source means the only one.
        event_id: makes the id of a row without one.

    Raises:
        ObjectionError: naming the column and what to write, never what stands there.
    """
    cells = row.cells
    if _BEYOND in cells:
        raise ObjectionError(
            Reason.BAD_ENVELOPE,
            "the row has more cells than the heading; put texts that hold the separator in quotes",
        )
    for name in _REQUIRED:
        if name not in cells:
            raise _objection(name, CellError("is empty; every event has one"))
    event = attributes_of(row, sources)
    event["type"] = event_type = _full_type(_read("type", to_text, cells["type"]))
    event["subject"] = _read("subject", to_text, cells["subject"])
    event["time"] = _read("time", to_moment, cells["time"])
    event["source"] = _source(cells, sources)
    fields = _FIELDS.get(event_type)
    if fields is None:
        raise ObjectionError(
            Reason.UNKNOWN_TYPE,
            "column type: is none of the contract's; GET /v1/schemas lists them, such as "
            "identity.eid-changed.v1",
        )
    event["data"] = _data(cells, fields)
    if "id" in cells:
        event["id"] = _read("id", to_text, cells["id"])
    else:
        event["id"] = event_id(_canonical(event).encode())
    return event


def _full_type(text: str) -> str:
    return text if text.startswith(TYPE_PREFIX) else TYPE_PREFIX + text


def _source(cells: Mapping[str, Cell], sources: Collection[str]) -> str:
    if "source" in cells:
        written: str = _read("source", to_text, cells["source"])
        return written
    if len(sources) != 1:
        allowed = ", ".join(sorted(sources)) or "none"
        raise _objection("source", CellError(f"is empty; write as which source: {allowed}"))
    (source,) = sources
    return source


def _data(cells: Mapping[str, Cell], fields: Mapping[str, _Field]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, field in fields.items():
        cell = cells.get(_DATA + name)
        if cell is not None:
            data[name] = _read(name, field.read, cell)
        elif field.is_null_when_empty:
            data[name] = None
    for column, cell in cells.items():
        name = column.removeprefix(_DATA)
        if column.startswith(_DATA) and name not in fields:
            data[name] = cell  # dropped and counted where all such fields are
    return data


def _read(column: str, read: Callable[[Cell], Any], cell: Cell) -> Any:
    try:
        return read(cell)
    except CellError as error:
        raise _objection(column, error) from None


#: What is at fault when a column is.
_REASONS: Final = {
    "id": Reason.BAD_ENVELOPE,
    "type": Reason.BAD_ENVELOPE,
    "source": Reason.BAD_ENVELOPE,
    "subject": Reason.BAD_SUBJECT,
    "time": Reason.BAD_TIME,
    "area": Reason.BAD_DATA,
}


def _objection(column: str, error: CellError) -> ObjectionError:
    return ObjectionError(_REASONS.get(column, Reason.BAD_DATA), f"column {column}: {error}")
