"""Write digests when their period has ended: each once, whoever writes, however often it is begun.

When a period's digest falls due its measure is taken first: the figures as they stand. Each digest
compares two measures, and is written into the log, with its deliveries, in a transaction of its
own; if this process dies in between, the rest is written by whoever comes next.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg
import structlog

from contracts.times import local_day
from services.notifier.core.agency import AGENCY_PREFIX
from services.notifier.core.causes import Domain
from services.notifier.core.digest import Reader, readers
from services.notifier.core.occasion import (
    CADENCES,
    Cadence,
    Occasion,
    Timetable,
    by_hand,
    latest,
    plan,
)
from services.notifier.core.reviewing import areas_of, write
from services.notifier.receivers.reading import Receivers
from services.notifier.stationery import PLAIN, Stationery
from services.notifier.store import Turn, digests, take_turn, works
from services.notifier.store.deliveries import Addressee


class Digesting:
    """The writer of digests."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        domain: Domain,
        receivers: Receivers,
        timetable: Timetable,
        stationery: Stationery = PLAIN,
    ) -> None:
        self._pool = pool
        self._domain = domain
        self._receivers = receivers
        self._timetable = timetable
        self._stationery = stationery
        self._log = structlog.get_logger(__name__)

    async def step(self, now: datetime) -> None:
        """Take the measure of what has fallen due, and write what is not written yet."""
        for cadence in CADENCES:
            # Measured even if nobody subscribes yet, so that a first digest can compare.
            occasion = latest(cadence, self._timetable, now)
            await self._measure(occasion, now)
            await self._write_due(occasion, now)

    async def by_hand(
        self, cadence: Cadence, area: str | None, asked_by: str, now: datetime
    ) -> list[UUID]:
        """Write the digests of the period that ends today, as far as they are not there yet.

        `area` None: of all who subscribe. The figures are those of now.
        """
        occasion = by_hand(cadence, now)
        written = []
        for reader in await self._readers(cadence, local_day(now)):
            if area not in (None, reader.area):
                continue
            async with self._pool.acquire() as connection, connection.transaction():
                message = await self._write(
                    connection, occasion, reader, measured_at=now, now=now, asked_by=asked_by
                )
            if message is not None:
                written.append(message)
        return written

    async def _measure(self, occasion: Occasion, now: datetime) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if not await take_turn(connection, Turn.DIGEST):
                return
            last = await digests.measured(connection, occasion.cadence)
            planned = plan(occasion, last, self._timetable, now)
            if planned == "done":
                return
            await digests.take_measure(connection, occasion, now, is_told=planned == "tell")
        self._log.info(
            "a period is measured",
            cadence=occasion.cadence,
            period=occasion.period,
            is_told=planned == "tell",
        )

    async def _write_due(self, occasion: Occasion, now: datetime) -> None:
        async with self._pool.acquire() as connection:
            measured_at = await digests.unfinished(connection, occasion)
        if measured_at is None:
            return
        if now - occasion.due_at > self._timetable.late:
            # It was begun in time and not ended: what is missing is left out, as a late period is.
            async with self._pool.acquire() as connection:
                await digests.finish(connection, occasion, now)
            return
        for reader in await self._readers(occasion.cadence, local_day(now)):
            async with self._pool.acquire() as connection, connection.transaction():
                if not await take_turn(connection, Turn.DIGEST):
                    return
                await self._write(connection, occasion, reader, measured_at=measured_at, now=now)
        async with self._pool.acquire() as connection:
            await digests.finish(connection, occasion, now)

    async def _readers(self, cadence: Cadence, today: date) -> list[Reader]:
        """Who subscribes, of the units that exist today; agencies for provinces with figures."""
        areas = self._domain.areas.on(today)
        units = {area.area_id for area in areas}
        wanted = {one.audience for one in self._receivers.digests if one.cadence == cadence}
        provinces: list[str] = []
        if any(one.startswith(AGENCY_PREFIX) for one in wanted):
            known = [area.area_id for area in areas if area.level == "province"]
            async with self._pool.acquire() as connection:
                provinces = await digests.with_figures(connection, known)
        found = [reader for one in wanted for reader in readers(one, provinces)]
        return sorted(one for one in found if one.area in units)

    async def _write(
        self,
        connection: asyncpg.Connection,
        occasion: Occasion,
        reader: Reader,
        *,
        measured_at: datetime,
        now: datetime,
        asked_by: str | None = None,
    ) -> UUID | None:
        near = areas_of(reader, self._domain, local_day(now))
        measures = await digests.measures(
            connection, occasion, near, measured_at, is_kept=asked_by is None
        )
        firing = await digests.firing(connection, near)
        said = await works.acknowledgements(connection, [one.id for one in firing])
        digest = write(
            reader,
            occasion,
            measures,
            self._domain,
            alerts=firing,
            promises={alert: one.promised_on for alert, one in said.items() if one.promised_on},
            now=now,
        )
        if digest is None:
            return None
        title = self._receivers.title(reader.audience)
        digest = digest.model_copy(
            update={
                **(title.addressed if title is not None else {}),
                "page_url": self._stationery.links.page(reader.area),
                "contact": self._stationery.contact,
            }
        )
        to = self._addressees(reader.audience, occasion.cadence)
        message = await digests.log(connection, digest, to, asked_by=asked_by)
        if message is not None:
            self._log.info(
                "a digest is written",
                message=str(message),
                audience=reader.audience,
                area=reader.area,
                period=occasion.period,
                receivers=len(to),
            )
        return message

    def _addressees(self, audience: str, cadence: Cadence) -> Sequence[Addressee]:
        found = {
            one.receiver.name: Addressee(one.receiver.kind, one.receiver.name)
            for one in self._receivers.digests
            if (one.audience, one.cadence) == (audience, cadence)
        }
        return list(found.values())
