"""Tells of reports that are due, missing or complete, and keeps the counts of metrics.

Any process of ingest may do it: one at a time looks, by an advisory lock of PostgreSQL. What is to
be told is written down before it is published, under an id that follows from what it tells, so a
crash, a restart or days of downtime leave out nothing and tell nothing twice: whoever looks next
finds what should have been told since somebody last looked.
"""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from contracts.areas import Areas, Level
from contracts.report_events import REPORT_RECEIVED, ReportEvent
from contracts.reporting import Calendar, PeriodKind, Window
from contracts.times import local_day
from contracts.topics import REPORT_EVENTS
from services.chassis.clock import Clock
from services.chassis.database import is_transient, load_queries
from services.chassis.failpoints import failpoint
from services.ingest.core.completeness import sums
from services.ingest.core.reminders import reminders, to_look_at
from services.ingest.periods.metrics import PeriodMetrics, Phase
from services.ingest.periods.reading import received, standings
from services.ingest.publisher import BrokerAwayError, Publisher

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "periods.sql")

#: Key of the advisory lock.
_TURN: Final = 0x6E68_7265
_AT_ONCE: Final = 500
#: The latest yearly period that was due lies no further back.
_LOOKED_BACK: Final = timedelta(days=400)


class Reminding:
    """Looks for what is to be told, and tells it."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        publisher: Publisher,
        *,
        calendar: Calendar,
        areas: Areas,
        metrics: PeriodMetrics,
        clock: Clock,
        every_seconds: float,
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._calendar = calendar
        self._areas = areas
        self._metrics = metrics
        self._clock = clock
        self._every = every_seconds
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Look and tell again and again, until cancelled."""
        while True:
            try:
                await self.step(self._clock.now())
            except BrokerAwayError:
                self._log.warning("reminders wait for the broker")
            except Exception as error:
                if not is_transient(error):
                    raise
                self._log.warning("reminders wait for the database", error=type(error).__name__)
            await asyncio.sleep(self._every)

    async def step(self, now: datetime) -> None:
        """Look once, and publish all that waits.

        Raises:
            BrokerAwayError, asyncpg.PostgresError, OSError: tried again with the next step.
        """
        await self._look(now)
        failpoint("reminders.before-telling")
        await self._tell(now)
        await self._count(now)

    async def _look(self, now: datetime) -> None:
        """Write down what is to be told by now."""
        today = local_day(now)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_SQL["take_turn"], _TURN):
                return
            days = await connection.fetchrow(_SQL["days"])
            began_on, looked_on = days or (today, today)
            awaited = await connection.fetch(_SQL["periods_awaited"], REPORT_RECEIVED)
            looked_at = to_look_at(
                self._calendar, min(looked_on, today), [row["period"] for row in awaited], today
            )
            came = await received(connection, [due.window.period for due in looked_at])
            events = reminders(
                self._calendar, self._areas, looked_at, came, began_on=began_on, now=now
            )
            rows = [_row(event) for event in events]
            if rows:
                await connection.execute(_SQL["tell"], *zip(*rows, strict=True))
            await connection.execute(_SQL["looked"], today)

    async def _tell(self, now: datetime) -> None:
        """Publish what waits, in order, and mark what the broker has acknowledged."""
        more = True
        while more:
            async with self._pool.acquire() as connection, connection.transaction():
                if not await connection.fetchval(_SQL["take_turn"], _TURN):
                    return
                waiting = await connection.fetch(_SQL["waiting"], _AT_ONCE)
                records = [(row["area_id"].encode(), row["payload"].encode()) for row in waiting]
                await self._publisher.publish(REPORT_EVENTS, records)
                failpoint("reminders.after-acknowledgement")
                await connection.execute(_SQL["published"], [row["number"] for row in waiting], now)
                more = len(waiting) == _AT_ONCE
            self._metrics.told(row["type"] for row in waiting)

    async def _count(self, now: datetime) -> None:
        """Show how many units' reports stand how; each process shows it."""
        today = local_day(now)
        shown = [
            (level, phase, window)
            for level, kind in self._calendar.scheduled
            for phase, window in self._latest(level, kind, today).items()
        ]
        came = await received(self._pool, [window.period for _, _, window in shown])
        for level, phase, window in shown:
            found = standings(self._calendar, self._areas, level, window, came, today=today)
            self._metrics.show(window.kind, level, phase, sums(one for _, one in found))
        self._metrics.looked(now.timestamp())

    def _latest(self, level: Level, kind: PeriodKind, today: date) -> dict[Phase, Window]:
        """The latest period that is open, and the latest whose due day has passed."""
        found: dict[Phase, Window] = {}
        for window in self._calendar.between(level, today - _LOOKED_BACK, today):
            if window.kind == kind:
                found["open" if window.state(today) == "open" else "due"] = window
        return found


def _row(event: ReportEvent) -> tuple[str, str, str, str, str]:
    data = event.data
    return event.id, event.type, data.area, data.period, event.model_dump_json()
