"""Two countings of the same units, held against each other."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.catalogue import Catalogue

#: (area id, bit) → (numerator, denominator)
Counts = Mapping[tuple[str, int], tuple[int, int]]

_NOBODY = (0, 0)


@dataclass(frozen=True, slots=True)
class IndicatorDifference:
    """An indicator as it was and as it is now, numerator and denominator over all units.

    `units` is in how many of them it differs; it may where the sums do not.
    """

    indicator: str
    before: tuple[int, int]
    after: tuple[int, int]
    units: int


def counts_of(rows: Iterable[tuple[str, list[int], list[int]]]) -> Counts:
    """Counters as they are stored (a list has a place a bit, an absent one is 0), without zeros."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for area_id, numerators, denominators in rows:
        for bit in range(max(len(numerators), len(denominators))):
            both = (_at(numerators, bit), _at(denominators, bit))
            if both != _NOBODY:
                found[area_id, bit] = both
    return found


def _at(counts: list[int], bit: int) -> int:
    return counts[bit] if bit < len(counts) else 0


class Comparison:
    """Adds up what differs, a part of the subjects after the other."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._names = {indicator.bit: indicator.id for indicator in catalogue.counted}
        self._sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self._units: defaultdict[int, set[str]] = defaultdict(set)

    def add(self, before: Counts, after: Counts) -> None:
        """Take up the counts of a part, as they were and as they are."""
        for place in before.keys() | after.keys():
            area_id, bit = place
            old, new = before.get(place, _NOBODY), after.get(place, _NOBODY)
            for at, count in enumerate((*old, *new)):
                self._sums[bit][at] += count
            if old != new:
                self._units[bit].add(area_id)

    def differences(self) -> list[IndicatorDifference]:
        """The indicators that differ in any unit, in the order of their bits."""
        found = []
        for bit in sorted(self._units):
            was_top, was_below, top, below = self._sums[bit]
            name = self._names.get(bit, f"bit {bit}")
            units = len(self._units[bit])
            found.append(IndicatorDifference(name, (was_top, was_below), (top, below), units))
        return found
