"""Workbooks of other programs, CSV and JSON; and files that must not be opened."""

import json
import zipfile
from contextlib import suppress
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from services.ingest.reports import layout
from services.ingest.reports.core.checking import Checked, check
from services.ingest.reports.core.faults import Code
from services.ingest.reports.reading import UnreadableError, read_report
from services.ingest.reports.sheet import draw
from tests.unit.ingest.reports.invented import COMMUNE, KNOWN, MONTH, YEAR, codes
from tests.unit.ingest.reports.workbooks import cell_of, changed, filled, handmade

TEAMS, COVERAGE = "nf.community-teams", "dt.soc.5"

HEADINGS = "".join(
    f'<c r="{letter}1" t="inlineStr"><is><t>{text}</t></is></c>'
    for letter, text in zip(
        "ABCDE",
        (layout.INDICATOR, layout.NUMERATOR, layout.DENOMINATOR, layout.VALUE, layout.NOTE),
        strict=True,
    )
)


def taken(content: bytes, media_type: str = layout.XLSX, form: Any = MONTH) -> Checked:
    return check(read_report(media_type, content), form, {}, KNOWN)


def text(reference: str, value: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def table(*cells: str) -> str:
    return f'<row r="1">{HEADINGS}</row><row r="2">{"".join(cells)}</row>'


def figures(checked: Checked) -> list[tuple[Any, ...]]:
    assert checked.faults == []
    return [(one.indicator, one.numerator, one.denominator, one.value) for one in checked.figures]


def test_numbers_as_text_and_in_vietnamese_form() -> None:
    content = filled(MONTH, {TEAMS: {"numerator": "1.234", "denominator": "2.500"}})
    assert figures(taken(content)) == [(TEAMS, 1234, 2500, None)]
    content = filled(YEAR, {"dt.eco.2": {"value": "1.234,5"}})
    assert [str(one.value) for one in taken(content, form=YEAR).figures] == ["1234.5"]


def test_dates_are_no_numbers() -> None:
    content = filled(
        MONTH,
        {TEAMS: {"numerator": datetime(2026, 10, 12), "denominator": 14}},  # noqa: DTZ001
    )
    assert codes(taken(content)) == [("a-date", "F10")]


def test_merged_cells_are_told_by_their_range() -> None:
    def merge(sheet: Worksheet) -> None:
        top, bottom = (cell_of(sheet, TEAMS, name) for name in ("numerator", "denominator"))
        sheet[top] = 12
        sheet.merge_cells(f"{top}:{bottom}")

    checked = taken(changed(draw(MONTH, {}, []), merge))
    assert [code for code, _ in codes(checked)] == ["merged", "merged"]
    assert "F10:G10" in checked.faults[0].message("vi")


def test_a_formula_counts_by_its_result_and_is_told_without_one() -> None:
    number = '<c r="C2"><f>7+7</f><v>14</v></c>'
    with_result = handmade(table(text("A2", TEAMS), '<c r="B2"><f>6+6</f><v>12</v></c>', number))
    assert figures(taken(with_result)) == [(TEAMS, 12, 14, None)]
    without = handmade(table(text("A2", TEAMS), '<c r="B2"><f>6+6</f></c>', number))
    assert codes(taken(without)) == [("formula-without-value", "B2")]


def test_percentages_are_known_by_the_cells_format() -> None:
    styles = (
        '<numFmts count="1"><numFmt numFmtId="170" formatCode="0.0%"/></numFmts>'
        '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="9"/></cellXfs>'
    )
    shown = handmade(
        table(text("A2", "dt.eco.1"), '<c r="D2" s="1"><v>0.142</v></c>'), styles=styles
    )
    assert [str(one.value) for one in taken(shown, form=YEAR).figures] == ["14.2"]
    counted = handmade(
        table(text("A2", TEAMS), '<c r="B2" s="2"><v>0.86</v></c>', '<c r="C2"><v>14</v></c>'),
        styles=styles,
    )
    assert codes(taken(counted)) == [("percent-not-asked", "B2")]


def test_cells_of_a_program_that_prefixes_its_names() -> None:
    plain = table(text("A2", TEAMS), '<c r="B2"><v>12</v></c>', '<c r="C2"><v>14</v></c>')
    prefixed = plain
    for name in ("row", "c", "is", "t", "v"):
        prefixed = prefixed.replace(f"<{name}>", f"<x:{name}>").replace(f"<{name} ", f"<x:{name} ")
        prefixed = prefixed.replace(f"</{name}>", f"</x:{name}>")
    assert figures(taken(handmade(prefixed, prefix="x"))) == [(TEAMS, 12, 14, None)]


def test_signatures_below_the_table_are_not_read_but_lost_numbers_are_told() -> None:
    content = draw(MONTH, {}, [])

    def write(sheet: Worksheet) -> None:
        sheet[cell_of(sheet, TEAMS, "numerator")] = 12
        sheet[cell_of(sheet, TEAMS, "denominator")] = 14
        sheet.cell(sheet.max_row + 2, 6, "Nguyễn Văn A")

    assert figures(taken(changed(content, write))) == [(TEAMS, 12, 14, None)]

    def lose(sheet: Worksheet) -> None:
        write(sheet)
        sheet.cell(sheet.max_row + 2, 6, 7)

    assert [code for code, _ in codes(taken(changed(content, lose)))] == ["no-indicator"]


def test_a_deleted_row_says_nothing() -> None:
    def delete(sheet: Worksheet) -> None:
        sheet.delete_rows(sheet[cell_of(sheet, COVERAGE, "numerator")].row)
        sheet[cell_of(sheet, TEAMS, "numerator")] = 12
        sheet[cell_of(sheet, TEAMS, "denominator")] = 14

    checked = taken(changed(draw(MONTH, {}, []), delete))
    assert figures(checked) == [(TEAMS, 12, 14, None)]


@pytest.mark.parametrize(
    ("sheet", "found"),
    [
        ("L3", ("personal-number", "L3")),
        ("A30", ("personal-number", "A30")),
    ],
)
def test_a_citizens_number_anywhere_in_the_file_is_told(sheet: str, found: tuple[str, str]) -> None:
    for number in ("001234567890", "0012 3456 7890", 1_234_567_890):
        content = filled(MONTH, {TEAMS: {"numerator": 12, "denominator": 14}})

        def hide(page: Worksheet, number: Any = number) -> None:
            page[sheet] = number

        assert found in codes(taken(changed(content, hide)))


def test_a_citizens_number_in_a_comment_or_footer_is_told() -> None:
    footed = handmade(
        table(text("A2", TEAMS), '<c r="B2"><v>1</v></c>', '<c r="C2"><v>2</v></c>'),
        extra={"xl/comments1.xml": b"<comments><t>so 001234567890</t></comments>"},
    )
    assert [code for code, _ in codes(taken(footed))] == ["personal-number"]


def unreadable(content: bytes, media_type: str = layout.XLSX) -> tuple[Code, str]:
    with pytest.raises(UnreadableError) as caught:
        read_report(media_type, content)
    fault = caught.value.fault("en")
    return fault.code, fault.message("en")


def test_what_is_no_workbook_says_so() -> None:
    assert unreadable(b"")[0] is Code.UNREADABLE
    assert unreadable(b"PK\x03\x04 nothing")[0] is Code.UNREADABLE
    assert "password" in unreadable(bytes.fromhex("d0cf11e0a1b11ae1") + b"rest")[1]
    other = BytesIO()
    with zipfile.ZipFile(other, "w") as package:
        package.writestr("content.xml", "<office/>")
    assert "no XLSX" in unreadable(other.getvalue())[1]
    assert "damaged" in unreadable(handmade("<row><c>"))[1]


def test_a_workbook_that_unfolds_without_end_is_not_opened() -> None:
    content = handmade("", extra={"xl/bomb.xml": b" " * (40 * 1024 * 1024)})
    assert len(content) < 100_000
    assert "too large inside" in unreadable(content)[1]


def test_a_cell_in_the_last_corner_is_not_read() -> None:
    assert "XFD1048576" in unreadable(handmade('<row><c r="XFD1048576"><v>1</v></c></row>'))[1]


def test_document_types_macros_and_pictures_are_refused() -> None:
    entity = b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    assert "not valid" in unreadable(handmade("", extra={"docProps/custom.xml": entity}))[1]
    assert "macros" in unreadable(handmade("", extra={"xl/vbaProject.bin": b"x"}))[1]
    assert "pictures" in unreadable(handmade("", extra={"xl/media/image1.png": b"x"}))[1]


def test_a_form_whose_sheet_or_columns_are_gone_says_which() -> None:
    def rename(sheet: Worksheet) -> None:
        sheet.title = "Sheet1"

    assert unreadable(changed(draw(MONTH, {}, []), rename))[0] is Code.NO_SHEET

    def drop(sheet: Worksheet) -> None:
        sheet.delete_cols(7)

    code, message = unreadable(changed(draw(MONTH, {}, []), drop))
    assert code is Code.NO_HEADINGS
    assert "Mẫu số" in message


@pytest.mark.parametrize(
    "content",
    [
        "indicator,numerator,denominator,note\nnf.community-teams,12,14,\n",
        "\ufeffMã chỉ tiêu;Tử số;Mẫu số;Ghi chú\r\nnf.community-teams;12;14;\r\n",
        "mã\ttử số\tmẫu số\nnf.community-teams\t 12 \t14\n\n",
        'indicator,numerator,denominator\n"nf.community-teams","12","14"\n',
    ],
)
def test_csv_with_any_usual_separator(content: str) -> None:
    assert figures(taken(content.encode(), layout.CSV)) == [(TEAMS, 12, 14, None)]


def test_faults_of_csv_are_told_by_line_and_column() -> None:
    content = "indicator;numerator;denominator\ndt.soc.5;1;2\nnf.community-teams;15;14\n"
    assert codes(taken(content.encode(), layout.CSV)) == [("above-denominator", "B3")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfeindicator", Code.UNREADABLE),
        (b"", Code.NO_HEADINGS),
        (b"a,b\n1,2\n", Code.NO_HEADINGS),
        (b"indicator,numerator\n", Code.NO_HEADINGS),
        (b'indicator,numerator,denominator\n"a"b,1,2\n', Code.UNREADABLE),
        (b"indicator,numerator,denominator\n\x00,1,2\n", Code.UNREADABLE),
    ],
)
def test_csv_that_cannot_be_read_says_why(content: bytes, code: Code) -> None:
    assert unreadable(content, layout.CSV)[0] is code


def test_too_many_lines_are_not_read() -> None:
    lines = ["indicator,numerator,denominator", *["nf.community-teams,1,2"] * 1500]
    assert codes(taken("\n".join(lines).encode(), layout.CSV)) == [("too-many-rows", "")]


def test_json_says_itself_whose_report_it_is() -> None:
    body = {
        "area": COMMUNE,
        "period": "2026-10",
        "rows": [
            {"indicator": TEAMS, "numerator": 12, "denominator": 14},
            {"indicator": COVERAGE, "numerator": "x", "denominator": None, "note": None},
        ],
    }
    sent = read_report(layout.JSON, json.dumps(body).encode())
    assert (sent.area, sent.period) == (COMMUNE, "2026-10")
    assert codes(check(sent, MONTH, {}, KNOWN)) == [
        ("not-a-number", "rows[1].numerator"),
        ("denominator-missing", "rows[1].denominator"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"rows": {}}',
        b'{"rows": [1]}',
        b'{"rows": [{"numerator": NaN}]}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_json_that_is_no_report_says_so(content: bytes) -> None:
    assert unreadable(content, layout.JSON)[0] is Code.UNREADABLE


def test_a_citizens_number_in_any_member_of_json_is_told() -> None:
    body = {
        "rows": [{"indicator": TEAMS, "numerator": 1, "denominator": 2}],
        "x": {"001234567890": 1},
    }
    assert [c for c, _ in codes(taken(json.dumps(body).encode(), layout.JSON))] == [
        "personal-number"
    ]


def test_more_merged_cells_than_any_form_has_are_not_looked_at() -> None:
    def merge(sheet: Worksheet) -> None:
        for row in range(100, 700):
            sheet.merge_cells(f"A{row}:B{row}")

    assert "too large inside" in unreadable(changed(draw(MONTH, {}, []), merge))[1]


WHOLE = filled(MONTH, {TEAMS: {"numerator": 12, "denominator": 14, "note": "đủ"}})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(max_size=20)), min_size=1))
def test_a_damaged_workbook_is_read_or_says_that_it_cannot_be(
    damage: list[tuple[int, bytes]],
) -> None:
    content = bytearray(WHOLE)
    for place, written in damage:
        content[place : place + len(written) + 1] = written
    with suppress(UnreadableError):
        taken(bytes(content))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_workbook_with_damaged_parts_is_read_or_says_that_it_cannot_be(
    data: st.DataObject,
) -> None:
    with zipfile.ZipFile(BytesIO(WHOLE)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    part = bytearray(parts[name])
    place = data.draw(st.integers(0, len(part) - 1))
    part[place : place + data.draw(st.integers(0, 30))] = data.draw(
        st.text(alphabet='<>/="rstcv0123456789 ', max_size=12)
    ).encode()
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for other, content in (parts | {name: bytes(part)}).items():
            package.writestr(other, content)
    with suppress(UnreadableError):
        taken(out.getvalue())
