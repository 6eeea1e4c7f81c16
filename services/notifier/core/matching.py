"""What routes and silences look at in an alert, and whether a matcher fits."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.updates import Severity
from services.notifier.core.alert import Alert, AlertKind
from services.notifier.core.causes import Domain


@dataclass(frozen=True, slots=True)
class Traits:
    """What matchers see of an alert.

    `units` are its unit and all above; `level` is None for a unit that is not known, `set` for what
    is no indicator of the catalogue (a feed, a report).
    """

    units: frozenset[str]
    level: str | None
    indicator: str
    set: str | None
    severity: Severity
    kind: AlertKind


@dataclass(frozen=True, slots=True)
class Matcher:
    """Which alerts are meant: each part that is not empty must hold the alert's.

    A unit among `units` means itself and all below.
    """

    units: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    indicators: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    def fits(self, traits: Traits) -> bool:
        """Whether an alert with these traits is meant."""
        return (
            (not self.units or not self.units.isdisjoint(traits.units))
            and (not self.levels or traits.level in self.levels)
            and (not self.indicators or traits.indicator in self.indicators)
            and (not self.sets or traits.set in self.sets)
            and (not self.severities or traits.severity in self.severities)
            and (not self.kinds or traits.kind in self.kinds)
        )


def one_of(value: str | None) -> frozenset[str]:
    """The part of a matcher that wants just this; None lets everything pass."""
    return frozenset() if value is None else frozenset({value})


def traits_of(alert: Alert, domain: Domain) -> Traits:
    """What matchers see of an alert."""
    area = domain.areas.get(alert.key.area)
    units: Iterable[str] = (
        (alert.key.area,) if area is None else domain.areas.lineage_upward(area.area_id)
    )
    indicator = domain.catalogue.by_id.get(alert.key.indicator)
    return Traits(
        units=frozenset(units),
        level=area.level if area is not None else None,
        indicator=alert.key.indicator,
        set=indicator.set if indicator is not None else None,
        severity=alert.severity,
        kind=alert.kind,
    )
