"""The rules in force: how one indicator of one unit is judged, and against which lines."""

from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from contracts.areas import Area
from contracts.catalogue import Catalogue, Indicator
from services.notifier.core.aim import Aims, Line, of_catalogue
from services.notifier.core.rule import Freshness, Rule
from services.notifier.rules.model import File, Layer, OwnEntry, merged


class Rules:
    """Answers for every unit and indicator; all is worked out at the start.

    Raises:
        RulesError: where layers together make a rule that cannot be used.
    """

    def __init__(
        self, file: File, catalogue: Catalogue, *, hold_for: timedelta | None = None
    ) -> None:
        self._file = file
        self._general = merged(file.rules, hold_for=hold_for)
        self._by_indicator = {
            indicator.id: merged(file.rules, *self._layers(indicator), hold_for=hold_for)
            for indicator in catalogue
        }
        self._by_unit: dict[str, dict[str, Rule]] = {
            unit: {
                indicator.id: merged(
                    file.rules,
                    *self._layers(indicator),
                    (f"units.{unit}.rules", entry.rules),
                    (
                        f"units.{unit}.indicators.{indicator.id}",
                        entry.indicators.get(indicator.id, OwnEntry()),
                    ),
                    hold_for=hold_for,
                )
                for indicator in catalogue
            }
            for unit, entry in file.units.items()
        }
        self._aims: dict[tuple[str, str], Aims] = {}

    @property
    def units(self) -> frozenset[str]:
        """The units that have something of their own."""
        return frozenset(self._file.units)

    def rule(self, indicator: str, area: str = "") -> Rule:
        """The rule for one indicator, of a unit where it has one of its own."""
        own = self._by_unit.get(area, self._by_indicator)
        return own.get(indicator, self._general)

    def minimum_denominator(self, indicator: str) -> int:
        """Below how many subjects a share of that indicator means nothing."""
        return self.rule(indicator).minimum_denominator

    def aims(self, indicator: Indicator, area: Area) -> Aims:
        """What a unit is measured against."""
        # Units without targets of their own share one answer a level.
        own = self._own(indicator.id, area.area_id)
        key = (indicator.id, area.level if own is None else area.area_id)
        found = self._aims.get(key)
        if found is None:
            found = self._aims[key] = self._aims_of(indicator, area, own)
        return found

    @cached_property
    def freshness(self) -> Freshness:
        """How long feeds may be silent."""
        return self._file.freshness.freshness()

    def _layers(self, indicator: Indicator) -> list[tuple[str, Layer]]:
        return [
            (f"sets.{indicator.set}", self._file.sets.get(indicator.set, Layer())),
            (f"indicators.{indicator.id}", self._file.indicators.get(indicator.id, Layer())),
        ]

    def _own(self, indicator: str, area: str) -> OwnEntry | None:
        unit = self._file.units.get(area)
        return unit.indicators.get(indicator) if unit is not None else None

    def _aims_of(self, indicator: Indicator, area: Area, own: OwnEntry | None) -> Aims:
        line = of_catalogue(indicator).province
        if own is not None and own.targets is not None:
            line = Line(tuple(own.targets.dated()), line.baseline, is_own=True)
        if own is not None and own.baseline is not None:
            line = replace(line, baseline=own.baseline.milestone())
        national = self._file.national
        targets = national.targets.get(indicator.id)
        if targets is None or area.level not in national.levels:
            return Aims(line)
        return Aims(line, Line(tuple(targets.dated()), line.baseline))
