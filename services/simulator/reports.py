"""Units' own figures for the indicators that no event can count.

Two numerators are stated by the article of 20/7/2023: 1,261 party cells ("1.261 chi bộ triển
khai") and above 16,000 farm households ("trên 16.000 hộ sản xuất nông nghiệp"). Every other figure,
and every denominator, is invented.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from services.simulator.chance import chance
from services.simulator.envelopes import Event, Writer
from services.simulator.territory import PROVINCE, Territory


@dataclass(frozen=True, slots=True)
class Share:
    """A ratio that one office reports: about this share of so many, or this stated numerator."""

    indicator: str
    share: float
    of: int
    stated: int | None = None


#: Reported for the province as a whole.
_PROVINCE: Final = (
    Share("dt.gov.1", 0.83, 1_742),
    Share("dt.gov.5", 0.91, 486_300),
    Share("dt.gov.6", 0.57, 21),
    Share("dt.gov.7", 0.88, 24_150),
    Share("dt.gov.8", 0.33, 21),
    Share("dt.gov.9", 0.79, 3_420),
    Share("nf.farm-commerce", 0.0, 147_000, stated=16_040),
    Share("nf.party-handbook-cells", 0.0, 1_300, stated=1_261),
)
#: Quantities of the province: value of last year, growth a year. Percent of GRDP, million VND a
#: worker, percent of retail sales.
_QUANTITIES: Final = (
    ("dt.eco.1", 14.2, 0.9),
    ("dt.eco.2", 104.5, 6.8),
    ("dt.eco.6", 8.1, 0.7),
)
#: Reported by every commune.
_COMMUNES: Final = (Share("dt.soc.5", 0.93, 100), Share("nf.community-teams", 0.99, 14))


def period_before(day: date) -> str:
    """The last full month before a day: ``2026-10`` for any day of November 2026."""
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return f"{year:04d}-{month:02d}"


class Reporter:
    """Writes the reports of one seed."""

    def __init__(self, seed: int, writer: Writer, territory: Territory) -> None:
        self._seed = seed
        self._writer = writer
        self._territory = territory

    def monthly(self, moment: datetime) -> Iterator[Event]:
        """Everything that the province and its communes report for the month before a moment."""
        period = period_before(moment.date())
        for share in _PROVINCE:
            yield self._ratio(PROVINCE, share, period, moment)
        for indicator, value, growth in _QUANTITIES:
            grown = round(value + growth * (moment.date().toordinal() - 739_252) / 365.25, 2)
            yield self._write(PROVINCE, indicator, period, moment, {"value": grown})
        for commune in self._territory.communes:
            for share in _COMMUNES:
                yield self._ratio(commune.area_id, share, period, moment)

    def one(self, moment: datetime, draw: float) -> Event:
        """One commune's report, sent again or corrected."""
        commune = self._territory.communes[self._territory.place(draw)]
        share = _COMMUNES[int(draw * 1000) % len(_COMMUNES)]
        return self._ratio(commune.area_id, share, period_before(moment.date()), moment)

    def _ratio(self, area_id: str, share: Share, period: str, moment: datetime) -> Event:
        luck = chance(self._seed, "report", area_id, share.indicator, period)
        denominator = max(round(share.of * luck.uniform(0.9, 1.1)), 1)
        if area_id == PROVINCE:
            denominator = share.of
        near = min(max(share.share + luck.gauss(0.0, 0.02), 0.0), 1.0)
        numerator = round(denominator * near) if share.stated is None else share.stated
        ratio = {"numerator": numerator, "denominator": denominator}
        return self._write(area_id, share.indicator, period, moment, ratio)

    def _write(
        self, area_id: str, indicator: str, period: str, moment: datetime, figures: dict[str, Any]
    ) -> Event:
        data = {"indicator": indicator, "period": period, **figures}
        key = f"report|{area_id}|{indicator}|{moment.isoformat()}"
        return self._writer.write(key, "report.figures-submitted", f"area:{area_id}", moment, data)
