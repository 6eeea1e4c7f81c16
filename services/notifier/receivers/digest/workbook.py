"""The workbook of a digest for leaders: units by set of indicators, and the indicators."""

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from typing import Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from services.notifier.core import wording
from services.notifier.core.digest import Digest, DigestLine

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_TWO_DECIMALS: Final = "0.00"
_CHANGE: Final = "+0.00;-0.00;0.00"
_BOLD: Final = Font(bold=True)
_HEADING: Final = Alignment(wrap_text=True, vertical="top")
_FIRST_ROW: Final = 4
"""Rows above it hold the title and what is compared."""

Value = str | int | Decimal | None


def as_workbook(digest: Digest) -> bytes:
    """The workbook as a file. Numbers are numbers; a text that looks like a formula stays a text."""
    book = Workbook()
    book.properties.created = book.properties.modified = digest.written_at.replace(tzinfo=None)
    units = book.active
    assert isinstance(units, Worksheet)  # noqa: S101 - a new workbook has one
    units.title = "Đơn vị"
    headings = ["Đơn vị", "Mã"]
    for one in digest.sets:
        headings += [f"{one.name}: chậm", f"{one.name}: được đánh giá"]
    headings += ["Tổng số chậm", "Thay đổi (điểm %)", "Báo cáo thiếu"]
    rows: list[list[Value]] = []
    for row in digest.units:
        counts: list[Value] = [n for cell in row.cells for n in (cell.lagging, cell.judged)]
        counts = counts or [None] * (2 * len(digest.sets))
        rows.append(
            [row.area_name, row.area, *counts, row.lagging, row.change, row.missing_reports]
        )
    _fill(units, digest, headings, rows)
    lines = book.create_sheet("Chỉ tiêu")
    _fill(
        lines,
        digest,
        [
            "Tình hình",
            "Chỉ tiêu",
            "Mã",
            "Hiện đạt (%)",
            "Trước đó (%)",
            "Thay đổi (điểm %)",
            "Tiến độ (%)",
            "Mục tiêu (%)",
            "Còn thiếu",
            "Đơn vị tính",
            "Hẹn xong ngày",
        ],
        [
            _row(title, line)
            for title, group in (
                ("Chậm tiến độ", digest.lagging),
                ("Tiến bộ nhiều nhất", digest.better),
                ("Giảm nhiều nhất", digest.worse),
            )
            for line in group
        ],
    )
    if digest.silent:
        sheet = book.create_sheet("Nguồn ngừng gửi")
        _fill(sheet, digest, ["Nguồn"], [[name] for name in digest.silent])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def file_name(digest: Digest) -> str:
    """What the file is called: letters that every mail program takes."""
    return f"nhipso-{digest.area.replace(':', '-')}-{digest.period}.xlsx"


def _row(title: str, line: DigestLine) -> list[Value]:
    promised = None
    if line.promised_on is not None:
        promised = wording.day(line.promised_on) + (" (quá hẹn)" if line.is_overdue else "")
    return [
        title,
        line.indicator_name,
        line.indicator,
        line.value,
        line.before,
        line.change,
        line.pace,
        line.target,
        line.gap_people,
        line.noun,
        promised,
    ]


def _fill(
    sheet: Worksheet, digest: Digest, headings: Sequence[str], rows: Sequence[Sequence[Value]]
) -> None:
    compared = digest.compared_on
    _write(sheet, 1, 1, f"Bản tin {digest.period_name}: {digest.area_name}").font = _BOLD
    _write(
        sheet,
        2,
        1,
        f"Số liệu tính đến {wording.clock(digest.measured_at)}"
        + (f", so với ngày {wording.day(compared)}" if compared is not None else ""),
    )
    for column, heading in enumerate(headings, start=1):
        cell = _write(sheet, _FIRST_ROW, column, heading)
        cell.font, cell.alignment = _BOLD, _HEADING
        widest = max((len(str(row[column - 1] or "")) for row in rows), default=0)
        sheet.column_dimensions[get_column_letter(column)].width = min(max(widest + 2, 12), 60)
    for index, row in enumerate(rows, start=_FIRST_ROW + 1):
        for column, value in enumerate(row, start=1):
            cell = _write(sheet, index, column, value)
            if isinstance(value, Decimal):
                cell.number_format = (
                    _CHANGE if "Thay đổi" in headings[column - 1] else _TWO_DECIMALS
                )
    sheet.freeze_panes = f"B{_FIRST_ROW + 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = int(sheet.PAPERSIZE_A4)
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"{_FIRST_ROW}:{_FIRST_ROW}"


def _write(sheet: Worksheet, row: int, column: int, value: Value) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)  # noqa: S101 - nothing is merged here
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    return cell
