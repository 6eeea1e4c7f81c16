"""Vietnamese wording: numbers, days, and what is counted, as an official letter writes them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from contracts.areas import Area
from contracts.catalogue import Catalogue, Indicator
from contracts.subjects import SubjectKind
from contracts.times import LOCAL_ZONE

_NOUNS: Final = {
    SubjectKind.CITIZEN: "người",
    SubjectKind.HOUSEHOLD: "hộ",
    SubjectKind.ORGANISATION: "tổ chức",
    SubjectKind.INSTITUTION: "cơ sở",
    SubjectKind.DOSSIER: "hồ sơ",
}
#: Populations with a narrower word than their kind of subject.
_POPULATION_NOUNS: Final = {
    "enterprises": "doanh nghiệp",
    "smes": "doanh nghiệp",
    "party-members-15": "đảng viên",
}
_FEEDS: Final = {
    "identity": "Dân cư và định danh điện tử",
    "public-service": "Dịch vụ công trực tuyến",
    "payment": "Thanh toán điện tử",
    "health": "Y tế",
    "telecom": "Viễn thông",
    "community": "Tổ công nghệ số cộng đồng",
    "registry": "Đăng ký tổ chức và cơ sở",
    "report": "Báo cáo của các đơn vị",
}


def percent(value: Decimal) -> str:
    """``45,20%``; whole numbers stand without decimals."""
    whole = value == value.to_integral_value()
    return f"{value:.0f}%" if whole else f"{value:.2f}%".replace(".", ",")


def count(number: int) -> str:
    """``1.234.567``: thousands are parted by dots."""
    return f"{number:,}".replace(",", ".")


def day(moment: date) -> str:
    """``22/11/2026``; a moment is read as its local day."""
    local = moment.astimezone(LOCAL_ZONE) if isinstance(moment, datetime) else moment
    return f"{local:%d/%m/%Y}"


def clock(moment: datetime) -> str:
    """``08 giờ 30 phút ngày 22/11/2026``, local time."""
    local = moment.astimezone(LOCAL_ZONE)
    return f"{local:%H} giờ {local:%M} phút ngày {day(local)}"


def noun(catalogue: Catalogue, indicator: Indicator) -> str:
    """What an indicator counts: ``người``, ``hộ``, ``cơ sở`` and so on."""
    if indicator.is_reported_only:
        return "trường hợp"
    population = catalogue.population_of(indicator)
    return _POPULATION_NOUNS.get(population.name) or _NOUNS.get(population.subject, "trường hợp")


def feed_name(feed: str) -> str:
    """A feed as its readers call it."""
    return _FEEDS.get(feed, feed)


def within(name: str) -> str:
    """A unit's name within a sentence, where its kind is a common noun: ``phường Lào Cai``."""
    return name[:1].lower() + name[1:]


def office(area: Area) -> str:
    """Whom a letter is addressed to: ``Ủy ban nhân dân phường Lào Cai``."""
    return f"Ủy ban nhân dân {within(area.name)}"
