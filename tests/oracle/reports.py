"""Reported figures, where the contract says only that a report carries them.

The rule (chosen by the project, since the contract is silent): a unit's own latest report speaks
for it, latest by the end of its period. A unit without one gets the sum of the ratios of the units
right below it, of the latest period among them. Agencies report as parts of the province.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tests.oracle.said import Said


@dataclass(frozen=True)
class Report:
    """One reported figure: a ratio or a value."""

    period: str
    numerator: int | None
    denominator: int | None
    value: Fraction | None
    """As reported; for a ratio the percentage."""

    @property
    def recency(self) -> tuple[date, str]:
        """The latest period end comes last; of two periods with one end, the later text."""
        return period_end(self.period), self.period


def period_end(period: str) -> date:
    """The last day of ``2026-10``, ``2026-Q3``, ``2026-H1`` or ``2026``."""
    year = int(period[:4])
    rest = period[5:]
    if rest == "":
        month = 12
    elif rest[0] == "Q":
        month = 3 * int(rest[1])
    elif rest[0] == "H":
        month = 6 * int(rest[1])
    else:
        month = int(rest)
    return date(year, month, monthrange(year, month)[1])


class Reports:
    """All reports, and who speaks for whom."""

    def __init__(self, events: list[Said]) -> None:
        latest: dict[tuple[str, str, str], Said] = {}
        for said in sorted(events, key=lambda said: said.order):
            latest[said.subject, said.data["indicator"], said.data["period"]] = said
        self._own: dict[tuple[str, str], Report] = {}
        for (subject, indicator, _), said in latest.items():
            report = _report(said)
            known = self._own.get((subject, indicator))
            if known is None or report.recency > known.recency:
                self._own[subject, indicator] = report

    def of_commune(self, area_id: str, indicator: str) -> Report | None:
        """What a commune says of itself; there is nothing below it."""
        return self._own.get((f"area:{area_id}", indicator))

    def of_province(self, area_id: str, communes: list[str], indicator: str) -> Report | None:
        """What the province says of itself, or else what its communes and agencies add up to."""
        own = self._own.get((f"area:{area_id}", indicator))
        if own is not None:
            return own
        agencies = [
            report
            for (subject, about), report in sorted(self._own.items(), key=lambda item: item[0])
            if subject.startswith("agency:") and about == indicator
        ]
        below = [self.of_commune(commune, indicator) for commune in communes]
        parts = [report for report in below if report is not None] + agencies
        ratios = [report for report in parts if report.denominator is not None]
        if ratios:
            period = max(report.recency for report in ratios)[1]
            chosen = [report for report in ratios if report.period == period]
            numerator = sum(report.numerator or 0 for report in chosen)
            denominator = sum(report.denominator or 0 for report in chosen)
            return Report(period, numerator, denominator, Fraction(100 * numerator, denominator))
        # Quantities cannot be added; of an agency's it is known that they are of the province.
        return max(agencies, key=lambda report: report.recency, default=None)


def _report(said: Said) -> Report:
    data = said.data
    if "value" in data:
        return Report(data["period"], None, None, Fraction(str(data["value"])))
    numerator, denominator = data["numerator"], data["denominator"]
    share = Fraction(100 * numerator, denominator)
    return Report(data["period"], numerator, denominator, share)
