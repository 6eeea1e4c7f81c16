"""The lines of a digest: how each indicator of a unit stands, and how it has moved.

What `contracts/disclosure.py` withholds does not get into it: nobody can be made out.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from contracts.disclosure import is_few
from services.notifier.core import wording
from services.notifier.core.alert import Alert
from services.notifier.core.causes import Domain
from services.notifier.core.detail import indicator_name
from services.notifier.core.digest import DigestHolding, DigestLine
from services.notifier.core.figure import Figure, FigureKey, Standing, is_judged, standing

MOST_HOLDING: Final = 5
"""So many units are named as those that hold an indicator back."""

Lines = Mapping[str, DigestLine]
"""Indicator → its line, of one unit."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of a unit and those below: as measured for the period, and before it."""

    measured_at: datetime
    now: Mapping[FigureKey, Figure]
    before: Mapping[FigureKey, Figure]
    before_on: date | None


def lines_of(area: str, measures: Measures, domain: Domain, today: date) -> dict[str, DigestLine]:
    """Of the figures of a unit those that are judged and may be shown, by indicator."""
    found = {}
    for indicator in domain.catalogue:
        key = FigureKey(area, indicator.id, "reported" if indicator.is_reported_only else "events")
        figure = measures.now.get(key)
        aims = domain.aims(indicator, domain.areas[area])
        if figure is None or not is_judged(indicator, key.basis, aims):
            continue
        stands = _shown(figure, domain, today)
        if stands is None or stands.value is None:
            continue
        earlier = measures.before.get(key)
        then = _shown(earlier, domain, today) if earlier is not None else None
        before = then.value if then is not None else None
        found[indicator.id] = DigestLine(
            indicator=indicator.id,
            indicator_name=indicator.name.vi,
            indicator_name_en=indicator.name.en,
            value=stands.value,
            before=before,
            change=None if before is None else stands.value - before,
            pace=stands.pace,
            target=stands.target,
            gap_people=None if is_few(stands.gap_people) else stands.gap_people,
            noun=wording.noun(domain.catalogue, indicator),
            noun_en=wording.noun_en(domain.catalogue, indicator),
        )
    return found


def lagging_line(
    alert: Alert, lines: Lines, domain: Domain, promised_on: date | None, today: date
) -> DigestLine:
    """The line of an indicator that lags, with what its unit has promised."""
    line = lines.get(alert.key.indicator)
    if line is None:
        # Its figures are of few, so that it lags is all that may be said.
        indicator = domain.catalogue.by_id.get(alert.key.indicator)
        line = DigestLine(
            indicator=alert.key.indicator,
            indicator_name=indicator_name(domain, alert.key.indicator),
            indicator_name_en=indicator.name.en if indicator is not None else "",
        )
    said = {
        "severity": alert.severity,
        "promised_on": promised_on,
        "is_overdue": promised_on is not None and promised_on < today,
    }
    return line.model_copy(update=said)


def with_units(
    line: DigestLine,
    units: Mapping[str, Lines],
    behind: Mapping[str, Collection[str]],
    domain: Domain,
) -> DigestLine:
    """A line with the units below that hold its indicator back.

    Args:
        line: one indicator of the unit above.
        units: the lines of each unit below.
        behind: unit → the indicators that lag there.
        domain: knows what units are called.
    """
    there = {
        unit: lines[line.indicator] for unit, lines in units.items() if line.indicator in lines
    }
    held_back = [
        DigestHolding(
            area=unit,
            area_name=domain.areas[unit].name,
            value=one.value,
            gap_people=one.gap_people,
        )
        for unit, one in there.items()
        if one.value is not None and one.gap_people
    ]
    held_back.sort(key=lambda one: (-one.gap_people, one.area))
    said = {
        "units_judged": len(there),
        "units_lagging": sum(1 for unit in there if line.indicator in behind.get(unit, ())),
        "held_back": tuple(held_back[:MOST_HOLDING]),
    }
    return line.model_copy(update=said)


def nearest_to_lagging(line: DigestLine) -> tuple[bool, Decimal, str]:
    """For sorting: what is least ahead of its pace stands first, what has no pace last."""
    if line.pace is None or line.value is None:
        return True, Decimal(0), line.indicator
    return False, line.value - line.pace, line.indicator


def _shown(figure: Figure, domain: Domain, today: date) -> Standing | None:
    if not domain.may_be_told(figure):
        return None
    indicator = domain.catalogue.by_id[figure.key.indicator]
    aims = domain.aims(indicator, domain.areas[figure.key.area])
    return standing(indicator, figure, today, aims)
