"""Opens a file of rows, whatever its form, and reads it a row at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import PurePath
from typing import IO, Final

from pydantic import Field

from services.chassis.settings import Settings
from services.ingest.core.rows import Row, TableError
from services.ingest.files import comma, workbook

_MIB: Final = 1024 * 1024
_ZIP_MAGIC: Final = b"PK\x03\x04"
_OLD_MAGIC: Final = b"\xd0\xcf\x11\xe0"


class Form(StrEnum):
    """The forms of a file of rows."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES: Final = {
    "text/csv": Form.CSV,
    "application/csv": Form.CSV,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Form.XLSX,
}


class FileSettings(Settings):
    """Limits of files of rows."""

    max_bytes: int = Field(default=28 * _MIB, ge=1024, le=1024 * _MIB)
    """Largest file, after decompression; it lies in the folder of temporary files meanwhile."""
    max_rows: int = Field(default=500_000, ge=1)
    """Most rows of one file."""
    at_once: int = Field(default=2, ge=1)
    """Files read at once from requests; one beyond it is told to come again."""
    workbook_bytes: int = Field(default=384 * _MIB, ge=256 * _MIB)
    """Memory that the process which opens a workbook may take."""
    workbook_seconds: int = Field(default=120, ge=1)
    """Processor time that it may take."""


def form_of(name: str, beginning: bytes) -> Form:
    """Which form a file has, by its first bytes and its name.

    Raises:
        TableError: when it is of none; the message says how to save it.
    """
    if beginning.startswith(_ZIP_MAGIC):
        return Form.XLSX
    suffix = PurePath(name).suffix.lower()
    if beginning.startswith(_OLD_MAGIC) or suffix == ".xls":
        raise TableError(
            "this is a workbook of the old kind, or one with a password; save it as .xlsx without"
        )
    if suffix in (".csv", ".txt", ""):
        return Form.CSV
    if suffix == ".xlsx":
        raise TableError("this is no .xlsx workbook; open it and save it as one, or as CSV UTF-8")
    raise TableError("only .csv and .xlsx files are read; save it as one of them")


@contextmanager
def opened(
    stream: IO[bytes], form: Form, limits: FileSettings, sheet: str | None = None
) -> Iterator[Iterator[Row]]:
    """The rows of a file, from its beginning; close the context to let go of what reads it.

    Args:
        stream: a file that the system has open (a workbook is read by another process).
        form: what it is.
        limits: how much of it is taken.
        sheet: which sheet of a workbook; the first one without it.

    Raises:
        TableError: also while rows are read; the rows before have been read well.
    """
    stream.seek(0)
    if form is Form.CSV:
        yield _bounded(comma.rows(stream), limits.max_rows)
        return
    with workbook.opened(
        stream, sheet, memory=limits.workbook_bytes, seconds=limits.workbook_seconds
    ) as rows:
        yield _bounded(rows, limits.max_rows)


def piece(rows: Iterator[Row], size: int) -> list[Row]:
    """The next rows; none at the end."""
    return list(islice(rows, size))


def _bounded(rows: Iterator[Row], most: int) -> Iterator[Row]:
    for count, row in enumerate(rows, start=1):
        if count > most:
            raise TableError(
                f"line {row.line}: a file may have {most:,} rows; send the others as another file"
            )
        yield row
