"""Wording in Vietnamese and English: numbers, days, units, and what is counted.

Vietnamese stands as an official letter writes it, and is the language where none is named.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from contracts.areas import Area
from contracts.catalogue import Catalogue, Indicator
from contracts.subjects import SubjectKind
from contracts.times import LOCAL_ZONE

Language = Literal["vi", "en"]

_NOUNS: Final = {
    SubjectKind.CITIZEN: ("người", "people"),
    SubjectKind.HOUSEHOLD: ("hộ", "households"),
    SubjectKind.ORGANISATION: ("tổ chức", "organisations"),
    SubjectKind.INSTITUTION: ("cơ sở", "institutions"),
    SubjectKind.DOSSIER: ("hồ sơ", "dossiers"),
}
_CASES: Final = ("trường hợp", "cases")
#: Populations with a narrower word than their kind of subject.
_POPULATION_NOUNS: Final = {
    "enterprises": ("doanh nghiệp", "enterprises"),
    "smes": ("doanh nghiệp", "enterprises"),
    "party-members-15": ("đảng viên", "party members"),
}
_FEEDS: Final = {
    "identity": ("Dân cư và định danh điện tử", "Population and electronic identity"),
    "public-service": ("Dịch vụ công trực tuyến", "Online public services"),
    "payment": ("Thanh toán điện tử", "Electronic payment"),
    "health": ("Y tế", "Health"),
    "telecom": ("Viễn thông", "Telecommunications"),
    "community": ("Tổ công nghệ số cộng đồng", "Community digital technology teams"),
    "registry": ("Đăng ký tổ chức và cơ sở", "Register of organisations and institutions"),
    "report": ("Báo cáo của các đơn vị", "Reports of units"),
}
#: Units are named with their kind first: ``Phường Lào Cai``.
_KINDS_OF_UNIT: Final = {
    "Tỉnh": "province",
    "Thành phố": "city",
    "Quận": "district",
    "Huyện": "district",
    "Thị xã": "town",
    "Thị trấn": "township",
    "Phường": "ward",
    "Xã": "commune",
    "Đặc khu": "special zone",
}


def percent(value: Decimal, language: Language = "vi") -> str:
    """``45,20%``; whole numbers stand without decimals."""
    whole = value == value.to_integral_value()
    return f"{value:.0f}%" if whole else f"{_decimals(value, language)}%"


def points(value: Decimal, language: Language = "vi") -> str:
    """``2,30 điểm phần trăm``, without a sign."""
    unit = {"vi": "điểm phần trăm", "en": "percentage points"}[language]
    return f"{_decimals(abs(value), language)} {unit}"


def count(number: int, language: Language = "vi") -> str:
    """``1.234.567``: thousands are parted by dots, in English by commas."""
    text = f"{number:,}"
    return text.replace(",", ".") if language == "vi" else text


def day(moment: date, language: Language = "vi") -> str:
    """``22/11/2026``, in English ``22 November 2026``; a moment is read as its local day."""
    local = moment.astimezone(LOCAL_ZONE) if isinstance(moment, datetime) else moment
    if language == "en":
        return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"
    return f"{local:%d/%m/%Y}"


def month(moment: date, language: Language = "vi") -> str:
    """``11/2026``, in English ``November 2026``."""
    if language == "en":
        return f"{_MONTHS[moment.month - 1]} {moment.year}"
    return f"{moment:%m/%Y}"


def clock(moment: datetime, language: Language = "vi") -> str:
    """``08 giờ 30 phút ngày 22/11/2026``, local time."""
    local = moment.astimezone(LOCAL_ZONE)
    if language == "en":
        return f"{local:%H:%M} on {day(local, language)}"
    return f"{local:%H} giờ {local:%M} phút ngày {day(local)}"


def span(time: timedelta, language: Language = "vi") -> str:
    """``4 ngày 6 giờ``, in English ``4 days 6 hours``; under an hour in minutes."""
    hours, seconds = divmod(int(time.total_seconds()), 3600)
    days, hours = divmod(hours, 24)
    parts = [(days, "ngày", "day"), (hours, "giờ", "hour")]
    if not days and not hours:
        parts = [(seconds // 60, "phút", "minute")]
    named = [
        f"{number} {vi}" if language == "vi" else f"{number} {en}{'' if number == 1 else 's'}"
        for number, vi, en in parts
        if number or len(parts) == 1
    ]
    return " ".join(named)


def noun(catalogue: Catalogue, indicator: Indicator) -> str:
    """What an indicator counts: ``người``, ``hộ``, ``cơ sở`` and so on."""
    return _nouns(catalogue, indicator)[0]


def noun_en(catalogue: Catalogue, indicator: Indicator) -> str:
    """The same in English: ``people``, ``households``, ``institutions`` and so on."""
    return _nouns(catalogue, indicator)[1]


def feed_name(feed: str, language: Language = "vi") -> str:
    """A feed as its readers call it."""
    vi, en = _FEEDS.get(feed, (feed, feed))
    return vi if language == "vi" else en


def within(name: str) -> str:
    """A unit's name within a sentence, where its kind is a common noun: ``phường Lào Cai``."""
    return name[:1].lower() + name[1:]


def unit_en(name: str) -> str:
    """A unit's name in English: ``Lào Cai ward``; as it is where its kind is not known."""
    for kind, word in _KINDS_OF_UNIT.items():
        if name.startswith(f"{kind} "):
            return f"{name.removeprefix(kind).strip()} {word}"
    return name


def office(area: Area) -> str:
    """Whom a letter is addressed to: ``Ủy ban nhân dân phường Lào Cai``."""
    return f"Ủy ban nhân dân {within(area.name)}"


def office_en(area: Area) -> str:
    """The same in English: ``People's Committee of Lào Cai ward``."""
    return f"People's Committee of {unit_en(area.name)}"


def _decimals(value: Decimal, language: Language) -> str:
    text = f"{value:.2f}"
    return text.replace(".", ",") if language == "vi" else text


def _nouns(catalogue: Catalogue, indicator: Indicator) -> tuple[str, str]:
    if indicator.is_reported_only:
        return _CASES
    population = catalogue.population_of(indicator)
    return _POPULATION_NOUNS.get(population.name) or _NOUNS.get(population.subject, _CASES)


_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
