"""Administrative units with validity and lineage.

Codes are reused: 02647 was Phường Kim Tân until 30 June 2025 and is Phường Lào Cai since. A code
is therefore read as of a day, and ``area_id`` (``<code system>:<code>``) names one unit for ever.
Data: ``contracts/data/areas.csv`` and ``area_lineage.csv``, from the MIT-licensed data set of the
package vietnamadminunits 1.0.4.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, Literal

Level = Literal["province", "district", "commune"]
LEVELS: Final[tuple[Level, ...]] = ("province", "district", "commune")


@dataclass(frozen=True, slots=True)
class Area:
    """One unit. Valid from the first to the last day, both included; None means open."""

    area_id: str
    code: str
    name: str
    level: Level
    parent_id: str | None
    valid_from: date | None
    valid_to: date | None
    latitude: float | None
    longitude: float | None
    area_km2: float | None

    def is_valid(self, on: date) -> bool:
        """Whether the unit exists on that day."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )


@dataclass(frozen=True, slots=True)
class Succession:
    """One unit takes over from another (wholly, or one of `from_parts` parts) on a day."""

    from_area_id: str
    to_area_id: str
    effective_on: date
    from_parts: int


class Areas:
    """All units of all times, and which took over from which."""

    def __init__(self, areas: Iterable[Area], lineage: Iterable[Succession]) -> None:
        self.by_id: Mapping[str, Area] = _distinct(areas)
        self._by_code: dict[str, list[Area]] = defaultdict(list)
        self._children: dict[str, list[Area]] = defaultdict(list)
        self._successors: dict[str, list[Succession]] = defaultdict(list)
        for area in self.by_id.values():
            self._by_code[area.code].append(area)
            if area.parent_id is not None:
                self._children[area.parent_id].append(area)
        for succession in lineage:
            self._successors[succession.from_area_id].append(succession)
        self._check()

    def _check(self) -> None:
        for area in self.by_id.values():
            if area.parent_id is not None and area.parent_id not in self.by_id:
                raise ValueError(f"area {area.area_id} has an unknown parent {area.parent_id}")
        for successions in self._successors.values():
            for succession in successions:
                for area_id in (succession.from_area_id, succession.to_area_id):
                    if area_id not in self.by_id:
                        raise ValueError(f"the lineage names an unknown area {area_id}")
        _refuse_circles(self.by_id, self._parents, "chain of parents")
        _refuse_circles(self.by_id, self._takers, "lineage")

    def _parents(self, area_id: str) -> list[str]:
        parent_id = self.by_id[area_id].parent_id
        return [] if parent_id is None else [parent_id]

    def _takers(self, area_id: str) -> list[str]:
        return [succession.to_area_id for succession in self._successors.get(area_id, ())]

    def __iter__(self) -> Iterator[Area]:
        return iter(self.by_id.values())

    def __getitem__(self, area_id: str) -> Area:
        return self.by_id[area_id]

    def get(self, area_id: str) -> Area | None:
        """The unit of that id, or None."""
        return self.by_id.get(area_id)

    def on(self, day: date) -> list[Area]:
        """The units that exist on a day, in the order of the data."""
        return [area for area in self if area.is_valid(day)]

    def commune(self, code: str, on: date) -> Area | None:
        """The commune that bears this five-digit code on a day, or None."""
        for area in self._by_code.get(code, ()):
            if area.level == "commune" and area.is_valid(on):
                return area
        return None

    def current(self, area_id: str, on: date) -> str:
        """The unit that stands for `area_id` on a day: itself, or what took over from it.

        Raises:
            LookupError: when the unit was split and no single successor is named.
        """
        seen = area_id
        while True:
            after = [s for s in self._successors.get(seen, ()) if s.effective_on <= on]
            if not after:
                return seen
            if len(after) > 1:
                names = ", ".join(s.to_area_id for s in after)
                raise LookupError(f"area {seen} was split into {names}; no single one succeeds it")
            if (parts := after[0].from_parts) > 1:
                raise LookupError(f"area {seen} was split into {parts} parts; one is not the whole")
            seen = after[0].to_area_id

    def next_succession(self, area_id: str, after: date) -> date | None:
        """The next day on which another unit takes over from the one that stands for `area_id`.

        Args:
            area_id: of any time.
            after: the day whose unit (see `current`) is meant; the answer lies after it.

        Raises:
            LookupError: as `current` does.
        """
        ahead = self._successors.get(self.current(area_id, after), ())
        return min((succession.effective_on for succession in ahead), default=None)

    def children(self, area_id: str) -> list[Area]:
        """The units directly below, in the order of the data."""
        return list(self._children.get(area_id, ()))

    def lineage_upward(self, area_id: str) -> list[str]:
        """The unit itself and everything above it, from the bottom up."""
        chain = [area_id]
        while (parent := self.by_id[chain[-1]].parent_id) is not None:
            chain.append(parent)
        return chain

    def below(self, area_id: str) -> list[str]:
        """The unit itself and everything below it."""
        found = [area_id]
        for known in found:
            found.extend(child.area_id for child in self._children.get(known, ()))
        return found


def _distinct(areas: Iterable[Area]) -> dict[str, Area]:
    found: dict[str, Area] = {}
    for area in areas:
        if found.setdefault(area.area_id, area) is not area:
            raise ValueError(f"two units are called {area.area_id}")
    return found


def _refuse_circles(
    area_ids: Iterable[str], after: Callable[[str], Iterable[str]], what: str
) -> None:
    for start in area_ids:
        ahead, seen = list(after(start)), set[str]()
        while ahead:
            area_id = ahead.pop()
            if area_id == start:
                raise ValueError(f"the {what} of area {start} runs in a circle")
            if area_id not in seen:
                seen.add(area_id)
                ahead.extend(after(area_id))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _float(text: str) -> float | None:
    return float(text) if text else None


def _area(row: dict[str, str]) -> Area:
    if row["level"] not in LEVELS:
        raise ValueError(f"area {row['area_id']} has an unknown level {row['level']}")
    return Area(
        area_id=row["area_id"],
        code=row["code"],
        name=row["name"],
        level=row["level"],
        parent_id=row["parent_id"] or None,
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        latitude=_float(row["latitude"]),
        longitude=_float(row["longitude"]),
        area_km2=_float(row["area_km2"]),
    )


def _succession(row: dict[str, str]) -> Succession:
    return Succession(
        row["from_area_id"],
        row["to_area_id"],
        date.fromisoformat(row["effective_on"]),
        int(row["from_parts"]),
    )


def read(areas_csv: Path, lineage_csv: Path) -> Areas:
    """Read units and lineage from two CSV files.

    Raises:
        ValueError: when a row is malformed or names a unit that is not there.
    """
    with areas_csv.open(encoding="utf-8", newline="") as file:
        areas = [_area(row) for row in csv.DictReader(file)]
    with lineage_csv.open(encoding="utf-8", newline="") as file:
        lineage = [_succession(row) for row in csv.DictReader(file)]
    return Areas(areas, lineage)


@cache
def load() -> Areas:
    """The units that ship with the contract: Yên Bái and Lào Cai before and after 1 July 2025."""
    with resources.as_file(resources.files("contracts") / "data") as folder:
        return read(folder / "areas.csv", folder / "area_lineage.csv")
