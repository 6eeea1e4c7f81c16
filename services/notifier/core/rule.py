"""From where on a unit lags, for how long, and how fresh its data must be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, get_args

from contracts.areas import Level
from contracts.updates import Severity

ALL_LEVELS: Final[frozenset[Level]] = frozenset(get_args(Level))

#: Severities in their order, the gravest last.
_ORDER: Final[tuple[Severity, ...]] = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Falling:
    """A unit falls when it has lost so many percentage points, in a time about as long as this."""

    points: Decimal
    within: timedelta


@dataclass(frozen=True, slots=True)
class Shift:
    """When the denominator moves by more than `percent`, nothing is judged until it has `settle`d."""

    percent: Decimal
    settle: timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """How one indicator is judged.

    `tolerance` and `hysteresis` are percentage points: a unit lags when it is more than `tolerance`
    under the pace, and has recovered once it is `hysteresis` above that line again. `severities`
    are pairs of points behind the pace and the severity from there on, `late` pairs of how long
    after its day the target will be met at the present speed and the severity from there on; both
    the largest first. Units of `levels` are told. Without `falling` or `shift` that is not asked.
    """

    tolerance: Decimal
    hysteresis: Decimal
    minimum_denominator: int
    hold_for: timedelta
    severities: tuple[tuple[Decimal, Severity], ...]
    late: tuple[tuple[timedelta, Severity], ...] = ()
    levels: frozenset[Level] = ALL_LEVELS
    falling: Falling | None = None
    shift: Shift | None = None

    def severity(self, behind: Decimal, late: timedelta | None = None) -> Severity:
        """How grave it is to stand so many points behind the pace, and to miss a target's day.

        Args:
            behind: percentage points.
            late: by how long the day is missed at the present speed, ``timedelta.max`` where the
                target is never met so; None where nothing is known of it.
        """
        by_gap = _first(one for points, one in self.severities if behind >= points)
        if late is None:
            return by_gap
        by_time = _first(one for time, one in self.late if late >= time)
        return max(by_gap, by_time, key=_ORDER.index)


def _first(severities: Iterable[Severity]) -> Severity:
    return next(iter(severities), "info")


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long a feed may be silent before what it feeds is no longer judged."""

    default: timedelta
    feeds: Mapping[str, timedelta]

    def limit(self, feed: str) -> timedelta:
        """The longest silence of that feed."""
        return self.feeds.get(feed, self.default)
