"""Periods as the contract writes them: ``2026-10``, ``2026-Q3``, ``2026-H1`` and ``2026``."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, Literal, get_args

PeriodKind = Literal["month", "quarter", "half", "year"]
KINDS: Final[tuple[PeriodKind, ...]] = get_args(PeriodKind)

#: How many months a period of each kind has.
MONTHS: Final[dict[PeriodKind, int]] = {"month": 1, "quarter": 3, "half": 6, "year": 12}

_FORM: Final = re.compile(
    r"(?P<year>(?:19|20)[0-9]{2})"
    r"(?:-(?P<month>0[1-9]|1[0-2])|-Q(?P<quarter>[1-4])|-H(?P<half>[12]))?",
    re.ASCII,
)


def kind_of(period: str) -> PeriodKind:
    """Whether a period is a month, a quarter, a half or a year.

    Raises:
        ValueError: when the text is no period.
    """
    return _parts(period)[0]


def first_day(period: str) -> date:
    """The first day of a period.

    Raises:
        ValueError: when the text is no period.
    """
    kind, year, number = _parts(period)
    return date(year, (number - 1) * MONTHS[kind] + 1, 1)


def last_day(period: str) -> date:
    """The last day of a period.

    Raises:
        ValueError: when the text is no period.
    """
    kind, year, number = _parts(period)
    month = number * MONTHS[kind]
    return date(year, month, monthrange(year, month)[1])


def containing(kind: PeriodKind, day: date) -> str:
    """The period of a kind in which a day lies."""
    number = (day.month - 1) // MONTHS[kind] + 1
    if kind == "month":
        return f"{day.year:04d}-{number:02d}"
    if kind == "year":
        return f"{day.year:04d}"
    return f"{day.year:04d}-{'Q' if kind == 'quarter' else 'H'}{number}"


def between(kind: PeriodKind, first: date, last: date) -> Iterator[str]:
    """The periods of a kind of which some day lies between two days, earliest first."""
    day = first
    while day <= last:
        period = containing(kind, day)
        yield period
        day = last_day(period) + timedelta(days=1)


def _parts(period: str) -> tuple[PeriodKind, int, int]:
    found = _FORM.fullmatch(period)
    if found is None:
        raise ValueError(
            f"{period!r} is no period; write a month as 2026-10, a quarter as 2026-Q3, "
            "a half year as 2026-H1 or a year as 2026"
        )
    year = int(found["year"])
    for kind in KINDS[:3]:
        if found[kind] is not None:
            return kind, year, int(found[kind])
    return "year", year, 1
