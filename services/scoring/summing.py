"""Summing: from the counters of units to the figures of all units above them, as arrays.

Nothing here reads or writes; `rollup` does. Counts come as PostgreSQL sends an array of bigint
(``array_send``), so that no number is touched on its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contracts.areas import Areas
from contracts.catalogue import Catalogue

#: How ``array_send`` writes an array of one dimension: 20 bytes of header (dimensions, whether
#: there are nulls, type, length, first index), then each element behind its size.
_HEADER_BYTES: Final = 20
_LENGTH_IN_HEADER: Final = slice(12, 16)
_ELEMENT: Final = np.dtype([("size", ">i4"), ("value", ">i8")])

#: Numerator and denominator.
_SIDES: Final = 2

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Changes:
    """Figures that are no longer what they were; a row each, in columns."""

    area_ids: list[str]
    indicators: list[str]
    numerators: list[int]
    denominators: list[int]


@dataclass(frozen=True, slots=True)
class Known:
    """The figures of some units as they stand, in columns; counts as ``array_send`` writes them."""

    area_ids: Sequence[str]
    indicators: Sequence[str]
    numerators: bytes
    denominators: bytes


class Own:
    """What some units have themselves, summed over all shards; filled piece by piece."""

    def __init__(self, places: Mapping[str, int], bits: int) -> None:
        self._places = places
        self._bits = bits
        self.sums: Counts = np.zeros((_SIDES, len(places), bits), np.int64)

    def add(self, counters: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Add counters, each (unit, numerators, denominators) of one shard.

        Arrays may have any length, whichever their shard has written.
        """
        by_form: defaultdict[tuple[int, bytes], tuple[list[int], list[bytes]]]
        by_form = defaultdict(lambda: ([], []))
        for area_id, *sides in counters:
            for side, payload in enumerate(sides):
                rows, payloads = by_form[side, payload[:_HEADER_BYTES]]
                rows.append(self._places[area_id])
                payloads.append(payload)
        for (side, _), (rows, payloads) in by_form.items():
            counts = _rows(payloads)[:, : self._bits]
            np.add.at(self.sums[side, :, : counts.shape[1]], rows, counts)


class Summing:
    """Adds up units by the tree, for the indicators that the catalogue counts."""

    def __init__(self, areas: Areas, catalogue: Catalogue) -> None:
        self._areas = areas
        self._bit_of = {one.id: one.bit for one in catalogue.counted if one.bit is not None}
        self._id_of = {bit: indicator for indicator, bit in self._bit_of.items()}
        self._bits = max(self._id_of, default=-1) + 1
        self._mask = sum(1 << bit for bit in self._id_of)

    def upward(self, touched: Iterable[tuple[Sequence[str], Sequence[int]]]) -> dict[str, int]:
        """What is to be summed: the touched units and all above them, each with its bits.

        Args:
            touched: units and their masks, of each batch. Bits that the catalogue does not have,
                or has given up, are left out.
        """
        own: defaultdict[str, int] = defaultdict(int)
        for area_ids, masks in touched:
            for area_id, mask in zip(area_ids, masks, strict=True):
                own[area_id] |= mask & self._mask
        found: defaultdict[str, int] = defaultdict(int)
        for area_id, mask in own.items():
            if mask:
                for unit in self._areas.lineage_upward(area_id):
                    found[unit] |= mask
        return dict(found)

    def parts(self, wanted: Iterable[str]) -> list[str]:
        """The units whose figures must be known to sum these: themselves and those right below."""
        below = [child.area_id for unit in wanted for child in self._areas.children(unit)]
        return list(dict.fromkeys([*wanted, *below]))

    def own(self, wanted: Iterable[str]) -> Own:
        """Nothing yet of the counters of these units; to be filled with all of them."""
        return Own({area_id: place for place, area_id in enumerate(wanted)}, self._bits)

    def changes(
        self,
        wanted: Mapping[str, int],
        own: Own,
        known: Known,
    ) -> Changes:
        """What the figures of units become, where they differ from what is known.

        Args:
            wanted: as `upward` has found it.
            own: what `own(wanted)` has become.
            known: the figures of `parts(wanted)`.
        """
        units = self.parts(wanted)
        places = {area_id: place for place, area_id in enumerate(units)}
        before = self._figures(places, known)
        masks = np.zeros(len(units), np.int64)
        masks[: len(wanted)] = list(wanted.values())
        is_wanted = (masks[:, None] >> np.arange(self._bits)) & 1 == 1
        after = before.copy()
        of_wanted = slice(0, len(wanted))
        after[:, of_wanted] = np.where(is_wanted[of_wanted], own.sums, before[:, of_wanted])
        # The lowest first, since each adds up those right below it.
        for unit in sorted(wanted, key=self._height, reverse=True):
            below = [places[child.area_id] for child in self._areas.children(unit)]
            if below:
                place = places[unit]
                after[:, place] += after[:, below].sum(axis=1) * is_wanted[place]
        rows, bits = np.nonzero((after != before).any(axis=0))
        return Changes(
            [units[row] for row in rows.tolist()],
            [self._id_of[bit] for bit in bits.tolist()],
            after[0, rows, bits].tolist(),
            after[1, rows, bits].tolist(),
        )

    def _height(self, area_id: str) -> int:
        return len(self._areas.lineage_upward(area_id))

    def _figures(self, places: Mapping[str, int], known: Known) -> Counts:
        # What is counted no longer goes to a last bit, which is cut off.
        figures = np.zeros((_SIDES, len(places), self._bits + 1), np.int64)
        rows = [places[area_id] for area_id in known.area_ids]
        bits = [self._bit_of.get(indicator, self._bits) for indicator in known.indicators]
        for side, payload in enumerate((known.numerators, known.denominators)):
            figures[side, rows, bits] = _rows([payload])[0]
        return figures[:, :, : self._bits]


def _rows(payloads: Sequence[bytes]) -> Counts:
    """Arrays of one length and without nulls, a row each."""
    header = payloads[0][:_HEADER_BYTES]
    # An empty array has no dimension, and thus no length.
    width = int.from_bytes(header[_LENGTH_IN_HEADER]) if len(header) == _HEADER_BYTES else 0
    form = np.dtype([("header", f"V{len(header)}"), ("elements", _ELEMENT, (width,))])
    read = np.frombuffer(b"".join(payloads), form)
    values: Counts = read["elements"]["value"].astype(np.int64)
    return values
