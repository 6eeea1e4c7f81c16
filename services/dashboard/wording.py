"""Vietnamese wording of the pages: numbers, days, sets of indicators, what is counted."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from contracts.disclosure import SMALLEST
from contracts.forms.wording import period_in_words
from contracts.times import LOCAL_ZONE

SETS: Final = {
    "digital-citizen": "Công dân số",
    "digital-society": "Xã hội số",
    "digital-transformation": "Chuyển đổi số",
    "national-features": "Đặc trưng xã hội số",
}
PACES: Final = {
    "provincial": "tiến độ cần đạt",
    "own": "tiến độ cần đạt theo mục tiêu riêng",
    "national": "tiến độ cần đạt theo mục tiêu quốc gia",
}
SEVERITIES: Final = {"critical": "Nghiêm trọng", "warning": "Cần chú ý", "info": "Theo dõi"}

KINDS: Final = {
    "source-silent": (
        "Nguồn này ngừng gửi dữ liệu; các chỉ tiêu dùng nguồn này tạm thời chưa được đánh giá"
    ),
    "report": "Báo cáo này chưa gửi đủ số liệu",
}
"""What an alert says that is about no share."""

_NOUNS: Final = {
    "citizen": "người",
    "household": "hộ",
    "organisation": "tổ chức",
    "institution": "cơ sở",
    "dossier": "hồ sơ",
}
_POPULATION_NOUNS: Final = {
    "enterprises": "doanh nghiệp",
    "smes": "doanh nghiệp",
    "party-members-15": "đảng viên",
}


def number(value: Decimal) -> str:
    """``1.234,50``, and whole numbers without decimals, as in letters: dots part thousands."""
    is_whole = value == value.to_integral_value()
    return _vietnamese(f"{value:,.0f}" if is_whole else f"{value:,.2f}")


def percent(value: Decimal) -> str:
    """``45,20%``; whole numbers stand without decimals."""
    return f"{number(value)}%"


def count(value: int) -> str:
    """``1.234.567``."""
    return number(Decimal(value))


def fewer(noun: str = "") -> str:
    """``dưới 11 người``, or without what is counted ``dưới 11``."""
    return f"dưới {SMALLEST} {noun}".rstrip()


def points(difference: Decimal) -> str:
    """``+54,00 điểm %``: how far one share is from another, as in letters with its decimals."""
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    return f"{sign}{_vietnamese(f'{abs(difference):,.2f}')} điểm %"


def period(text: str) -> str:
    """``tháng 10 năm 2026``, ``quý III năm 2026``, ``6 tháng đầu năm 2026``, ``năm 2026``."""
    name = period_in_words(text)
    return name[:1].lower() + name[1:]


def day(moment: date) -> str:
    """``22/11/2026``."""
    return f"{moment:%d/%m/%Y}"


def clock(moment: datetime) -> str:
    """``08:30:05 ngày 22/11/2026``, local time."""
    local = moment.astimezone(LOCAL_ZONE)
    return f"{local:%H:%M:%S} ngày {day(local)}"


def noun(population: str | None, subject: str | None) -> str:
    """What an indicator counts."""
    return _POPULATION_NOUNS.get(population or "") or _NOUNS.get(subject or "", "trường hợp")


def _vietnamese(number: str) -> str:
    return number.translate(str.maketrans(",.", ".,"))
