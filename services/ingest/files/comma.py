"""Reads CSV (RFC 4180, also with semicolons): UTF-8, with or without a byte order mark."""

import codecs
import csv
from collections.abc import Iterator
from typing import IO, Final

from services.ingest.core.rows import Columns, Row, TableError, known_columns

_LONGEST_LINE: Final = 1024 * 1024
_SEPARATORS: Final = (",", ";")
_OTHER_UNICODE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def rows(stream: IO[bytes]) -> Iterator[Row]:
    """The rows below the heading.

    Raises:
        TableError: with the line; what came before it has been read well.
    """
    lines = _Lines(stream)
    reader: Iterator[list[str]] | None = None
    columns: Columns | None = None
    try:
        for first in lines:
            if first.strip():
                break
        else:
            raise TableError("the file is empty; its first row must name the columns")
        separator = _separator(first)
        lines.push_back(first)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        columns = Columns(next(reader))
        while True:
            begins = lines.number + 1
            cells = next(reader, None)
            if cells is None:
                return
            row = columns.row(begins, cells)
            if row is not None:
                yield row
    except csv.Error as error:
        if "limit" in str(error):
            raise TableError(
                f"line {lines.number}: a cell is longer than {csv.field_size_limit():,} signs; "
                "perhaps a quote before it is never closed"
            ) from None
        raise TableError(
            f"line {lines.number}: quotes do not fit; a text in quotes ends with one, and a quote "
            "within it is written twice"
        ) from None


def _separator(heading: str) -> str:
    def known(separator: str) -> int:
        try:
            return known_columns(next(csv.reader([heading], delimiter=separator)))
        except csv.Error:
            return 0

    return max(_SEPARATORS, key=known)


class _Lines:
    """Decodes line by line, so that a fault has a line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._pushed: str | None = None
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def push_back(self, line: str) -> None:
        self._pushed = line
        self.number -= 1

    def __next__(self) -> str:
        self.number += 1
        if self._pushed is not None:
            line, self._pushed = self._pushed, None
            return line
        raw = self._stream.readline(_LONGEST_LINE + 1)
        if not raw:
            self.number -= 1
            raise StopIteration
        if len(raw) > _LONGEST_LINE:
            raise TableError(f"line {self.number}: is longer than {_LONGEST_LINE:,} bytes")
        if self.number == 1:
            if raw.startswith(_OTHER_UNICODE):
                raise TableError("the file is UTF-16; save it as CSV UTF-8")
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if b"\x00" in raw:
            raise TableError(f"line {self.number}: holds the character NUL; save as CSV UTF-8")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise TableError(
                f"line {self.number}: is not UTF-8 (byte {error.start + 1} of the line); "
                "save the file as CSV UTF-8"
            ) from None
