"""Finds what could be a citizen's number anywhere in a file: the file is kept, such a number is not."""

from collections.abc import Iterable

from services.ingest.core.identifiers import redact
from services.ingest.reports.core.faults import Place
from services.ingest.reports.core.numbers import LARGEST
from services.ingest.reports.core.sent import Cell


def long_numbers(cells: Iterable[Cell]) -> tuple[Place, ...]:
    """Where a text holds twelve digits or more, or a number is larger than any figure.

    A citizen's number that a spreadsheet took for a number has lost its zeros, but is larger still.
    """
    return tuple(cell.place for cell in cells if _is_long(cell.raw))


def _is_long(raw: object) -> bool:
    if isinstance(raw, str):
        return redact(raw) != raw
    return isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) > LARGEST
