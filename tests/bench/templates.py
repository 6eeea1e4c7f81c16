"""Records of one form, many at once: a row of bytes with holes that are filled by column."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contracts.events import TYPE_PREFIX
from contracts.sources import SOURCE_OF_DOMAIN
from tests.bench.draws import Octets
from tests.bench.mix import AREA, BORN, IN_MILLISECONDS

SECONDS: Final = "seconds"
MICROSECONDS: Final = "microseconds"

#: Hole → how many bytes go in. What fills them is as long in every record.
WIDTHS: Final = {
    "id": 36,
    "citizen": len("citizen:") + 32,
    "household": len("household:") + 32,
    "organisation": len("organisation:") + 10,
    "dossier": len("dossier:HS-") + 9,
    SECONDS: len("2026-11-22T01:30:00Z"),
    MICROSECONDS: len("2026-11-22T01:30:00.123000Z"),
    AREA: 5,
    BORN: 10,
}

_MULTIPLIER: Final = np.uint32(0x5BD1E995)
_SEED: Final = 0x9747B28C


class Template:
    """The form of an event of one type that says one thing, as ingest writes it.

    The order of attributes and the form of times are ingest's; a test holds both equal.
    """

    def __init__(self, name: str, about: str, data: str) -> None:
        """Lay the form out.

        Args:
            name: type without its prefix.
            about: kind of subject.
            data: JSON text, with `AREA` and `BORN` where they go.
        """
        domain = name.partition(".")[0]
        self.about = about
        self.time = MICROSECONDS if domain in IN_MILLISECONDS else SECONDS
        parts = [
            '{"specversion":"1.0","id":"',
            "id",
            f'","source":"{SOURCE_OF_DOMAIN[domain]}","type":"{TYPE_PREFIX}{name}","subject":"',
            about,
            '","time":"',
            self.time,
            '","datacontenttype":"application/json","data":',
            *_split(data),
            "}",
        ]
        row = b""
        self._holes: dict[str, slice] = {}
        for part in parts:
            if (width := WIDTHS.get(part)) is not None:
                self._holes[part] = slice(len(row), len(row) + width)
                row += bytes(width)
            else:
                row += part.encode()
        self._row = np.frombuffer(row, np.uint8)

    def has(self, hole: str) -> bool:
        """Whether its data name an area (`AREA`) or a day of birth (`BORN`)."""
        return hole in self._holes

    def write(self, filled: Mapping[str, Octets]) -> list[bytes]:
        """Records, one a row of what fills the holes; other columns are ignored."""
        rows = np.empty((len(filled["id"]), len(self._row)), np.uint8)
        rows[:] = self._row
        for hole, place in self._holes.items():
            rows[:, place] = filled[hole]
        return texts(rows)


def texts(rows: Octets) -> list[bytes]:
    """Each row as bytes. None may end with NUL, which the conversion would cut."""
    found: list[bytes] = np.ascontiguousarray(rows).view(f"S{rows.shape[1]}")[:, 0].tolist()
    return found


def murmur2(rows: Octets) -> NDArray[np.uint32]:
    """Kafka's hash of each row, by which its default partitioner places keys."""
    count, width = rows.shape
    whole = width & ~3
    words = np.ascontiguousarray(rows[:, :whole]).view("<u4")
    value = np.full(count, _SEED ^ width, np.uint32)
    for column in range(whole // 4):
        mixed = words[:, column] * _MULTIPLIER
        mixed ^= mixed >> np.uint32(24)
        value = (value * _MULTIPLIER) ^ (mixed * _MULTIPLIER)
    if whole < width:
        for place in range(whole, width):
            value ^= rows[:, place].astype(np.uint32) << np.uint32(8 * (place - whole))
        value *= _MULTIPLIER
    value ^= value >> np.uint32(13)
    value *= _MULTIPLIER
    return value ^ (value >> np.uint32(15))


def _split(data: str) -> Sequence[str]:
    parts = [data]
    for mark in (AREA, BORN):
        parts = [
            piece
            for part in parts
            for piece in (part.replace(mark, f"\0{mark}\0").split("\0") if mark in part else [part])
        ]
    return parts
