"""The ground: today's communes of the real province, what came before each, who lives how far out.

Names, areas and coordinates are real (``contracts.areas``). Populations and reach are not: they
are derived from them, in the same way on every machine, and stand in for figures that no source
document gives.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import accumulate
from random import Random
from typing import Final

from contracts.areas import Area, Areas, load
from services.simulator.chance import fraction

#: The day on which the two old provinces became one and the codes changed their meaning.
REFORM_DAY: Final = date(2025, 7, 1)
PROVINCE: Final = "2025:15"

_KM_TO_A_DEGREE: Final = 111.2


@dataclass(frozen=True, slots=True)
class Commune:
    """One of today's communes.

    `weight` is its share of the population, `reach` how easily digital services get there, in
    logits around 0: urban wards lead, far communes lag. `former_codes` are what it was made of.
    """

    area_id: str
    code: str
    urban: bool
    weight: float
    reach: float
    former_codes: tuple[str, ...]

    def code_on(self, moment: datetime, rng: Random) -> str:
        """The code of a place in this commune as it was on that local day."""
        if moment.date() >= REFORM_DAY:
            return self.code
        return rng.choice(self.former_codes)


@dataclass(frozen=True, slots=True)
class Territory:
    """The communes with their cumulative weights."""

    communes: tuple[Commune, ...]
    cumulative: tuple[float, ...]

    def place(self, draw: float) -> int:
        """The index of the commune that a draw from 0 up to 1 falls into."""
        return min(bisect_right(self.cumulative, draw), len(self.communes) - 1)


def _is_urban(area: Area) -> bool:
    return area.name.startswith("Phường")


def _distance_km(one: Area, other: Area) -> float:
    if None in (one.latitude, one.longitude, other.latitude, other.longitude):
        raise ValueError(f"area {one.area_id} or {other.area_id} has no coordinates")
    north = (one.latitude or 0.0) - (other.latitude or 0.0)
    east = (one.longitude or 0.0) - (other.longitude or 0.0)
    east *= math.cos(math.radians(one.latitude or 0.0))
    return _KM_TO_A_DEGREE * math.hypot(north, east)


def _population(area: Area, km_to_town: float) -> float:
    """People to expect: wards are dense, communes grow with their area and thin out far away."""
    km2 = min(area.area_km2 or 100.0, 220.0)
    if _is_urban(area):
        return 18_000 + 180 * km2
    return (9_000 + 45 * km2) / (1.0 + km_to_town / 60.0)


def _reach(area: Area, km_to_town: float) -> float:
    noise = (fraction("reach", area.area_id) - 0.5) * 0.7
    return (0.8 if _is_urban(area) else 0.35 - 0.03 * min(km_to_town, 45.0)) + noise


def _former_codes(areas: Areas) -> dict[str, list[str]]:
    former: dict[str, list[str]] = defaultdict(list)
    for area in areas:
        if area.level == "commune" and area.valid_to is not None:
            former[areas.current(area.area_id, REFORM_DAY)].append(area.code)
    return former


@cache
def territory() -> Territory:
    """The province as it ships with the contract."""
    areas = load()
    units = [area for area in areas.on(REFORM_DAY) if area.level == "commune"]
    towns = [area for area in units if _is_urban(area)]
    km = {unit.area_id: min(_distance_km(unit, town) for town in towns) for unit in units}
    people = {unit.area_id: _population(unit, km[unit.area_id]) for unit in units}
    former = _former_codes(areas)
    total = sum(people.values())
    communes = tuple(
        Commune(
            area_id=unit.area_id,
            code=unit.code,
            urban=_is_urban(unit),
            weight=people[unit.area_id] / total,
            reach=_reach(unit, km[unit.area_id]),
            former_codes=tuple(sorted(former[unit.area_id])),
        )
        for unit in units
    )
    return Territory(communes, tuple(accumulate(commune.weight for commune in communes)))
