"""What holds a unit back: criteria of a composite, and units below with the largest gaps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from contracts.agencies import NO_AGENCIES, Agencies
from contracts.areas import Area, Areas
from contracts.catalogue import Catalogue, Indicator
from contracts.disclosure import Withheld, counts_people, is_few, withheld
from services.notifier.core.aim import Aims, of_catalogue
from services.notifier.core.figure import Figure, FigureKey, Standing, standing

Counted = Figure | Standing

LONGEST: Final = 3
"""So many criteria and so many units are named."""


@dataclass(frozen=True, slots=True)
class HoldingCriterion:
    """A criterion of a composite indicator, and its share in percent."""

    indicator: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class HoldingArea:
    """A unit below, its share in percent, and how many are missing there to stand on the pace."""

    area: str
    value: Decimal
    gap_people: int


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What holds a unit back, worst first."""

    criteria: tuple[HoldingCriterion, ...] = ()
    areas: tuple[HoldingArea, ...] = ()


def keys_needed(key: FigureKey, indicator: Indicator, children: Sequence[str]) -> list[FigureKey]:
    """The figures that `held_back` looks at."""
    criteria = [FigureKey(key.area, criterion, key.basis) for criterion in indicator.criteria]
    return criteria + [FigureKey(child, key.indicator, key.basis) for child in children]


def children_on(areas: Areas, area_id: str, today: date) -> list[str]:
    """The units directly below that exist on a day."""
    return [area.area_id for area in areas.children(area_id) if area.is_valid(today)]


def held_back(
    key: FigureKey,
    indicator: Indicator,
    children: Sequence[str],
    figures: Mapping[FigureKey, Figure],
    *,
    may_be_told: Callable[[Figure], bool],
    today: date,
    aims: Callable[[str], Aims] | None = None,
) -> HeldBack:
    """Name what holds a unit back in one indicator.

    `aims` says what a unit below is measured against; without it, the catalogue does.

    What may not be told of few people is left out, and so are gaps of so few.
    """
    criteria = [
        HoldingCriterion(criterion, figure.value)
        for criterion in indicator.criteria
        if (figure := figures.get(FigureKey(key.area, criterion, key.basis))) is not None
        and figure.value is not None
        and may_be_told(figure)
    ]
    areas = []
    for child in children:
        figure = figures.get(FigureKey(child, key.indicator, key.basis))
        if figure is None or not may_be_told(figure):
            continue
        there = standing(indicator, figure, today, aims(child) if aims is not None else None)
        if there.value is not None and there.gap_people and not is_few(there.gap_people):
            areas.append(HoldingArea(child, there.value, there.gap_people))
    criteria.sort(key=lambda one: (one.value, one.indicator))
    areas.sort(key=lambda one: (-one.gap_people, one.area))
    return HeldBack(tuple(criteria[:LONGEST]), tuple(areas[:LONGEST]))


@dataclass(frozen=True, slots=True)
class Domain:
    """What the notifier knows beside figures: units, catalogue, and how small is too small.

    `agencies` answer for indicators of the province; `aims` says what a unit is measured against,
    `longest_silence` how long a feed may say nothing, where that is known.
    """

    areas: Areas
    catalogue: Catalogue
    minimum_denominator: Callable[[str], int]
    agencies: Agencies = NO_AGENCIES
    aims: Callable[[Indicator, Area], Aims] = lambda indicator, _: of_catalogue(indicator)
    longest_silence: Callable[[str], timedelta | None] = lambda _: None

    def keys_for(self, keys: Sequence[FigureKey], today: date) -> list[FigureKey]:
        """The figures to read before `held_back` is asked about these."""
        found: dict[FigureKey, None] = {}
        for key in keys:
            indicator = self.catalogue.by_id.get(key.indicator)
            if indicator is not None:
                children = children_on(self.areas, key.area, today)
                found.update(dict.fromkeys(keys_needed(key, indicator, children)))
        return list(found)

    def held_back(
        self, key: FigureKey, figures: Mapping[FigureKey, Figure], today: date
    ) -> HeldBack:
        """What holds the unit of `key` back; nothing for what is not in the catalogue."""
        indicator = self.catalogue.by_id.get(key.indicator)
        if indicator is None:
            return HeldBack()
        return held_back(
            key,
            indicator,
            children_on(self.areas, key.area, today),
            figures,
            may_be_told=self.may_be_told,
            today=today,
            aims=lambda child: self.aims(indicator, self.areas[child]),
        )

    def withheld(self, indicator: str, stands: Counted) -> Withheld | None:
        """Why a figure of few people may not be told as it is; None where it may."""
        known = self.catalogue.by_id.get(indicator)
        if known is None:
            return None
        return withheld(
            stands.numerator,
            stands.denominator,
            minimum_denominator=self.minimum_denominator(indicator),
            people=counts_people(self.catalogue, known),
        )

    def may_be_told(self, figure: Figure) -> bool:
        """Whether a figure is of enough people to be told."""
        return self.withheld(figure.key.indicator, figure) is None
