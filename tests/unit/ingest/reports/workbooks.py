"""Workbooks: filled forms, and such as other programs write."""

import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from services.ingest.reports import layout
from services.ingest.reports.core.form import Form
from services.ingest.reports.sheet import draw

COLUMNS = {
    "numerator": layout.NUMERATOR,
    "denominator": layout.DENOMINATOR,
    "value": layout.VALUE,
    "note": layout.NOTE,
}

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


Figures = Mapping[str, Mapping[str, Any]]


def filled(form: Form, figures: Figures) -> bytes:
    """The form with these cells filled in: indicator → column → value."""
    return refilled(figures, draw(form, {}, []))


def refilled(figures: Figures, content: bytes) -> bytes:
    """A drawn form with these cells filled in."""

    def fill(sheet: Worksheet) -> None:
        for indicator, cells in figures.items():
            for column, value in cells.items():
                sheet[cell_of(sheet, indicator, column)] = value

    return changed(content, fill)


def changed(content: bytes, change: Callable[[Worksheet], None]) -> bytes:
    """A workbook whose first sheet was changed in a spreadsheet program."""
    workbook = load_workbook(BytesIO(content))
    change(workbook.worksheets[0])
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def cell_of(sheet: Worksheet, indicator: str, column: str) -> str:
    """The reference of an indicator's cell in a column of figures or notes."""
    headings = {
        cell.value: get_column_letter(cell.column or 0)
        for cells in sheet.iter_rows()
        for cell in cells
        if cell.value in COLUMNS.values()
    }
    for [cell] in sheet.iter_rows(min_col=2, max_col=2):
        if cell.value == indicator:
            return f"{headings[COLUMNS[column]]}{cell.row}"
    raise LookupError(indicator)


def handmade(
    rows: str, *, styles: str = "", prefix: str = "", extra: Mapping[str, bytes] | None = None
) -> bytes:
    """A workbook of one sheet whose rows are written by hand, as no library of ours writes them."""
    opening = f'xmlns{":" + prefix if prefix else ""}="{_MAIN}"'
    p = f"{prefix}:" if prefix else ""
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            '<Override PartName="/xl/worksheets/one.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<{p}workbook {opening} xmlns:r="{_OFFICE}"><{p}sheets>'
            f'<{p}sheet name="{layout.SHEET}" sheetId="1" r:id="r1"/></{p}sheets></{p}workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_OFFICE}/worksheet" Target="/xl/worksheets/one.xml"/>'
            f'<Relationship Id="r2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/worksheets/one.xml": (
            f"<{p}worksheet {opening}><{p}sheetData>{rows}</{p}sheetData></{p}worksheet>"
        ),
    }
    if styles:
        parts["xl/styles.xml"] = f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>'
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            package.writestr(name, text)
        for name, content in (extra or {}).items():
            package.writestr(name, content)
    return out.getvalue()
