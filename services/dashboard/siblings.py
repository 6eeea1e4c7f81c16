"""How many count in the units below others, kept for a moment.

Whether a figure is given away hangs on all units beside it, in each indicator: much to read for one
page. Who counts where changes little in a minute; of its own few people a page is sure anyway.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from contracts.disclosure import Count
from services.chassis.clock import Clock
from services.dashboard.reading import Reading
from services.dashboard.shield import Families, Family

_KEPT: Final = timedelta(seconds=60)
_AT_ONCE: Final = 6


class Siblings:
    """Reads families of units, each at most once a minute."""

    def __init__(self, reading: Callable[[], Reading], clock: Clock) -> None:
        """`reading` is asked at each request, as by the pages."""
        self._reading = reading
        self._clock = clock
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._known: dict[Family, tuple[datetime, dict[str, Count]]] = {}

    async def read(self, families: Iterable[Family]) -> Families:
        """The counts of each family.

        Raises:
            UpstreamError: scoring does not answer.
        """
        wanted = tuple(dict.fromkeys(families))
        found = await asyncio.gather(*(self._family(one) for one in wanted))
        return dict(zip(wanted, found, strict=True))

    async def _family(self, family: Family) -> dict[str, Count]:
        async with self._turn:
            now = self._clock.now()
            read_at, counts = self._known.get(family, (None, {}))
            if read_at is None or now - read_at >= _KEPT:
                children = await self._reading().children(*family)
                counts = {one.area: Count(one.numerator, one.denominator) for one in children}
                self._known[family] = now, counts
            return counts
