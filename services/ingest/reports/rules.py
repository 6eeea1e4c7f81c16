"""What the sheet of a form refuses by itself while people type, with messages in Vietnamese."""

from collections.abc import Mapping

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from contracts.forms import Measure
from services.ingest.reports.core.numbers import LARGEST


def add_rules(sheet: Worksheet, measures: Mapping[int, Measure], place: Mapping[str, int]) -> None:
    """Let the sheet refuse what would be refused when it is sent.

    Args:
        sheet: the sheet of the form.
        measures: row → how its indicator is reported.
        place: name of a column → its number.
    """
    for row, measure in measures.items():
        if measure.is_ratio:
            _ratio(sheet, *(f"{get_column_letter(place[n])}{row}" for n in _RATIO))
        else:
            cell = f"{get_column_letter(place['value'])}{row}"
            _value(sheet, cell, percent=measure.percent)


_RATIO = ("numerator", "denominator")


def _ratio(sheet: Worksheet, top: str, bottom: str) -> None:
    whole = "AND(ISNUMBER({0}),{0}>={1},{0}<=" + str(LARGEST) + ',{0}=INT({0}),OR({2}="",{3}))'
    within = f"{top}<={bottom}"
    _rule(
        sheet,
        top,
        DataValidation(type="custom", formula1=whole.format(top, 0, bottom, within)),
        "Tử số phải là số nguyên từ 0 trở lên và không lớn hơn mẫu số.",
    )
    _rule(
        sheet,
        bottom,
        DataValidation(type="custom", formula1=whole.format(bottom, 1, top, within)),
        "Mẫu số phải là số nguyên lớn hơn 0 và không nhỏ hơn tử số.",
    )


def _value(sheet: Worksheet, cell: str, *, percent: bool) -> None:
    rule = DataValidation(
        type="decimal",
        operator="between",
        formula1="0",
        formula2="100" if percent else str(LARGEST),
    )
    text = "Ghi số từ 0 đến 100, ví dụ 14,2 cho 14,2 %." if percent else "Ghi số từ 0 trở lên."
    _rule(sheet, cell, rule, text)


def _rule(sheet: Worksheet, cell: str, rule: DataValidation, text: str) -> None:
    rule.allow_blank = True
    rule.showErrorMessage = True
    rule.errorStyle = "stop"
    rule.errorTitle = "Số liệu chưa đúng"
    rule.error = text
    rule.showInputMessage = True
    rule.promptTitle = "Cách ghi"
    rule.prompt = text
    rule.add(cell)
    sheet.add_data_validation(rule)
