"""Rules of judgement: from where on a unit lags, for how long, and how fresh its data must be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from contracts.updates import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """How one indicator is judged.

    `tolerance` and `hysteresis` are percentage points: a unit lags when it is more than `tolerance`
    under the pace, and has recovered once it is `hysteresis` above that line again. `severities`
    are pairs of points behind the pace and the severity from there on, the largest first.
    """

    tolerance: Decimal
    hysteresis: Decimal
    minimum_denominator: int
    hold_for: timedelta
    severities: tuple[tuple[Decimal, Severity], ...]

    def severity(self, behind: Decimal) -> Severity:
        """How grave it is to stand so many points behind the pace."""
        for points, severity in self.severities:
            if behind >= points:
                return severity
        return "info"


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long a feed may be silent before what it feeds is no longer judged."""

    default: timedelta
    feeds: Mapping[str, timedelta]

    def limit(self, feed: str) -> timedelta:
        """The longest silence of that feed."""
        return self.feeds.get(feed, self.default)
