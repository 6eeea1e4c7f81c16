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

from services.notifier.core.digest import Digest, DigestLine
from services.notifier.core.digest_speech import DigestSpeech
from services.notifier.core.wording import Language

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_TWO_DECIMALS: Final = "0.00"
_CHANGE: Final = "+0.00;-0.00;0.00"
_BOLD: Final = Font(bold=True)
_HEADING: Final = Alignment(wrap_text=True, vertical="top")
_FIRST_ROW: Final = 4
"""Rows above it hold the title and what is compared."""

Value = str | int | Decimal | None
Row = list[Value]


class Change(Decimal):
    """A change in percentage points, which is shown with its sign."""


def as_workbook(digest: Digest, language: Language = "vi") -> bytes:
    """The workbook as a file. Numbers are numbers; a text that looks like a formula stays a text."""
    speech = DigestSpeech(language)
    book = Workbook()
    book.properties.created = book.properties.modified = digest.written_at.replace(tzinfo=None)
    book.properties.language = language
    units = book.active
    assert isinstance(units, Worksheet)  # noqa: S101 - a new workbook has one
    units.title = speech.say("sheet_units")
    _fill(units, _top(speech, digest), *_of_units(speech, digest))
    lines = book.create_sheet(speech.say("sheet_indicators"))
    _fill(lines, _top(speech, digest), *_of_indicators(speech, digest))
    if digest.silent:
        rows: list[Row] = [[speech.source(feed)] for feed in digest.silent]
        sheet = book.create_sheet(speech.say("sheet_silent"))
        _fill(sheet, _top(speech, digest), [speech.say("h_source")], rows)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def file_name(digest: Digest) -> str:
    """What the file is called: letters that every mail program takes."""
    return f"nhipso-{digest.area.replace(':', '-')}-{digest.period}.xlsx"


def _top(speech: DigestSpeech, digest: Digest) -> tuple[str, str]:
    """What stands above each sheet."""
    title = speech.say("title", period=speech.period(digest))
    return f"{title}: {speech.unit(digest.area_name)}", speech.measured(digest)


def _of_units(speech: DigestSpeech, digest: Digest) -> tuple[list[str], list[Row]]:
    headings = [speech.say("h_unit"), speech.say("h_code")]
    for one in digest.sets:
        name = speech.set_name(one)
        headings += [speech.say("h_lagging", set=name), speech.say("h_judged", set=name)]
    headings += map(speech.say, ("h_all_lagging", "h_change", "h_missing_reports"))
    rows: list[Row] = []
    for row in digest.units:
        counts: list[Value] = [n for cell in row.cells for n in (cell.lagging, cell.judged)]
        counts = counts or [None] * (2 * len(digest.sets))
        name = speech.unit(row.area_name)
        change = Change(row.change) if row.change is not None else None
        rows.append([name, row.area, *counts, row.lagging, change, row.missing_reports])
    return headings, rows


def _of_indicators(speech: DigestSpeech, digest: Digest) -> tuple[list[str], list[Row]]:
    headings = (
        "h_state",
        "h_indicator",
        "h_code",
        "h_now_percent",
        "h_before",
        "h_change",
        "h_pace_percent",
        "h_target_percent",
        "h_gap",
        "h_noun",
        "h_promised",
    )
    groups = (
        ("state_lagging", digest.lagging),
        ("better", digest.better),
        ("worse", digest.worse),
    )
    rows = [_row(speech, speech.say(name), line) for name, group in groups for line in group]
    return [speech.say(one) for one in headings], rows


def _row(speech: DigestSpeech, title: str, line: DigestLine) -> Row:
    promised = None
    if line.promised_on is not None:
        promised = speech.day(line.promised_on)
        if line.is_overdue:
            promised = speech.say("cell_overdue", day=promised)
    return [
        title,
        speech.name(line),
        line.indicator,
        line.value,
        line.before,
        Change(line.change) if line.change is not None else None,
        line.pace,
        line.target,
        line.gap_people,
        speech.counted(line),
        promised,
    ]


def _fill(
    sheet: Worksheet, top: tuple[str, str], headings: Sequence[str], rows: Sequence[Row]
) -> None:
    _write(sheet, 1, 1, top[0]).font = _BOLD
    _write(sheet, 2, 1, top[1])
    for column, heading in enumerate(headings, start=1):
        cell = _write(sheet, _FIRST_ROW, column, heading)
        cell.font, cell.alignment = _BOLD, _HEADING
        widest = max((len(str(row[column - 1] or "")) for row in rows), default=0)
        sheet.column_dimensions[get_column_letter(column)].width = min(max(widest + 2, 12), 60)
    for index, row in enumerate(rows, start=_FIRST_ROW + 1):
        for column, value in enumerate(row, start=1):
            cell = _write(sheet, index, column, value)
            if isinstance(value, Decimal):
                cell.number_format = _CHANGE if isinstance(value, Change) else _TWO_DECIMALS
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
