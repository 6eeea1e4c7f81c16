"""How the report of a unit for a period stands: what is there, what is missing, and since when."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from contracts.reporting import Window
from contracts.times import local_day

Timeliness = Literal["not-due", "on-time", "late", "missing"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """When a unit first and last reported an indicator for a period.

    `version` is that of the unit's report, 0 when the figure came as an event by itself.
    """

    area_id: str
    period: str
    indicator: str
    first_at: datetime
    last_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How one unit's report for one period stands.

    `timeliness` is ``on-time`` or ``late`` by the day on which the last expected indicator first
    came. A report of which only a part has come is ``late`` from the end of the grace on, one of
    which nothing has come ``missing``; before that both are ``not-due``. `late_days` counts from
    the due day to that day, or to today.
    """

    area_id: str
    expected: tuple[str, ...]
    reported: tuple[str, ...]
    missing: tuple[str, ...]
    first_at: datetime | None
    last_at: datetime | None
    completed_at: datetime | None
    version: int
    timeliness: Timeliness
    late_days: int | None

    @property
    def is_complete(self) -> bool:
        """Whether every expected indicator has come."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Sums:
    """How many units there are, and how their reports stand."""

    units: int
    complete: int
    incomplete: int
    on_time: int
    late: int
    missing: int
    not_due: int


def judge(
    area_id: str,
    window: Window,
    expected: Sequence[str],
    receipts: Iterable[Receipt],
    today: date,
) -> Standing:
    """Judge one unit's report for one period.

    Args:
        area_id: the unit.
        window: the days of the period.
        expected: the indicators that the unit reports.
        receipts: what has come from the unit for the period, of any indicator.
        today: the local day.
    """
    came = {receipt.indicator: receipt for receipt in receipts}
    wanted = [came[one] for one in expected if one in came]
    missing = tuple(one for one in expected if one not in came)
    completed_at = max((one.first_at for one in wanted), default=None) if not missing else None
    timeliness, late_days = _timeliness(window, bool(wanted), completed_at, today)
    return Standing(
        area_id=area_id,
        expected=tuple(expected),
        reported=tuple(one.indicator for one in wanted),
        missing=missing,
        first_at=min((one.first_at for one in wanted), default=None),
        last_at=max((one.last_at for one in wanted), default=None),
        completed_at=completed_at,
        version=max((one.version for one in came.values()), default=0),
        timeliness=timeliness,
        late_days=late_days,
    )


def sums(standings: Iterable[Standing]) -> Sums:
    """Count units by how their reports stand."""
    found = list(standings)
    times = Counter(one.timeliness for one in found)
    complete = sum(one.is_complete for one in found)
    return Sums(
        units=len(found),
        complete=complete,
        incomplete=len(found) - complete,
        on_time=times["on-time"],
        late=times["late"],
        missing=times["missing"],
        not_due=times["not-due"],
    )


def _timeliness(
    window: Window, is_begun: bool, completed_at: datetime | None, today: date
) -> tuple[Timeliness, int | None]:
    day = today if completed_at is None else local_day(completed_at)
    if day <= window.grace_until:
        return ("not-due" if completed_at is None else "on-time"), None
    late_days = (day - window.due).days
    return ("late" if is_begun else "missing"), late_days
