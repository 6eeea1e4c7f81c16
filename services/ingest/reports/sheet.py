"""Draws the form of a report as an XLSX workbook, in Vietnamese, ready to be printed and signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from textwrap import wrap
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from contracts.forms import Measure
from services.ingest.reports import layout
from services.ingest.reports.core.figures import Figure
from services.ingest.reports.core.form import Form, Row
from services.ingest.reports.page import lay_out, mark, sign
from services.ingest.reports.rules import add_rules

_FONT: Final = layout.FONT
_THIN: Final = Side(style="thin", color="7F7F7F")
_BOX: Final = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEAD: Final = PatternFill("solid", fgColor="D9E2F3")
_SECTION: Final = PatternFill("solid", fgColor="F2F2F2")
_INPUT: Final = PatternFill("solid", fgColor="FFF9DB")
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
_HINT: Final = (
    "Chỉ điền vào các ô màu vàng. Ô để trống nghĩa là không báo cáo. "
    "Ghi số nguyên cho tử số và mẫu số; không ghi thông tin cá nhân."
)
_LINE_POINTS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading and how wide it is, in characters."""

    name: str
    heading: str
    width: float


@dataclass(frozen=True, slots=True)
class Earlier:
    """Figures of an earlier report, under a heading."""

    heading: str
    figures: Mapping[str, Figure]


def draw(form: Form, current: Mapping[str, Figure], earlier: Sequence[Earlier]) -> bytes:
    """Draw the form.

    Args:
        form: what is asked of whom.
        current: what has been reported for this period already, to be corrected.
        earlier: what stands beside, a column each.
    """
    workbook = Workbook()
    sheet = workbook.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("a new workbook has a worksheet")
    sheet.title = layout.SHEET
    columns = _columns(form, earlier)
    head = _title(sheet, form, columns)
    last = _Table(sheet, form, columns, current, earlier).draw(head)
    sign(sheet, last + 2, len(columns))
    frozen = [column.name for column in columns].index("title") + 1
    lay_out(sheet, head, [column.width for column in columns], frozen)
    mark(workbook.create_sheet(layout.MARKS_SHEET), form)
    workbook.properties.creator = "Nhịp Số"
    workbook.properties.title = f"Báo cáo {form.period_title}"
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def _columns(form: Form, earlier: Sequence[Earlier]) -> list[Column]:
    ratios = any(row.measure.is_ratio for row in form.rows)
    values = any(not row.measure.is_ratio for row in form.rows)
    found = [
        Column("number", "TT", 5),
        Column("indicator", layout.INDICATOR, 11),
        Column("title", "Chỉ tiêu", 42),
        Column("how", "Cách ghi số liệu", 38),
        Column("unit", "Đơn vị tính", 11),
    ]
    if ratios:
        found += [
            Column("numerator", layout.NUMERATOR, 11),
            Column("denominator", layout.DENOMINATOR, 11),
            Column("share", "Tỷ lệ (%)", 9),
        ]
    if values:
        found.append(Column("value", layout.VALUE, 11))
    found += [Column(f"earlier-{n}", one.heading, 16) for n, one in enumerate(earlier)]
    return [*found, Column("note", layout.NOTE, 24)]


def _title(sheet: Worksheet, form: Form, columns: Sequence[Column]) -> int:
    """Write what stands above the table; returns the row of its headings."""
    width = len(columns)
    lines = (
        (form.reporter.title, Font(name=_FONT, size=12, bold=True), "left"),
        ("BÁO CÁO CHỈ TIÊU ĐÁNH GIÁ CHUYỂN ĐỔI SỐ", Font(name=_FONT, size=15, bold=True), "center"),
        (f"Kỳ báo cáo: {form.period_title}", Font(name=_FONT, size=12, bold=True), "center"),
        (
            _HINT,
            Font(name=_FONT, size=11, italic=True),
            "center",
        ),
    )
    for number, (text, font, side) in enumerate(lines, start=1):
        sheet.merge_cells(start_row=number, end_row=number, start_column=1, end_column=width)
        cell = sheet.cell(number, 1, text)
        cell.font = font
        cell.alignment = Alignment(horizontal=side, vertical="center", wrap_text=True)
    sheet.row_dimensions[2].height = 24
    return len(lines) + 2


class _Table:
    """The rows of the form."""

    def __init__(
        self,
        sheet: Worksheet,
        form: Form,
        columns: Sequence[Column],
        current: Mapping[str, Figure],
        earlier: Sequence[Earlier],
    ) -> None:
        self._sheet = sheet
        self._form = form
        self._columns = columns
        self._place = {column.name: number for number, column in enumerate(columns, start=1)}
        self._current = current
        self._earlier = earlier
        self._drawn: dict[int, Measure] = {}

    def draw(self, head: int) -> int:
        """Draw the table from its headings on; returns its last row."""
        for number, column in enumerate(self._columns, start=1):
            cell = self._sheet.cell(head, number, column.heading)
            cell.font = Font(name=_FONT, size=11, bold=True)
            cell.fill = _HEAD
            cell.border = _BOX
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        self._sheet.row_dimensions[head].height = 3 * _LINE_POINTS
        row = head
        count = 0
        sections = groupby(self._form.rows, key=lambda one: one.section)
        for place, (title, rows) in enumerate(sections):
            row += 1
            self._section(row, _ROMAN[place] if place < len(_ROMAN) else str(place + 1), title)
            for one in rows:
                row, count = row + 1, count + 1
                self._row(row, count, one)
        add_rules(self._sheet, self._drawn, self._place)
        return row

    def _section(self, row: int, numeral: str, title: str) -> None:
        for number in range(1, len(self._columns) + 1):
            cell = self._sheet.cell(row, number)
            cell.fill = _SECTION
            cell.border = _BOX
        for name, text in (("number", numeral), ("title", title)):
            cell = self._sheet.cell(row, self._place[name], text)
            cell.font = Font(name=_FONT, size=11, bold=True)
            cell.alignment = Alignment(horizontal="center" if name == "number" else "left")
        self._sheet.row_dimensions[row].height = 1.2 * _LINE_POINTS

    def _row(self, row: int, count: int, one: Row) -> None:
        measure, reported = one.measure, self._current.get(one.indicator)
        self._drawn[row] = measure
        how = (
            f"Tử số: {measure.numerator}\nMẫu số: {measure.denominator}"
            if measure.is_ratio
            else f"Giá trị: {measure.value}"
        )
        texts: dict[str, str | int] = {
            "number": count,
            "indicator": one.indicator,
            "title": measure.title,
            "how": how,
            "unit": measure.unit,
        }
        for number, beside in enumerate(self._earlier):
            figure = beside.figures.get(one.indicator)
            texts[f"earlier-{number}"] = "" if figure is None else _beside(figure)
        for name, text in texts.items():
            self._text(row, name, text)
        for column in self._columns:
            if column.name in ("numerator", "denominator", "share", "value", "note"):
                self._input(row, column.name, one, reported)
        lines = max(self._lines(name, str(text)) for name, text in texts.items())
        self._sheet.row_dimensions[row].height = max(2, lines) * _LINE_POINTS

    def _lines(self, name: str, text: str) -> int:
        """How many lines a text takes in its column, so that the row is high enough."""
        width = int(self._columns[self._place[name] - 1].width)
        return sum(max(1, len(wrap(part, width))) for part in text.split("\n"))

    def _text(self, row: int, name: str, text: str | int) -> None:
        cell = self._sheet.cell(row, self._place[name], text)
        small = name == "indicator"
        cell.font = Font(name=_FONT, size=8 if small else 11, color="7F7F7F" if small else None)
        cell.border = _BOX
        centred = name in ("number", "indicator", "unit") or name.startswith("earlier")
        cell.alignment = Alignment(
            horizontal="center" if centred else "left", vertical="center", wrap_text=True
        )

    def _input(self, row: int, name: str, one: Row, reported: Figure | None) -> None:
        cell = self._sheet.cell(row, self._place[name])
        cell.font = Font(name=_FONT, size=11)
        cell.border = _BOX
        cell.alignment = Alignment(
            horizontal="left" if name == "note" else "right", vertical="center", wrap_text=True
        )
        ratio = one.measure.is_ratio
        if name == "share":
            if ratio:
                self._share(cell, row)
            return
        if name != "note" and (name == "value") == ratio:
            return
        cell.protection = Protection(locked=False)
        cell.fill = _INPUT
        cell.number_format = {"value": "#,##0.00", "note": "@"}.get(name, "#,##0")
        if reported is not None:
            # openpyxl writes a text that begins with = as a formula; a note is none.
            cell.value = getattr(reported, name) if name != "note" else reported.note or None
            if name == "note" and cell.value is not None:
                cell.data_type = "s"

    def _share(self, cell: Cell | MergedCell, row: int) -> None:
        top = f"{get_column_letter(self._place['numerator'])}{row}"
        bottom = f"{get_column_letter(self._place['denominator'])}{row}"
        cell.value = (
            f'=IF(AND(ISNUMBER({top}),ISNUMBER({bottom})),IF({bottom}>0,{top}/{bottom}*100,""),"")'
        )
        cell.number_format = "0.00"


def _beside(figure: Figure) -> str:
    """An earlier figure as text; the spaces keep its digits from looking like one long number."""
    if figure.numerator is None or not figure.denominator:
        return figure.text
    share = f"{100 * figure.numerator / figure.denominator:.2f}".replace(".", ",")
    return f"{figure.text}\n({share} %)"
