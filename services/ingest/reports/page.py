"""What surrounds the table of a form: signatures, print layout, protection, hidden marks."""

from collections.abc import Sequence

from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from services.ingest.reports import layout
from services.ingest.reports.core.form import Form


def sign(sheet: Worksheet, row: int, width: int) -> None:
    """Write the block for signatures, from a row on, over so many columns."""
    half = width // 2
    blocks = (
        (1, half, ("", "NGƯỜI LẬP BIỂU", "(Ký, ghi rõ họ tên)")),
        (
            half + 1,
            width,
            (
                "............, ngày ...... tháng ...... năm ............",
                "THỦ TRƯỞNG ĐƠN VỊ",
                "(Ký, đóng dấu, ghi rõ họ tên)",
            ),
        ),
    )
    for first, last, lines in blocks:
        for number, text in enumerate(lines):
            at = row + number
            sheet.merge_cells(start_row=at, end_row=at, start_column=first, end_column=last)
            cell = sheet.cell(at, first, text or None)
            cell.font = Font(name=layout.FONT, size=11, bold=number == 1, italic=number != 1)
            cell.alignment = Alignment(horizontal="center")


def lay_out(sheet: Worksheet, head: int, widths: Sequence[float], frozen: int) -> None:
    """Set widths, frozen panes, protection and print layout.

    Args:
        sheet: the sheet of the form.
        head: the row of the headings.
        widths: of the columns, in characters.
        frozen: so many columns stay when one scrolls.
    """
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = f"{get_column_letter(frozen + 1)}{head + 1}"
    # Without a password: it keeps from slips, not from people.
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = int(sheet.PAPERSIZE_A4)
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"{head}:{head}"
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
    sheet.print_options.horizontalCentered = True
    sheet.HeaderFooter.oddFooter = HeaderFooterItem(right=_HeaderFooterPart("Trang &P/&N"))


def mark(sheet: Worksheet, form: Form) -> None:
    """Say for whom and what the form is, where people do not write."""
    for row in (
        (layout.MARK_FORM, layout.FORM_VERSION),
        (layout.MARK_AREA, form.reporter.name),
        (layout.MARK_PERIOD, form.period),
    ):
        sheet.append(row)
    for cell in sheet["B"]:
        cell.number_format = "@"
    sheet.sheet_state = "veryHidden"
    sheet.protection.sheet = True
