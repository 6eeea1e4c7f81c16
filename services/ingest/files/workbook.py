"""Reads a workbook (XLSX) in a process of its own, within bounds of memory and time.

A workbook is an archive that can unfold to any size, and its sheet is held whole by whoever reads
it. So another process opens it, which the system stops at its bounds, and hands over row after row
as they are asked for: neither a bomb nor a large sheet is felt here.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from services.ingest.core.identifiers import redact
from services.ingest.core.rows import Columns, Row, TableError

_PROGRAM: Final = Path(__file__).parent / "workbook_process.py"
_GRACE_SECONDS: Final = 5.0
_decode = msgspec.json.Decoder().decode


@contextmanager
def opened(
    stream: IO[bytes], sheet: str | None, *, memory: int, seconds: int
) -> Iterator[Iterator[Row]]:
    """The rows of a sheet below its heading; the process ends with the context.

    Raises:
        TableError: also while rows are read.
    """
    # The other process shares the place in the file, and knows nothing of what was read ahead here.
    os.lseek(stream.fileno(), 0, os.SEEK_SET)
    # Nothing of our environment is its business. Its complaints could show cells.
    process = subprocess.Popen(  # noqa: S603 - a program of ours
        [sys.executable, "-I", str(_PROGRAM), str(memory), str(seconds), sheet or ""],
        stdin=stream.fileno(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"RUST_BACKTRACE": "0"},
    )
    try:
        yield _rows(process, memory)
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()
        process.wait(_GRACE_SECONDS)


def _rows(process: subprocess.Popen[bytes], memory: int) -> Iterator[Row]:
    columns: Columns | None = None
    for number, cells in _told(process, memory):
        if columns is None:
            columns = Columns(cells)
            continue
        row = columns.row(number, cells)
        if row is not None:
            yield row
    if columns is None:
        raise TableError("the sheet is empty; its first row must name the columns")


def _told(process: subprocess.Popen[bytes], memory: int) -> Iterator[tuple[int, list[Any]]]:
    ended = False
    for line in process.stdout or ():
        told = _decode(line)
        if "refused" in told:
            raise TableError(redact(told["refused"]))
        if "end" in told:
            ended = True
            break
        yield told["row"], told["cells"]
    if not ended:
        raise TableError(
            f"the workbook needs more than {memory >> 20} MiB of memory, or is too large to read in "
            "time; split it, save it as CSV UTF-8, or delete stray cells far from the table"
        )
