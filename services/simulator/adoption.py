"""How far each trait has got in each commune and age band, and when somebody got there.

The province's share is given; communes differ by reach, ages by their odds. One intercept a trait
is solved so that the weighted mean over communes and bands meets the share exactly. A citizen has
a rank from 0 to 1 in every trait and has adopted it when the rank lies under the share of their
commune and band; the day on which it did so follows from the trait's dated shares.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from services.simulator.calibration import BANDS
from services.simulator.chance import fraction
from services.simulator.territory import Commune
from services.simulator.traits import Trait

#: How quickly living closes the gap to the ceiling: 1 - 1/e of it after this many events a head.
EVENTS_A_HEAD: Final = 6.0

_STEPS: Final = 50


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def _solve(shifts: Sequence[tuple[float, float]], share: float) -> float:
    """The intercept at which the weighted mean of logistic(intercept + shift) is the share."""
    low, high = -20.0, 20.0
    total = sum(weight for weight, _ in shifts)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        mean = sum(weight * _logistic(middle + shift) for weight, shift in shifts) / total
        low, high = (middle, high) if mean < share else (low, middle)
    return (low + high) / 2


class Adoption:
    """The shares of one trait by commune and age band, today and at the ceiling."""

    def __init__(
        self, trait: Trait, communes: Sequence[Commune], today: date, *, aged: bool = True
    ) -> None:
        self.trait = trait
        bands = range(len(BANDS)) if aged else range(1)
        place = [
            trait.spread * (commune.reach + (fraction(trait.name, commune.area_id) - 0.5) * 0.8)
            for commune in communes
        ]
        age = [trait.by_age[band] for band in bands]
        heads = [
            (commune.weight * (BANDS[band].share if aged else 1.0), place[at] + age[band])
            for at, commune in enumerate(communes)
            for band in bands
            if not aged or BANDS[band].youngest >= trait.measured_from
        ]
        levels = [_solve(heads, trait.level), _solve(heads, trait.ceiling)]
        self._today, self._ceiling = (
            [
                [
                    _logistic(level + shift + age[band])
                    if not aged or BANDS[band].youngest >= trait.from_age
                    else 0.0
                    for band in bands
                ]
                for shift in place
            ]
            for level in levels
        )
        self._days, self._shares = _curve(trait, today)

    def today(self, place: int, band: int = 0) -> float:
        """The share that has adopted it when the simulation starts."""
        return self._today[place][band]

    def after(self, progress: float, place: int, band: int = 0) -> float:
        """The share when `progress` (0 to 1) of the way to the ceiling is done."""
        now = self._today[place][band]
        return now + (self._ceiling[place][band] - now) * progress

    def day(self, rank: float, place: int, band: int = 0) -> date:
        """The day on which a rank that has adopted it did so."""
        within = min(rank / self._today[place][band], 1.0) * self._shares[-1]
        for at in range(1, len(self._shares)):
            if within <= self._shares[at]:
                first, last = self._days[at - 1], self._days[at]
                part = (within - self._shares[at - 1]) / (self._shares[at] - self._shares[at - 1])
                return date.fromordinal(int(first + part * (last - first)))
        return date.fromordinal(self._days[-1])


def _curve(trait: Trait, today: date) -> tuple[list[int], list[float]]:
    """The trait's dated shares up to today as ordinals and rising shares, beginning with 0."""
    first = min(trait.since, today).toordinal() - 1
    days, shares = [first], [0.0]
    for day, share in trait.earlier:
        if days[-1] < day.toordinal() < today.toordinal() and shares[-1] < share < trait.level:
            days.append(day.toordinal())
            shares.append(share)
    return [*days, today.toordinal()], [*shares, trait.level]


def adoptions(
    traits: Iterable[Trait], communes: Sequence[Commune], today: date, *, aged: bool
) -> dict[str, Adoption]:
    """Trait name → its shares."""
    return {trait.name: Adoption(trait, communes, today, aged=aged) for trait in traits}


def progress(events: int, citizens: int) -> float:
    """How far on the way to the ceilings a province is that has lived through so many events."""
    return 1.0 - math.exp(-events / (EVENTS_A_HEAD * citizens))
