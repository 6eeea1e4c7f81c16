"""Counting: the difference between where a subject has been counted and where it counts now.

Counts are derived. A subject's row remembers its `Standing`, the unit and the masks it has been
counted under; only the difference to the new one goes to the counters, so nothing counts twice.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from contracts.catalogue import Catalogue
from services.scoring.core.evaluation import Standing


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


@dataclass(slots=True)
class Deltas:
    """What to add to the counters: (area id, bit) → [numerator, denominator]."""

    by_area_and_bit: defaultdict[tuple[str, int], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )

    def move(self, before: Standing, after: Standing) -> None:
        """Take a subject from where it has been counted to where it counts now."""
        if before.area_id == after.area_id:
            self._add(before.area_id, before.numerator & ~after.numerator, 0, -1)
            self._add(before.area_id, before.population & ~after.population, 1, -1)
            self._add(after.area_id, after.numerator & ~before.numerator, 0, +1)
            self._add(after.area_id, after.population & ~before.population, 1, +1)
            return
        self._add(before.area_id, before.numerator, 0, -1)
        self._add(before.area_id, before.population, 1, -1)
        self._add(after.area_id, after.numerator, 0, +1)
        self._add(after.area_id, after.population, 1, +1)

    def _add(self, area_id: str | None, mask: int, place: int, amount: int) -> None:
        if area_id is None:
            return
        for bit in _bits(mask):
            self.by_area_and_bit[area_id, bit][place] += amount

    def rows(self, catalogue: Catalogue) -> list[tuple[str, str, int, int]]:
        """(area id, indicator id, numerator, denominator) of all that is not zero, in key order."""
        # Rows may still remember a bit whose indicator the catalogue has given up.
        names = {indicator.bit: indicator.id for indicator in catalogue.counted}
        return sorted(
            (area_id, names[bit], numerator, denominator)
            for (area_id, bit), (numerator, denominator) in self.by_area_and_bit.items()
            if bit in names and (numerator or denominator)
        )
