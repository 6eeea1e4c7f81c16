"""Counting: the difference between where subjects have been counted and where they count now.

Counts are derived. A subject's row remembers its standing, the unit and the masks it has been
counted under; only the difference to the new one goes to the counters, so nothing counts twice.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.scoring.core.subjects import Standings
from services.scoring.core.territory import NOWHERE

#: A mask has so many bits.
BITS: Final = 64
#: In a count of a unit: the row of numerators, and that of denominators.
NUMERATOR, DENOMINATOR = 0, 1

Counts = NDArray[np.int64]


class Differences(NamedTuple):
    """What to add to the counters: units, once each and in order, and (unit, 2, bit) amounts."""

    units: NDArray[np.int64]
    amounts: Counts

    @property
    def masks(self) -> NDArray[np.int64]:
        """For each unit, the bits of what changes."""
        changed = np.packbits((self.amounts != 0).any(axis=1), axis=1, bitorder="little")
        return changed.view("<i8").reshape(-1)


def differences(before: Standings, after: Standings) -> Differences:
    """From where subjects have been counted to where they count now; only what is not zero."""
    areas = np.concatenate((before.areas, after.areas))
    there = np.flatnonzero(areas != NOWHERE)
    order = there[np.argsort(areas[there], kind="stable")]
    if not len(order):
        return Differences(np.empty(0, np.int64), np.empty((0, 2, BITS), np.int64))
    sorted_areas = areas[order]
    starts = np.flatnonzero(np.concatenate(([True], sorted_areas[1:] != sorted_areas[:-1])))
    signs = np.where(order < len(before.areas), -1, 1).astype(np.int8)[:, None]
    amounts = np.empty((len(starts), 2, BITS), np.int64)
    for place in (NUMERATOR, DENOMINATOR):
        masks = np.concatenate((_masks(before, place), _masks(after, place)))[order]
        octets = masks.astype("<u8").view(np.uint8).reshape(-1, 8)
        bits = np.unpackbits(octets, axis=1, bitorder="little").view(np.int8) * signs
        amounts[:, place] = np.add.reduceat(bits, starts, axis=0, dtype=np.int64)
    changed = amounts.any(axis=(1, 2))
    return Differences(sorted_areas[starts][changed].astype(np.int64), amounts[changed])


def _masks(standings: Standings, place: int) -> NDArray[np.uint64]:
    return standings.numerators if place == NUMERATOR else standings.populations
