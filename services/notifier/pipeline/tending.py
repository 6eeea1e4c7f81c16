"""Tell operators of receivers that take nothing: an alert for each, by what the log has noted.

Such an alert is told as any other, and so it may go to a receiver that takes nothing itself. It
makes no further one: an alert is of a receiver and not of a delivery.
"""

from datetime import datetime, timedelta

import asyncpg

from contracts.times import local_day
from services.notifier.core.causes import Domain
from services.notifier.core.faring import Faring, judge_receivers
from services.notifier.receivers.reading import Receivers
from services.notifier.store import Turn, alerts, receivers, take_turn

_WELL = Faring()


class Tending:
    """The judge of receivers."""

    def __init__(
        self, pool: asyncpg.Pool, domain: Domain, known: Receivers, *, limit: timedelta
    ) -> None:
        """`limit` is how long a receiver may take nothing before operators are told."""
        self._pool = pool
        self._domain = domain
        self._names = [*known.by_name, *(one.name for one in known.mirrors)]
        self._limit = limit

    async def step(self, now: datetime) -> None:
        """Judge all receivers of the file, and end what is told of others."""
        today = local_day(now)
        root = next(area.area_id for area in self._domain.areas.on(today) if area.parent_id is None)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await take_turn(connection, Turn.TEND):
                return
            troubled = await receivers.troubled(connection)
            held = await alerts.open_of_kind(connection, "receiver")
            known = {name: troubled.get(name, _WELL) for name in self._names}
            await alerts.apply(connection, judge_receivers(known, held, root, self._limit, now))
