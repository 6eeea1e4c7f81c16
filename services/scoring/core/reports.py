"""Reported figures: what units say of themselves, beside what events say.

A unit's own latest report speaks for it. Where a unit has not reported, the ratios of the units
below it (and, for the province, of its agencies) for their latest common period are added up;
quantities that are no ratio are never added. A unit that a reform has ended counts in such a sum
until one that took over from it has reported for the same time.
"""

from calendar import monthrange
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Figure:
    """A reported ratio or value of one indicator, and the period it is for."""

    period: str
    numerator: int | None
    denominator: int | None
    value: Decimal | None


def period_end(period: str) -> date:
    """The last day of a reporting period: ``2026-10``, ``2026-Q3``, ``2026-H1`` or ``2026``."""
    year, _, part = period.partition("-")
    if part.startswith("Q"):
        month = int(part[1]) * 3
    elif part.startswith("H"):
        month = int(part[1]) * 6
    else:
        month = int(part) if part else 12
    return date(int(year), month, monthrange(int(year), month)[1])


def _recency(figure: Figure) -> tuple[date, str]:
    return period_end(figure.period), figure.period


def total(figures: Iterable[Figure]) -> Figure | None:
    """The sum of the ratios of the latest period among `figures`, or None without any."""
    ratios = [figure for figure in figures if figure.denominator is not None]
    if not ratios:
        return None
    period = max(ratios, key=_recency).period
    chosen = [figure for figure in ratios if figure.period == period]
    return Figure(
        period,
        sum(figure.numerator or 0 for figure in chosen),
        sum(figure.denominator or 0 for figure in chosen),
        None,
    )


def superseded(
    own: Mapping[str, Figure], successors: Callable[[str], Iterable[str]]
) -> frozenset[str]:
    """The units whose report a successor has made again, for the same period or a later one."""
    return frozenset(
        area_id
        for area_id, figure in own.items()
        if any(
            heir in own and period_end(own[heir].period) >= period_end(figure.period)
            for heir in successors(area_id)
        )
    )


def reported_figure(
    area_id: str,
    own: Mapping[str, Figure],
    children: Callable[[str], Sequence[str]],
    agencies: Sequence[Figure],
    not_added: Collection[str] = (),
) -> Figure | None:
    """The reported figure of a unit.

    Args:
        area_id: the unit.
        own: the latest report of each unit that has made one.
        children: ids of the units directly below one.
        agencies: the latest reports of agencies, which report as parts of this unit.
        not_added: ids of units below that do not count in sums; see `superseded`.
    """
    if area_id in own:
        return own[area_id]
    parts = [
        reported_figure(child, own, children, (), not_added)
        for child in children(area_id)
        if child not in not_added
    ]
    summed = total([*(part for part in parts if part is not None), *agencies])
    if summed is None and agencies:
        return max(agencies, key=_recency)
    return summed
