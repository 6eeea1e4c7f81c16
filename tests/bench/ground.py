"""Where invented citizens live: the real province, or a country that does not exist."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

import numpy as np

from services.simulator.territory import territory
from tests.bench.draws import Draws, Integers, Octets

#: As many as Viet Nam has had since 1 July 2025.
PROVINCES: Final = 34
COMMUNES: Final = 3_321

_SYSTEM: Final = "sim"
_AREAS_HEADER: Final = (
    *("area_id", "code", "name", "level", "parent_id", "valid_from", "valid_to"),
    *("latitude", "longitude", "area_km2"),
)
_LINEAGE_HEADER: Final = ("from_area_id", "to_area_id", "effective_on", "from_parts")


class Ground:
    """Communes by their codes, each with its share of the people."""

    def __init__(
        self,
        codes: Sequence[str],
        weights: Sequence[float],
        former: Sequence[Sequence[str]] | None = None,
    ) -> None:
        """Take what is needed to draw.

        Args:
            codes: of today's communes, five digits each.
            weights: shares of the people, in any unit.
            former: codes of what each was made of on the day of the reform; None for no reform.
        """
        self._codes = _table(codes)
        self._ends = np.cumsum(np.asarray(weights, np.float64))
        self._ends /= self._ends[-1]
        self.reformed = former is not None
        self._former = _table([code for made_of in former or () for code in made_of])
        counts = [len(made_of) for made_of in former or ()]
        self._counts = np.asarray(counts, np.float64)
        self._starts = np.asarray([0, *accumulate(counts)][:-1], np.int64)

    def places(self, draws: Draws, count: int) -> Integers:
        """Communes drawn by their shares."""
        found = np.searchsorted(self._ends, draws.fractions(count), side="right")
        return found.clip(max=len(self._codes) - 1)

    def codes(self, places: Integers) -> Octets:
        """Today's codes, as text."""
        found: Octets = self._codes[places]
        return found

    def former_codes(self, places: Integers, draws: Draws) -> Octets:
        """Codes before the reform: for each place one of the communes it was made of."""
        parts = (draws.fractions(len(places)) * self._counts[places]).astype(np.int64)
        found: Octets = self._former[self._starts[places] + parts]
        return found


def province() -> Ground:
    """The province that ships with the contract."""
    communes = territory().communes
    return Ground(
        [commune.code for commune in communes],
        [commune.weight for commune in communes],
        [commune.former_codes for commune in communes],
    )


@dataclass(frozen=True, slots=True)
class Country:
    """An invented country of 34 provinces: provinces ``sim:01`` on, communes ``sim:00001`` on."""

    communes: int = COMMUNES

    def ground(self) -> Ground:
        """All communes, of the same size."""
        return Ground(self._codes(), [1.0] * self.communes)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the files of units and of lineage (which is empty); returns their paths."""
        areas, lineage = folder / "areas.csv", folder / "area_lineage.csv"
        with areas.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(_AREAS_HEADER)
            for number in range(1, PROVINCES + 1):
                code = f"{number:02d}"
                table.writerow(_area(code, f"Tỉnh {code}", "province", ""))
            for index, code in enumerate(self._codes()):
                parent = f"{_SYSTEM}:{index % PROVINCES + 1:02d}"
                table.writerow(_area(code, f"Xã {code}", "commune", parent))
        with lineage.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow(_LINEAGE_HEADER)
        return areas, lineage

    def _codes(self) -> list[str]:
        return [f"{number:05d}" for number in range(1, self.communes + 1)]


def _area(code: str, name: str, level: str, parent: str) -> tuple[str, ...]:
    return (f"{_SYSTEM}:{code}", code, name, level, parent, "", "", "", "", "")


def _table(codes: Sequence[str]) -> Octets:
    """Codes, five digits each, as rows of their bytes."""
    return np.frombuffer("".join(codes).encode("ascii"), np.uint8).reshape(-1, 5)
