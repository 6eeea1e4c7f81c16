"""Periods and units as Vietnamese administrative papers write them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from contracts.areas import Area, Areas
from contracts.reporting import first_day, kind_of
from contracts.reporting.periods import containing

_ROMAN: Final = ("I", "II", "III", "IV")
_HALVES: Final = ("6 tháng đầu", "6 tháng cuối")


def period_in_words(period: str) -> str:
    """``Tháng 10 năm 2026``, ``Quý III năm 2026``, ``6 tháng đầu năm 2026`` or ``Năm 2026``.

    Raises:
        ValueError: when the text is no period.
    """
    first = first_day(period)
    match kind_of(period):
        case "month":
            return f"Tháng {first.month} năm {first.year}"
        case "quarter":
            return f"Quý {_ROMAN[first.month // 3]} năm {first.year}"
        case "half":
            return f"{_HALVES[first.month // 6]} năm {first.year}"
        case _:
            return f"Năm {first.year}"


def compared_with(period: str) -> Sequence[str]:
    """The periods beside which figures are read: the one before, and the same of last year.

    For a year these are the two years before.

    Raises:
        ValueError: when the text is no period.
    """
    kind, first = kind_of(period), first_day(period)
    before = containing(kind, first - timedelta(days=1))
    if kind == "year":
        return before, str(first.year - 2)
    return before, containing(kind, first.replace(year=first.year - 1))


def unit_in_words(area: Area, areas: Areas) -> str:
    """The unit's full name with what it lies in: ``Phường Yên Ninh, Tỉnh Lào Cai``."""
    return ", ".join(areas[one].name for one in areas.lineage_upward(area.area_id))
