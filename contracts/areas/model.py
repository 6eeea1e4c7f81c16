"""The units of all times, and which of them stands for another on a day.

Codes are reused: 02647 was Phường Kim Tân until 30 June 2025 and is Phường Lào Cai since. A code
is therefore read as of a day, and followed from there: a merged or renamed unit leads to the one
that took over, a split one to the successor that takes its residents. So each commune of any day
leads to exactly one commune of every later day.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from contracts.areas.checking import check
from contracts.areas.unit import Area, Succession


@dataclass(frozen=True, slots=True)
class Carried:
    """Where the figures of a unit go; `whole` is False when a split lay on the way.

    After a split all figures go with the residents, to the one successor that takes them, so that
    sums stay what they were; what another part alone had been cannot be told from them.
    """

    area_id: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Former:
    """A unit for which another stands now, and its first (None: open) and last day.

    `whole` is False when it was split and others took parts of it.
    """

    area_id: str
    first: date | None
    last: date
    whole: bool


class Areas:
    """All units of all times, and which took over from which.

    Raises:
        AreasError: when the data do not hold together (see `contracts.areas.checking`).
    """

    def __init__(self, areas: Iterable[Area], lineage: Iterable[Succession]) -> None:
        units = tuple(areas)
        self.lineage: Sequence[Succession] = tuple(lineage)
        check(units, self.lineage)
        self.by_id: Mapping[str, Area] = {area.area_id: area for area in units}
        self._by_code: dict[str, list[Area]] = defaultdict(list)
        self._children: dict[str, list[Area]] = defaultdict(list)
        self._heirs: dict[str, Succession] = {}
        self._inherited: dict[str, list[Succession]] = defaultdict(list)
        for area in units:
            self._by_code[area.code].append(area)
            if area.parent_id is not None:
                self._children[area.parent_id].append(area)
        for succession in self.lineage:
            if succession.inherits:
                self._heirs[succession.from_area_id] = succession
                self._inherited[succession.to_area_id].append(succession)

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

    def lasting(self, today: date) -> list[str]:
        """The ids of the units that exist today or are to come: who may be addressed."""
        return [area.area_id for area in self if area.valid_to is None or today <= area.valid_to]

    def commune(self, code: str, on: date) -> Area | None:
        """The commune that bears this five-digit code on a day, or None."""
        for area in self._by_code.get(code, ()):
            if area.level == "commune" and area.is_valid(on):
                return area
        return None

    def current(self, area_id: str, on: date) -> str:
        """The unit that stands for `area_id` on a day: itself, or what took over its residents.

        A district has no successor since districts went: it stands for itself for ever.
        """
        seen = area_id
        while (heir := self._heirs.get(seen)) is not None and heir.effective_on <= on:
            seen = heir.to_area_id
        return seen

    def successors(self, area_id: str) -> list[str]:
        """All that ever takes over the residents of a unit, one after the other."""
        found: list[str] = []
        while (heir := self._heirs.get(area_id)) is not None:
            area_id = heir.to_area_id
            found.append(area_id)
        return found

    def carried(self, area_id: str, on: date) -> Carried | None:
        """The unit valid on a day to which the figures of `area_id` are carried.

        None when none is: the unit ended without a successor, or does not exist yet.
        """
        seen, whole = area_id, True
        while (heir := self._heirs.get(seen)) is not None and heir.effective_on <= on:
            seen, whole = heir.to_area_id, whole and heir.from_parts == 1
        return Carried(seen, whole) if self.by_id[seen].is_valid(on) else None

    def former(self, area_id: str, on: date) -> list[Former]:
        """The units whose figures a unit has taken over by a day, also by way of others.

        In the order of their last days. What the unit was on an earlier day is the sum of those
        that existed then, and of itself if it did.
        """
        found: list[Former] = []
        ahead = [(succession, True) for succession in self._inherited.get(area_id, ())]
        while ahead:
            heir, whole = ahead.pop()
            if heir.effective_on > on:
                continue
            whole = whole and heir.from_parts == 1
            first = self.by_id[heir.from_area_id].valid_from
            last = heir.effective_on - timedelta(days=1)
            found.append(Former(heir.from_area_id, first, last, whole))
            ahead += [(before, whole) for before in self._inherited.get(heir.from_area_id, ())]
        return sorted(found, key=lambda one: (one.last, one.area_id))

    def next_succession(self, area_id: str, after: date) -> date | None:
        """The next day on which another unit takes over from the one that stands for `area_id`.

        Args:
            area_id: of any time.
            after: the day whose unit (see `current`) is meant; the answer lies after it.
        """
        heir = self._heirs.get(self.current(area_id, after))
        return None if heir is None else heir.effective_on

    def children(self, area_id: str) -> list[Area]:
        """The units directly below at any time, in the order of the data."""
        return list(self._children.get(area_id, ()))

    def lineage_upward(self, area_id: str) -> list[str]:
        """The unit itself and everything above it, from the bottom up."""
        chain = [area_id]
        while (parent := self.by_id[chain[-1]].parent_id) is not None:
            chain.append(parent)
        return chain

    def below(self, area_id: str) -> list[str]:
        """The unit itself and everything below it at any time."""
        found = [area_id]
        for known in found:
            found.extend(child.area_id for child in self._children.get(known, ()))
        return found

    @cached_property
    def fingerprint(self) -> str:
        """A digest (SHA-256, hexadecimal) of all that decides where a subject counts.

        Codes, levels, parents, days of validity and heirs; neither names, places nor the order of
        rows. Equal fingerprints put every subject into the same unit on every day.
        """
        facts: list[tuple[object, ...]] = [
            ("unit", one.area_id, one.code, one.level, one.parent_id, one.valid_from, one.valid_to)
            for one in self
        ]
        facts += [
            ("heir", one.from_area_id, one.to_area_id, one.effective_on)
            for one in self._heirs.values()
        ]
        lines = sorted(
            "\t".join("" if part is None else str(part) for part in fact) for fact in facts
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
