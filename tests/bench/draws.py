"""Seeded draws in bulk, the same on every machine and with every version of NumPy.

Only the raw bits of a generator are promised to stay the same (NEP 19), so all is made from these.
"""

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

Octets = NDArray[np.uint8]
Integers = NDArray[np.int64]

#: Steps of SplitMix64 (Steele, Lea and Flood 2014), which maps 64 bits one to one.
_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


class Draws:
    """A stream of draws; the same seed gives the same stream."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def fractions(self, count: int) -> NDArray[np.float64]:
        """Numbers from 0 up to 1."""
        return (self._raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, bound: int, count: int) -> Integers:
        """Whole numbers from 0 up to `bound`."""
        return (self.fractions(count) * bound).astype(np.int64)

    def octets(self, count: int, width: int) -> Octets:
        """Rows of `width` bytes, a multiple of 8."""
        return self._raw(count * width // 8).astype("<u8").view(np.uint8).reshape(count, width)

    def _raw(self, count: int) -> NDArray[np.uint64]:
        return np.asarray(self._bits.random_raw(count), np.uint64)


def scattered(name: str, seed: int, indexes: Integers) -> NDArray[np.uint64]:
    """64 bits for each index: distinct, without order, and without a table of what was given."""
    digest = blake2b(f"{name}|{seed}".encode(), digest_size=8).digest()
    key = np.uint64(int.from_bytes(digest, "little"))
    mixed = (indexes.astype(np.uint64) + key) * _GAMMA
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))
