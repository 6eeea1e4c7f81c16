"""The loops beside the consumer: roll-up, outbox, daily step, gauges.

Each loop tries again what a new try can mend; anything else ends it, and with it the process.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from contracts.times import local_day
from services.chassis.clock import Clock
from services.chassis.database import is_transient, load_queries
from services.scoring.consumer import Consumer
from services.scoring.metrics import Metrics
from services.scoring.publishing import ROUND, Publisher
from services.scoring.rollup import Rollup
from services.scoring.settings import ScoringSettings
from services.scoring.shard import Shards

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "reading.sql")

#: Key of the advisory lock that makes one process at a time roll up and tell.
_LEADER_LOCK: Final = 0x6E68_6970_736F_0001
_GAUGE_SECONDS: Final = 5.0
_STUCK_SECONDS: Final = 30.0


def is_mendable(error: Exception) -> bool:
    """Whether a loop tries again instead of ending."""
    return is_transient(error) or isinstance(error, KafkaError)


class Work:
    """The loops of one scoring process."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        shards: Shards,
        consumer: Consumer,
        rollup: Rollup,
        publisher: Publisher,
        clock: Clock,
        metrics: Metrics,
        settings: ScoringSettings,
    ) -> None:
        self._pool = pool
        self._shards = shards
        self._consumer = consumer
        self._rollup = rollup
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._log = structlog.get_logger(__name__)
        self._round_at = asyncio.get_running_loop().time()

    async def going(self) -> str | None:
        """Why the roll-up does not go forward, or None when it does (here or elsewhere)."""
        idle = asyncio.get_running_loop().time() - self._round_at
        return None if idle < _STUCK_SECONDS else f"no round of the roll-up for {idle:.0f} s"

    async def lead(self) -> None:
        """Roll up and tell, as long as this process holds the lock; wait for it otherwise."""
        while True:
            with self._mending("roll-up"):
                async with self._leadership() as connection:
                    await self._roll_up_and_tell(connection)
            await asyncio.sleep(self._settings.rollup_seconds)

    async def step_days(self) -> None:
        """Evaluate what a new day changes, in the shards of this process."""
        while True:
            with self._mending("daily step"):
                await self._step_day()
            await asyncio.sleep(self._settings.daily_step_seconds)

    async def gauge(self) -> None:
        """Measure lag and freshness."""
        while True:
            with self._mending("gauges"):
                await self._consumer.measure_lag()
                for row in await self._pool.fetch(_SQL["freshness_by_source"]):
                    moment = row["last_recorded_at"].timestamp()
                    self._metrics.source_last_event.labels(row["source"]).set(moment)
                untold = await self._pool.fetchval(_SQL["count_untold"])
                self._metrics.untold.set(untold)
            await asyncio.sleep(_GAUGE_SECONDS)

    @contextlib.contextmanager
    def _mending(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not is_mendable(error):
                raise
            self._log.warning("will try again", what=what, error=repr(error))

    @contextlib.asynccontextmanager
    async def _leadership(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of its own that holds the leader's lock."""
        async with self._pool.acquire() as connection:
            ask = "SELECT pg_try_advisory_lock($1)"
            # Nothing tells of a free lock, hence the sleep.
            while not await connection.fetchval(ask, _LEADER_LOCK):
                self._round_at = asyncio.get_running_loop().time()
                await asyncio.sleep(self._settings.rollup_seconds)
            # Given back, a connection loses its locks (pg_advisory_unlock_all in the pool's reset).
            # Nothing is asked of it here: on a lost one that would raise, and hide a cancellation.
            yield connection

    async def _roll_up_and_tell(self, connection: asyncpg.Connection) -> None:
        loop = asyncio.get_running_loop()
        told_at = loop.time() - self._settings.publish_seconds
        while True:
            started = loop.time()
            with self._metrics.rollup.time():
                await self._rollup.run(connection, self._clock.now())
            if loop.time() - told_at >= self._settings.publish_seconds:
                told_at = loop.time()
                await self._tell(connection)
            self._round_at = loop.time()
            spent = self._round_at - started
            # However long a round takes, the consumer gets as much time as the round had.
            await asyncio.sleep(max(self._settings.rollup_seconds - spent, spent))

    async def _tell(self, connection: asyncpg.Connection) -> None:
        while told := await self._publisher.tell_figures(connection):
            self._metrics.told.inc(told)
            if told < ROUND:
                break
        while await self._publisher.tell_refusals(connection) == ROUND:
            pass

    async def _step_day(self) -> None:
        today = local_day(self._clock.now())
        rows = self._settings.daily_step_rows
        for shard, (_, evaluated_on) in (
            await self._shards.positions(self._consumer.assigned())
        ).items():
            if evaluated_on is not None and evaluated_on >= today:
                continue
            due = rows
            while due == rows:
                due = await self._shards.step(shard, today, rows)
                self._metrics.due_subjects.inc(due)
            self._log.info("day taken up", shard=shard, day=today.isoformat())
