"""The form: what it looks like to a spreadsheet program, and that what is filled in comes back."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from services.ingest.reports import layout
from services.ingest.reports.core.checking import Checked, check
from services.ingest.reports.core.figures import Change, Figure
from services.ingest.reports.core.form import Form
from services.ingest.reports.reading import read_report
from services.ingest.reports.sheet import Earlier, draw
from tests.unit.ingest.reports.invented import COMMUNE, KNOWN, MONTH, PROVINCE, RULES, YEAR
from tests.unit.ingest.reports.workbooks import cell_of, filled

TEAMS, COVERAGE = "nf.community-teams", "dt.soc.5"
HALF = RULES.form(COMMUNE, "2026-H1")


def sheet_of(content: bytes) -> Worksheet:
    return load_workbook(BytesIO(content)).worksheets[0]


def taken(content: bytes, form: Form, before: dict[str, Figure] | None = None) -> Checked:
    return check(read_report(layout.XLSX, content), form, before or {}, KNOWN)


def test_the_form_says_who_when_and_what() -> None:
    sheet = sheet_of(draw(MONTH, {}, []))
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]
    assert sheet.title == "Báo cáo"
    assert texts[0] == "Phường Yên Bái, Tỉnh Lào Cai"
    assert "Kỳ báo cáo: Tháng 10 năm 2026" in texts
    assert "Thôn, khu phố có tổ công nghệ số cộng đồng" in texts
    assert "THỦ TRƯỞNG ĐƠN VỊ" in texts
    assert (
        "Tử số: Số thôn, khu phố có tổ công nghệ số cộng đồng\nMẫu số: Tổng số thôn, khu phố"
        in texts
    )


def test_what_the_form_is_for_stands_where_nobody_writes() -> None:
    workbook = load_workbook(BytesIO(draw(MONTH, {}, [])))
    marks = workbook["nhipso"]
    assert marks.sheet_state == "veryHidden"
    assert [tuple(cell.value for cell in row) for row in marks.iter_rows()] == [
        ("form", 1),
        ("area", COMMUNE),
        ("period", "2026-10"),
    ]


def test_only_what_is_to_be_filled_in_is_unlocked() -> None:
    sheet = sheet_of(draw(MONTH, {}, []))
    assert sheet.protection.sheet
    unlocked = {c.coordinate for row in sheet.iter_rows() for c in row if not c.protection.locked}
    asked = [(one.indicator, name) for one in MONTH.rows for name in ("numerator", "denominator")]
    notes = [(one.indicator, "note") for one in MONTH.rows]
    assert unlocked == {cell_of(sheet, *one) for one in asked + notes}


def test_a_value_has_one_cell_to_fill_in_and_a_note() -> None:
    sheet = sheet_of(draw(YEAR, {}, []))
    unlocked = {c.coordinate for row in sheet.iter_rows() for c in row if not c.protection.locked}
    assert unlocked == {
        cell_of(sheet, one.indicator, name) for one in YEAR.rows for name in ("value", "note")
    }


def test_the_sheet_refuses_with_messages_in_vietnamese() -> None:
    sheet = sheet_of(draw(MONTH, {}, []))
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    top = rules[cell_of(sheet, TEAMS, "numerator")]
    assert top.type == "custom"
    assert top.error == "Tử số phải là số nguyên từ 0 trở lên và không lớn hơn mẫu số."
    assert top.errorStyle in (None, "stop")
    sheet = sheet_of(draw(YEAR, {}, []))
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    percent = rules[cell_of(sheet, "dt.eco.1", "value")]
    assert (percent.type, percent.formula1, percent.formula2) == ("decimal", "0", "100")
    quantity = rules[cell_of(sheet, "dt.eco.2", "value")]
    assert quantity.formula2 != "100"


def test_it_prints_on_a4_across_and_its_head_stays() -> None:
    sheet = sheet_of(draw(HALF, {}, []))
    assert sheet.page_setup.orientation == "landscape"
    assert int(sheet.page_setup.paperSize or 0) == 9
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.sheet_properties.pageSetUpPr is not None
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.freeze_panes == "D7"
    assert sheet.print_title_rows == "$6:$6"


def test_long_names_have_rows_high_enough() -> None:
    sheet = sheet_of(draw(RULES.form(PROVINCE, "2026-10"), {}, []))
    for [cell] in sheet.iter_rows(min_col=3, max_col=3, min_row=7):
        if isinstance(cell.value, str) and sheet.cell(cell.row, 2).value:
            lines = -(-len(cell.value) // sheet.column_dimensions["C"].width)
            assert (sheet.row_dimensions[cell.row].height or 0) >= 13 * lines
            assert cell.alignment.wrap_text


def test_earlier_figures_stand_beside_and_what_was_sent_is_filled_in() -> None:
    current = {TEAMS: Figure(TEAMS, 12, 14, None, "=1+1")}
    earlier = [Earlier("Tháng 9 năm 2026", {TEAMS: Figure(TEAMS, 1234, 2000, None)})]
    content = draw(MONTH, current, earlier)
    sheet = sheet_of(content)
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]
    assert "1.234 / 2.000\n(61,70 %)" in texts
    assert sheet[cell_of(sheet, TEAMS, "numerator")].value == 12
    # A note is no formula.
    assert sheet[cell_of(sheet, TEAMS, "note")].data_type == "s"
    checked = taken(content, MONTH, current)
    assert checked.faults == []
    assert [(one.change, one.note) for one in checked.figures] == [(Change.UNCHANGED, "=1+1")]


def test_a_form_as_it_was_drawn_reports_nothing() -> None:
    for form in (MONTH, YEAR, HALF):
        faults = taken(draw(form, {}, []), form).faults
        assert [fault.code.value for fault in faults] == ["nothing-reported"]


_RATIO = st.integers(1, 999_999_999).flatmap(
    lambda bottom: st.tuples(st.integers(0, bottom), st.just(bottom))
)


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(st.sampled_from([one.indicator for one in HALF.rows]), _RATIO, min_size=1),
    st.sampled_from(["", "ghi chú “lạ” <&>", "  hai\n dòng "]),
)
def test_ratios_that_are_filled_in_come_back(ratios: dict[str, tuple[int, int]], note: str) -> None:
    cells: dict[str, dict[str, Any]] = {
        name: {"numerator": top, "denominator": bottom, "note": note or None}
        for name, (top, bottom) in ratios.items()
    }
    content = filled(HALF, cells)
    sent = read_report(layout.XLSX, content)
    assert (sent.area, sent.period) == (COMMUNE, "2026-H1")
    checked = check(sent, HALF, {}, KNOWN)
    assert checked.faults == []
    assert {one.indicator: (one.numerator, one.denominator) for one in checked.figures} == ratios
    assert {one.note for one in checked.figures} == {" ".join(note.split())}


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([one.indicator for one in YEAR.rows]),
        st.decimals(0, 100, places=2),
        min_size=1,
    ),
    st.booleans(),
)
def test_values_that_are_filled_in_come_back(values: dict[str, Decimal], as_text: bool) -> None:
    def written(value: Decimal) -> float | str:
        return str(value).replace(".", ",") if as_text else float(value)

    cells = {name: {"value": written(value)} for name, value in values.items()}
    checked = taken(filled(YEAR, cells), YEAR)
    assert checked.faults == []
    assert {one.indicator: one.value for one in checked.figures} == values


@pytest.mark.parametrize("form", [MONTH, YEAR, HALF], ids=lambda form: form.period)
def test_a_drawn_form_with_what_was_reported_says_the_same_again(form: Form) -> None:
    current = {
        one.indicator: Figure(one.indicator, 3, 7, None)
        if one.measure.is_ratio
        else Figure(one.indicator, None, None, Decimal("14.25"))
        for one in form.rows
    }
    checked = taken(draw(form, current, [Earlier("Năm 2025", current)]), form, current)
    assert checked.faults == []
    assert {one.change for one in checked.figures} == {Change.UNCHANGED}
