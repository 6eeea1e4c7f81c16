"""Units by code and day, many at a time.

A unit is a place in the list of all units of all times; `NOWHERE` stands for none.
"""

from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contracts.areas import Areas

Ordinals = NDArray[np.int64]

NOWHERE: Final = -1

#: A day that no date reaches.
_NEVER: Final = np.iinfo(np.int32).max
_DAYS: Final = 1 << 22  # more than there are ordinals of dates
_FIRST: Final = date.min.toordinal()


class Territory:
    """Finds the communes that bore codes on days, and the units that stand for them today."""

    def __init__(self, areas: Areas) -> None:
        self.area_ids: Final = tuple(area.area_id for area in areas)
        self.place_of: Final = {area_id: place for place, area_id in enumerate(self.area_ids)}
        self._areas = areas
        spans = sorted(
            (
                int(area.code) * _DAYS
                + (_FIRST if area.valid_from is None else area.valid_from.toordinal()),
                place,
            )
            for place, area in enumerate(areas)
            if area.level == "commune"
        )
        self._begins: Ordinals = np.array([begin for begin, _ in spans], np.int64)
        self._places: Ordinals = np.array([place for _, place in spans], np.int64)
        self._standing_on = lru_cache(maxsize=4_096)(self._standing)

    def communes(self, codes: Ordinals, days: Ordinals) -> Ordinals:
        """The communes that bore these codes (whole numbers) on these days, or last before them.

        `NOWHERE` if none has yet. Ingest refuses a code that has ended; where it did not know of a
        reform yet, what it has accepted counts where the residents of the last bearer went.
        """
        if not len(self._begins):
            return np.full(len(codes), NOWHERE, np.int64)
        at = np.searchsorted(self._begins, codes * _DAYS + days, side="right") - 1
        known = (at >= 0) & (self._begins[at] // _DAYS == codes)
        found: Ordinals = np.where(known, self._places[at], NOWHERE)
        return found

    def stand(self, codes: Ordinals, days: Ordinals, today: int) -> tuple[Ordinals, Ordinals]:
        """The units that stand today for codes of some days, and the days of their next reforms."""
        communes = self.communes(codes, days)
        unique, inverse = np.unique(communes, return_inverse=True)
        found = np.array([self._standing_on(int(one), today) for one in unique], np.int64)
        found = found.reshape(-1, 2)
        return found[inverse, 0], found[inverse, 1]

    def _standing(self, commune: int, today: int) -> tuple[int, int]:
        if commune == NOWHERE:
            return NOWHERE, _NEVER
        area_id, day = self.area_ids[commune], date.fromordinal(today)
        reform = self._areas.next_succession(area_id, day)
        stands = self.place_of[self._areas.current(area_id, day)]
        return stands, _NEVER if reform is None else reform.toordinal()
