"""What the form and whoever reads it agree on: names of sheets, headings, hidden marks."""

from typing import Final

#: Raised when a filled form of before could no longer be read rightly.
FORM_VERSION: Final = 1

FONT: Final = "Times New Roman"
SHEET: Final = "Báo cáo"
#: Holds what the form is for, in two columns: name and value.
MARKS_SHEET: Final = "nhipso"
MARK_FORM: Final = "form"
MARK_AREA: Final = "area"
MARK_PERIOD: Final = "period"

#: Heading of each column that is read; CSV takes the English names, too.
INDICATOR: Final = "Mã"
NUMERATOR: Final = "Tử số"
DENOMINATOR: Final = "Mẫu số"
VALUE: Final = "Giá trị"
NOTE: Final = "Ghi chú"

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv"
JSON: Final = "application/json"
EXTENSIONS: Final = {XLSX: "xlsx", CSV: "csv", JSON: "json"}
