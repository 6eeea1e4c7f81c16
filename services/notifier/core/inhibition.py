"""What fires elsewhere hushes what follows from it.

A unit above that lags in an indicator hushes the lesser alerts of that indicator below, for who is
to act is known; and a silent source hushes what depends on it, for its figures mean nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.updates import Severity
from services.notifier.core.alert import SOURCE_PREFIX, Alert
from services.notifier.core.causes import Domain
from services.notifier.core.matching import Traits
from services.notifier.core.stop import Stop

_WEIGHT: Final[Mapping[Severity, int]] = {"info": 0, "warning": 1, "critical": 2}


@dataclass(frozen=True, slots=True)
class Hushing:
    """What hushes others: lags of units that have units below, and feeds that are silent.

    `lags` is (unit, indicator) → how grave.
    """

    lags: Mapping[tuple[str, str], Severity]
    silent_feeds: frozenset[str]

    def hushes(self, alert: Alert, traits: Traits, domain: Domain) -> Stop | None:
        """Why an alert of an indicator is hushed, or None."""
        if alert.kind != "pace":
            return None
        indicator = domain.catalogue.by_id.get(alert.key.indicator)
        if (
            indicator is not None
            and alert.key.basis == "events"
            and not self.silent_feeds.isdisjoint(domain.catalogue.feeds_of(indicator))
        ):
            return Stop.SOURCE_SILENT
        for unit in traits.units - {alert.key.area}:
            above = self.lags.get((unit, alert.key.indicator))
            if above is not None and _WEIGHT[above] > _WEIGHT[alert.severity]:
                return Stop.HIGHER_LAGS
        return None


def hushing(firing: Iterable[Alert]) -> Hushing:
    """What hushes others among firing alerts of units that have units below, and of feeds."""
    lags: dict[tuple[str, str], Severity] = {}
    feeds: set[str] = set()
    for alert in firing:
        if alert.kind == "source-silent":
            feeds.add(alert.key.indicator.removeprefix(SOURCE_PREFIX))
        elif alert.kind == "pace":
            lags[alert.key.area, alert.key.indicator] = alert.severity
    return Hushing(lags, frozenset(feeds))
