"""What a sent report says before it is judged: cells with their places."""

from dataclasses import dataclass
from typing import Any, Final

from services.ingest.reports.core.faults import Place

#: More rows are not read; no form has a tenth of them.
MOST_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, as a spreadsheet, a line of CSV or JSON holds it.

    `percent` says that a spreadsheet shows it as a percentage, so 0.142 means 14.2 %; `formula`
    that it holds a formula without a result; `merged` is the range that it is merged in.
    """

    raw: Any
    place: Place
    percent: bool = False
    formula: bool = False
    merged: str | None = None


@dataclass(frozen=True, slots=True)
class SentRow:
    """One row of a report."""

    indicator: Cell
    numerator: Cell
    denominator: Cell
    value: Cell
    note: Cell

    @property
    def figures(self) -> tuple[Cell, Cell, Cell]:
        """The cells in which figures stand."""
        return self.numerator, self.denominator, self.value


@dataclass(frozen=True, slots=True)
class Sent:
    """A report as it was sent; it may say itself whose it is and of which period.

    `long_numbers` are the places, anywhere in the file, of what could be a citizen's number.
    """

    area: str | None
    period: str | None
    rows: tuple[SentRow, ...]
    long_numbers: tuple[Place, ...] = ()
