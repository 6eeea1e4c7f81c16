"""The texts of faults by code and language: what is wrong, and what to do."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "unknown-reporter": {
        "vi": (
            "Không có đơn vị hoặc cơ quan nào mang mã này.",
            "Ghi mã đơn vị như 2025:04252, hoặc mã cơ quan như agency:so-y-te.",
        ),
        "en": (
            "No unit and no agency is called so.",
            "Give the id of a unit such as 2025:04252, or an agency such as agency:so-y-te.",
        ),
    },
    "bad-period": {
        "vi": (
            "Kỳ báo cáo không đúng dạng.",
            "Ghi tháng là 2026-10, quý là 2026-Q3, 6 tháng là 2026-H1, năm là 2026.",
        ),
        "en": (
            "This is no period.",
            "Write a month as 2026-10, a quarter as 2026-Q3, a half year as 2026-H1, a year as 2026.",
        ),
    },
    "not-asked": {
        "vi": (
            "Đơn vị ở cấp này không phải báo cáo kỳ {period}.",
            "Chọn kỳ báo cáo khác; lịch báo cáo cho biết cấp nào báo cáo kỳ nào.",
        ),
        "en": (
            "Units of this level do not report for {period}.",
            "Choose another period; the reporting calendar says which level reports for which.",
        ),
    },
    "unit-ended": {
        "vi": (
            "Đơn vị không tồn tại vào ngày đến hạn của kỳ này ({due}).",
            "Đơn vị tiếp nhận báo cáo thay: {heir}.",
        ),
        "en": (
            "The unit does not exist on the due day of this period ({due}).",
            "The unit that has taken over reports: {heir}.",
        ),
    },
    "not-open": {
        "vi": ("Kỳ báo cáo chưa mở.", "Gửi từ ngày {day}."),
        "en": ("The period is not open yet.", "Send from {day} (day/month/year) on."),
    },
    "closed": {
        "vi": (
            "Kỳ báo cáo đã khóa sau ngày {day}.",
            "Đề nghị người quản trị của tỉnh gửi thay báo cáo này.",
        ),
        "en": (
            "The period has closed after {day} (day/month/year).",
            "Ask an operator of the province to send the report for you.",
        ),
    },
    "unreadable": {
        "vi": (
            "Không đọc được tệp: {why}.",
            "Gửi biểu mẫu đã tải về, lưu dạng .xlsx; hoặc CSV, JSON mã hóa UTF-8.",
        ),
        "en": (
            "The file cannot be read: {why}.",
            "Send the form as it was downloaded, saved as .xlsx; or CSV or JSON in UTF-8.",
        ),
    },
    "no-sheet": {
        "vi": (
            "Tệp không có trang “{sheet}”.",
            "Tải lại biểu mẫu và điền vào đó, không đổi tên trang.",
        ),
        "en": (
            "The file has no sheet “{sheet}”.",
            "Download the form again and fill it in without renaming the sheet.",
        ),
    },
    "no-headings": {
        "vi": (
            "Thiếu tiêu đề cột “{heading}”, hoặc cột đã bị đổi chỗ.",
            "Tải lại biểu mẫu; không chèn, xóa hay đổi tên cột.",
        ),
        "en": (
            "The column heading “{heading}” is missing, or columns were moved.",
            "Download the form again; do not insert, delete or rename columns.",
        ),
    },
    "no-reporter": {
        "vi": (
            "Không biết báo cáo của đơn vị nào, kỳ nào.",
            "Thêm ?area=…&period=… vào địa chỉ, hoặc dùng biểu mẫu đã tải về.",
        ),
        "en": (
            "It is not said whose report this is, and of which period.",
            "Add ?area=…&period=… to the address, or use the form that was downloaded.",
        ),
    },
    "other-reporter": {
        "vi": (
            "Biểu mẫu là của đơn vị {said}, không phải {asked}.",
            "Gửi đúng biểu mẫu của đơn vị mình.",
        ),
        "en": (
            "The form belongs to {said}, not to {asked}.",
            "Send the form of the unit that reports.",
        ),
    },
    "other-period": {
        "vi": (
            "Biểu mẫu là của kỳ {said}, không phải kỳ {asked}.",
            "Gửi đúng biểu mẫu của kỳ báo cáo.",
        ),
        "en": ("The form is for {said}, not for {asked}.", "Send the form of the right period."),
    },
    "too-many-rows": {
        "vi": ("Báo cáo có quá {most} dòng.", "Xóa các dòng không thuộc biểu mẫu."),
        "en": ("The report has more than {most} rows.", "Delete rows that are not of the form."),
    },
    "nothing-reported": {
        "vi": ("Báo cáo không có số liệu nào.", "Điền ít nhất một chỉ tiêu."),
        "en": ("The report holds no figure.", "Fill in at least one indicator."),
    },
    "no-indicator": {
        "vi": (
            "Dòng có số liệu nhưng không có mã chỉ tiêu.",
            "Ghi mã chỉ tiêu như trong biểu mẫu, hoặc xóa số liệu.",
        ),
        "en": (
            "The row has figures but no indicator.",
            "Write the id of the indicator as in the form, or delete the figures.",
        ),
    },
    "unknown-indicator": {
        "vi": ("Không có chỉ tiêu mang mã {text}.", "Dùng mã trong biểu mẫu, ví dụ {example}."),
        "en": ("There is no indicator {text}.", "Use an id of the form, for example {example}."),
    },
    "not-in-form": {
        "vi": (
            "Đơn vị không báo cáo chỉ tiêu này trong kỳ này.",
            "Xóa dòng này.",
        ),
        "en": (
            "The unit does not report this indicator for this period.",
            "Delete the row.",
        ),
    },
    "twice": {
        "vi": (
            "Chỉ tiêu đã có ở ô {other}.",
            "Chỉ giữ lại một dòng cho mỗi chỉ tiêu.",
        ),
        "en": ("The indicator stands in {other} already.", "Keep one row an indicator."),
    },
    "withdrawn": {
        "vi": (
            "Lần gửi trước đã báo cáo {before}; số liệu đã báo cáo không thể rút lại bằng ô trống.",
            "Ghi lại số liệu đúng, hoặc ghi lại đúng số cũ.",
        ),
        "en": (
            "{before} was reported before; an empty cell cannot withdraw it.",
            "Write the right figures, or the earlier ones again.",
        ),
    },
    "numerator-missing": {
        "vi": (
            "Có mẫu số nhưng thiếu tử số.",
            "Ghi tử số (số nguyên, có thể là 0), hoặc xóa mẫu số nếu không báo cáo.",
        ),
        "en": (
            "There is a denominator but no numerator.",
            "Write the numerator (a whole number, 0 too), or delete the denominator.",
        ),
    },
    "denominator-missing": {
        "vi": (
            "Có tử số nhưng thiếu mẫu số.",
            "Ghi mẫu số (số nguyên lớn hơn 0), hoặc xóa tử số nếu không báo cáo.",
        ),
        "en": (
            "There is a numerator but no denominator.",
            "Write the denominator (a whole number above 0), or delete the numerator.",
        ),
    },
    "value-not-asked": {
        "vi": (
            "Chỉ tiêu này báo cáo bằng tử số và mẫu số, không ghi giá trị.",
            "Xóa giá trị; hệ thống tự tính tỷ lệ từ tử số và mẫu số.",
        ),
        "en": (
            "This indicator is reported as numerator and denominator, not as a value.",
            "Delete the value; the share follows from numerator and denominator.",
        ),
    },
    "ratio-not-asked": {
        "vi": (
            "Chỉ tiêu này báo cáo bằng giá trị ({unit}), không ghi tử số và mẫu số.",
            "Xóa ô này và ghi vào cột Giá trị.",
        ),
        "en": (
            "This indicator is reported as a value ({unit}), not as a ratio.",
            "Delete this cell and write the value.",
        ),
    },
    "not-a-number": {
        "vi": (
            "“{text}” không phải là số.",
            "Chỉ ghi chữ số, ví dụ 1250; nếu không báo cáo thì để trống.",
        ),
        "en": (
            "“{text}” is no number.",
            "Write digits alone, for example 1250; leave it empty if nothing is reported.",
        ),
    },
    "ambiguous-number": {
        "vi": (
            "“{text}” có thể hiểu theo hai cách.",
            "Ghi {one} hoặc {other}, không dùng dấu phân cách hàng nghìn.",
        ),
        "en": (
            "“{text}” can be read in two ways.",
            "Write {one} or {other}, without separators of thousands.",
        ),
    },
    "a-date": {
        "vi": (
            "Ô chứa ngày tháng, không phải số.",
            "Định dạng ô là Số (Number) rồi ghi lại số liệu.",
        ),
        "en": ("The cell holds a date, not a number.", "Format it as a number and write it again."),
    },
    "not-whole": {
        "vi": ("{text} không phải số nguyên.", "Ghi số nguyên, ví dụ 1250."),
        "en": ("{text} is not whole.", "Write a whole number, for example 1250."),
    },
    "negative": {
        "vi": ("{text} nhỏ hơn 0.", "Ghi số từ 0 trở lên."),
        "en": ("{text} is less than 0.", "Write 0 or more."),
    },
    "too-large": {
        "vi": ("Số quá lớn.", "Kiểm tra lại đơn vị tính và số chữ số."),
        "en": ("The number is too large.", "Check the unit of measure and the digits."),
    },
    "zero-denominator": {
        "vi": (
            "Mẫu số phải lớn hơn 0.",
            "Nếu không có đối tượng nào, để trống cả tử số và mẫu số, nêu lý do ở cột Ghi chú.",
        ),
        "en": (
            "The denominator must be above 0.",
            "If there is nothing to count, leave both empty and say why in the note.",
        ),
    },
    "above-denominator": {
        "vi": (
            "Tử số {numerator} lớn hơn mẫu số {denominator}.",
            "Kiểm tra lại hai số; có thể đã ghi đổi chỗ.",
        ),
        "en": (
            "The numerator {numerator} is above the denominator {denominator}.",
            "Check both; they may have changed places.",
        ),
    },
    "out-of-percent": {
        "vi": ("{text} không nằm trong khoảng 0 đến 100 phần trăm.", "Ghi ví dụ 14,2 cho 14,2 %."),
        "en": ("{text} is not between 0 and 100 percent.", "Write 14.2 for 14.2 %."),
    },
    "percent-not-asked": {
        "vi": (
            "Ô chứa phần trăm, nhưng ở đây cần ghi số {what}.",
            "Ghi số tuyệt đối, không ghi phần trăm.",
        ),
        "en": (
            "The cell holds a percentage, but a number is asked here ({what}).",
            "Write the number itself, not a percentage.",
        ),
    },
    "formula-without-value": {
        "vi": (
            "Ô chứa công thức chưa được tính.",
            "Mở tệp bằng Excel hoặc LibreOffice rồi lưu lại, hoặc ghi thẳng số.",
        ),
        "en": (
            "The cell holds a formula that nobody has calculated.",
            "Open the file in Excel or LibreOffice and save it, or write the number itself.",
        ),
    },
    "merged": {
        "vi": ("Ô đã bị gộp với ô khác ({range}).", "Bỏ gộp ô và ghi từng số vào ô của nó."),
        "en": (
            "The cell is merged with others ({range}).",
            "Unmerge them and write each number into its own cell.",
        ),
    },
    "personal-number": {
        "vi": (
            "Ô có dãy từ 12 chữ số trở lên, có thể là số định danh cá nhân.",
            "Xóa dãy số này; báo cáo không được chứa thông tin cá nhân.",
        ),
        "en": (
            "The cell holds a number of twelve digits or more, which may be a citizen's.",
            "Take it out; a report must not hold personal data.",
        ),
    },
    "long-note": {
        "vi": ("Ghi chú dài quá {most} ký tự.", "Rút ngắn ghi chú."),
        "en": ("The note has more than {most} characters.", "Shorten it."),
    },
}
