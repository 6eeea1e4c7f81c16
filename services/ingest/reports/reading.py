"""Reads what was sent: the form as XLSX, or rows as CSV or JSON."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

from openpyxl.utils import get_column_letter

from services.ingest.reports import layout
from services.ingest.reports.core.faults import Code, Fault, Language, Place
from services.ingest.reports.core.numbers import is_empty
from services.ingest.reports.core.personal import long_numbers
from services.ingest.reports.core.sent import MOST_ROWS, Cell, Sent, SentRow
from services.ingest.reports.workbook import Grid, WorkbookError, read_workbook

_FIELDS: Final = ("indicator", "numerator", "denominator", "value", "note")
_HEADINGS: Final = dict(
    zip(
        _FIELDS,
        (layout.INDICATOR, layout.NUMERATOR, layout.DENOMINATOR, layout.VALUE, layout.NOTE),
        strict=True,
    )
)
#: Heading as it is compared → field.
_FIELD_OF: Final = (
    {heading.casefold(): name for name, heading in _HEADINGS.items()}
    | {name: name for name in _FIELDS}
    | {"mã chỉ tiêu": "indicator"}
)
_DELIMITERS: Final = ";,\t"


class UnreadableError(Exception):
    """Nothing can be said of single cells, because the file or its headings cannot be read."""

    def __init__(self, code: Code, **values: Mapping[Language, str] | str) -> None:
        super().__init__(code)
        self._code = code
        self._values = values

    def fault(self, language: Language) -> Fault:
        """The fault, with its values in the language."""
        values = {
            name: value if isinstance(value, str) else value[language]
            for name, value in self._values.items()
        }
        return Fault(self._code, values=values)


def read_report(media_type: str, content: bytes) -> Sent:
    """Read a report; of large workbooks better in a thread.

    Raises:
        UnreadableError: the file is not of its media type, or the table is not found in it.
        KeyError: the media type is none of the three.
    """
    readers: dict[str, Callable[[bytes], Sent]] = {
        layout.XLSX: _workbook,
        layout.CSV: _csv,
        layout.JSON: _json,
    }
    return readers[media_type](content)


def _unreadable(vi: str, en: str) -> UnreadableError:
    why: dict[Language, str] = {"vi": vi, "en": en}
    return UnreadableError(Code.UNREADABLE, why=why)


def _workbook(content: bytes) -> Sent:
    try:
        workbook = read_workbook(content)
    except WorkbookError as error:
        raise _unreadable(error.vi, error.en) from None
    grid = workbook.sheets.get(layout.SHEET)
    if grid is None:
        raise UnreadableError(Code.NO_SHEET, sheet=layout.SHEET)
    marks = _marks(workbook.sheets.get(layout.MARKS_SHEET))
    texts = [Cell(text, Place("", "")) for text in workbook.texts]
    for sheet in workbook.sheets.values():
        texts += _cells(sheet)
    rows = tuple(_table(grid))
    return Sent(
        marks.get(layout.MARK_AREA), marks.get(layout.MARK_PERIOD), rows, long_numbers(texts)
    )


def _marks(grid: Grid | None) -> dict[str, str]:
    if grid is None:
        return {}
    return {str(row[0]): str(row[1]) for row in grid.rows if len(row) > 1}


def _cells(grid: Grid) -> Iterator[Cell]:
    for number, row in enumerate(grid.rows, start=1):
        for column, value in enumerate(row, start=1):
            if value != "":
                yield Cell(value, Place(grid.name, f"{get_column_letter(column)}{number}"))


def _table(grid: Grid) -> Iterator[SentRow]:
    """The rows of the form: below its headings, down to the last indicator.

    Below that stand the signatures; a number among them is one that has lost its indicator.
    """
    heading, columns = _headings(grid)
    last = heading
    for number in range(heading + 1, len(grid.rows) + 1):
        if not is_empty(grid.at(number, columns["indicator"])):
            last = number
    for number in range(heading + 1, len(grid.rows) + 1):
        row = _row(partial(_cell, grid, number, columns))
        numbers = [isinstance(cell.raw, int | float) for cell in row.figures]
        if number <= last or any(numbers):
            yield row


def _headings(grid: Grid) -> tuple[int, dict[str, int]]:
    """The number of the row with the headings, and the column of each field."""
    for number, row in enumerate(grid.rows, start=1):
        columns = {
            _FIELD_OF[text]: column
            for column, value in enumerate(row, start=1)
            if isinstance(value, str) and (text := _plain(value)) in _FIELD_OF
        }
        if "indicator" in columns:
            _check_headings(columns)
            return number, columns
    raise UnreadableError(Code.NO_HEADINGS, heading=layout.INDICATOR)


def _check_headings(columns: Mapping[str, int]) -> None:
    if "value" in columns and not {"numerator", "denominator"} & columns.keys():
        return
    for name in ("indicator", "numerator", "denominator"):
        if name not in columns:
            raise UnreadableError(Code.NO_HEADINGS, heading=_HEADINGS[name])


def _cell(grid: Grid, row: int, columns: Mapping[str, int], name: str) -> Cell:
    # What has no column is empty, and stands where the row begins.
    column = columns.get(name, 1)
    reference = f"{get_column_letter(column)}{row}"
    place = Place(grid.name, reference)
    if name not in columns:
        return Cell(None, place)
    return Cell(
        grid.at(row, column),
        place,
        percent=reference in grid.percent,
        formula=reference in grid.formulas,
        merged=grid.merged_in(row, column),
    )


def _row(cell_of: Callable[[str], Cell]) -> SentRow:
    return SentRow(*(cell_of(name) for name in _FIELDS))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _csv(content: bytes) -> Sent:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable("CSV không phải mã hóa UTF-8", "the CSV is not in UTF-8") from None
    if "\x00" in text:
        raise _unreadable("CSV chứa ký tự NUL", "the CSV holds the character NUL")
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        # One more than is taken, so that too many are seen as such.
        lines = _lines(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error:
        raise _unreadable("CSV sai dấu ngoặc kép", "the CSV has a stray quotation mark") from None
    grid = Grid("csv", lines, frozenset(), frozenset(), ())
    heading, columns = _headings(grid)
    rows = tuple(
        _row(partial(_cell, grid, number, columns))
        for number in range(heading + 1, len(lines) + 1)
        if any(lines[number - 1])
    )
    return Sent(None, None, rows, long_numbers(_cells(grid)))


def _lines(reader: Iterator[list[str]]) -> list[list[str]]:
    """The lines, each at the place of its first line in the file; no more than are taken."""
    lines: list[list[str]] = []
    for line in reader:
        lines.append([value.strip() for value in line])
        if len(lines) > MOST_ROWS + 1:
            break
    return lines


def _json(content: bytes) -> Sent:
    try:
        decoded = json.loads(content, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _unreadable("đây không phải JSON", "this is not JSON") from None
    rows = decoded.get("rows") if isinstance(decoded, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unreadable(
            "JSON phải là đối tượng có area, period và rows (danh sách đối tượng)",
            "it must be an object with area, period and rows, a list of objects",
        )
    return Sent(
        _text(decoded.get("area")),
        _text(decoded.get("period")),
        tuple(_json_row(row, index) for index, row in enumerate(rows)),
        long_numbers(_strings(decoded, "")),
    )


def _json_row(row: Mapping[str, Any], index: int) -> SentRow:
    return _row(lambda name: Cell(row.get(name), Place("json", f"rows[{index}].{name}")))


def _strings(value: Any, place: str) -> Iterator[Cell]:
    """All texts and names of members, wherever they stand."""
    if isinstance(value, str):
        yield Cell(value, Place("json", place))
    elif isinstance(value, dict):
        for name, member in value.items():
            inner = f"{place}.{name}" if place else name
            yield Cell(name, Place("json", place))
            yield from _strings(member, inner)
    elif isinstance(value, Sequence):
        for index, member in enumerate(value):
            yield from _strings(member, f"{place}[{index}]")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _no_constant(name: str) -> Any:
    raise ValueError(name)
