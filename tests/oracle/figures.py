"""The oracle: every figure that scoring must show, computed from the log of accepted events.

Plainest way: sort each subject's events, walk them, ask each indicator in turn. No shortcuts, no
state, and nothing taken from the code under test, so that an error there is not repeated here.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from tests.oracle import bodies, citizens
from tests.oracle.reports import Report, Reports
from tests.oracle.said import Said, read
from tests.oracle.tally import Tally
from tests.oracle.territory import Territory

_INDICATORS: Final = Path(__file__).parents[1] / "contract" / "data" / "indicators.csv"


@dataclass(frozen=True)
class Expected:
    """One figure of one unit."""

    basis: str
    numerator: int | None
    denominator: int | None
    value: Fraction | None
    period: str | None = None
    beside: Report | None = None
    """What was reported of a figure that is counted from events."""


#: (area id, indicator id) → figure.
Figures = Mapping[tuple[str, str], Expected]


def figures(events: Iterable[dict[str, Any]], today: date) -> Figures:
    """Every indicator of the province and of each commune of that day.

    Args:
        events: all accepted events in edge form, in any order, with duplicates.
        today: the local day in Asia/Ho_Chi_Minh.
    """
    territory = Territory(today)
    by_subject: defaultdict[str, list[Said]] = defaultdict(list)
    for event in events:
        said = read(event)
        by_subject[said.subject].append(said)
    tally, reports = Tally(), list[Said]()
    for heard in by_subject.values():
        heard.sort(key=lambda said: said.order)
        match heard[0].kind:
            case "citizen":
                citizens.count(heard, territory, today, tally)
            case "area" | "agency":
                reports += heard
            case _:
                bodies.count(heard, territory, tally)
    return _all_figures(territory, tally, Reports(reports))


def _all_figures(territory: Territory, tally: Tally, reports: Reports) -> Figures:
    found: dict[tuple[str, str], Expected] = {}
    province, communes = territory.province, territory.communes
    for indicator, is_reported in indicator_ids().items():
        for commune in communes:
            counted = None if is_reported else tally.of([commune], indicator)
            reported = reports.of_commune(commune, indicator)
            found[commune, indicator] = _figure(counted, reported)
        counted = None if is_reported else tally.of([province, *communes], indicator)
        reported = reports.of_province(province, communes, indicator)
        found[province, indicator] = _figure(counted, reported)
    return found


def _figure(counted: tuple[int, int] | None, reported: Report | None) -> Expected:
    """Events speak where they count anybody, and reports where they do not."""
    if counted is not None and (counted[1] > 0 or reported is None):
        numerator, denominator = counted
        share = Fraction(100 * numerator, denominator) if denominator else None
        return Expected("events", numerator, denominator, share, beside=reported)
    if reported is None:
        return Expected("reported", None, None, None)
    said = (reported.numerator, reported.denominator, reported.value, reported.period)
    return Expected("reported", *said)


def indicator_ids() -> dict[str, bool]:
    """Indicator id → whether only reports feed it, from the reference data."""
    with _INDICATORS.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["feed"] == "report" for row in csv.DictReader(file)}
