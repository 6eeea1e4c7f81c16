"""The loops beside the consumer: roll-up, outbox, daily step, gauges.

Each loop tries again what a new try can mend; anything else ends it, and with it the process.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from contracts.times import local_day
from services.chassis.clock import Clock
from services.chassis.database import is_transient, load_queries
from services.scoring.consumer import Consumer
from services.scoring.metrics import Metrics
from services.scoring.publishing import PAGE, Publisher
from services.scoring.rhythm import Rhythm
from services.scoring.rollup import Rollup
from services.scoring.settings import ScoringSettings
from services.scoring.shard import Shards

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "reading.sql")

#: Key of the advisory lock that makes one process at a time roll up and tell.
_LEADER_LOCK: Final = 0x6E68_6970_736F_0001
#: So long the leader may say nothing; beyond its rests; longer than it sums up the tree.
PATIENCE_SECONDS = 30.0
_GAUGE_SECONDS: Final = 5.0
_STUCK_SECONDS: Final = 30.0

#: What the leader does, each in its own rhythm.
_ROLL_UP: Final = "roll-up"
_TELL: Final = "telling"


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
        self._done_at: dict[str, float] = {}
        self._drops = 0
        self._note(_ROLL_UP, _TELL)

    async def going(self) -> str | None:
        """Why roll-up or telling does not go forward, or None when both do (here or elsewhere)."""
        now = asyncio.get_running_loop().time()
        for what, done_at in self._done_at.items():
            if now - done_at >= _STUCK_SECONDS:
                return f"no round of the {what} for {now - done_at:.0f} s"
        return None

    async def lead(self) -> None:
        """Roll up and tell, as long as this process holds the lock; wait for it otherwise."""
        while True:
            with self._mending(_ROLL_UP):
                async with self._leadership() as connection:
                    await self._rollup.touch_all(connection)
                    await _beside(self._roll_up(connection), self._tell())
            await asyncio.sleep(self._settings.rollup_seconds)

    async def step_days(self) -> None:
        """Evaluate what a new day, or a change of rules, changes in the shards of this process."""
        while True:
            with self._mending("daily step"):
                await self._step_day()
            await asyncio.sleep(self._settings.daily_step_seconds)

    async def gauge(self) -> None:
        """Measure lag and freshness."""
        while True:
            with self._mending("gauges"):
                self._tell_of_memory()
                await self._consumer.measure_lag()
                for row in await self._pool.fetch(_SQL["freshness_by_source"]):
                    moment = row["last_recorded_at"].timestamp()
                    self._metrics.source_last_event.labels(row["source"]).set(moment)
                untold = await self._pool.fetchval(_SQL["count_untold"])
                self._metrics.untold.set(untold)
            await asyncio.sleep(_GAUGE_SECONDS)

    def _tell_of_memory(self) -> None:
        self._metrics.state_bytes.set(self._shards.held_bytes)
        drops = self._shards.drops - self._drops
        self._drops += drops
        self._metrics.state_drops.inc(drops)
        if drops:
            self._log.warning(
                "states of shards do not fit into memory and are read again and again; "
                "raise NHIPSO_SCORING__MEMORY_BYTES or start more processes",
                drops=drops,
                memory_bytes=self._settings.memory_bytes,
            )

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
                self._note(_ROLL_UP, _TELL)
                await asyncio.sleep(self._settings.rollup_seconds)
            # A process that has been stopped would lead as long as its connection lives.
            seconds = PATIENCE_SECONDS + self._settings.rollup_behind_seconds
            patience = f"{seconds * 1_000:.0f}ms"
            await connection.execute(_SQL["lose_patience"], patience)
            # Given back, a connection loses its locks (pg_advisory_unlock_all in the pool's reset).
            # Nothing is asked of it here: on a lost one that would raise, and hide a cancellation.
            yield connection

    async def _roll_up(self, connection: asyncpg.Connection) -> None:
        rhythm = Rhythm(self._settings.rollup_seconds, self._settings.rollup_behind_seconds)
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            with self._metrics.rollup.time():
                await self._rollup.run(connection, self._clock.now())
            self._note(_ROLL_UP)
            await self._rest(rhythm, loop.time() - started)

    async def _tell(self) -> None:
        """Tell on connections of its own, so that no roll-up waits for the broker.

        Should another process lead meanwhile, telling the same figures twice does no harm.
        """
        rhythm = Rhythm(self._settings.publish_seconds, self._settings.publish_behind_seconds)
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            with self._mending(_TELL):
                async with self._pool.acquire() as connection:
                    self._metrics.told.inc(await self._publisher.tell_figures(connection))
                    while await self._publisher.tell_refusals(connection) == PAGE:
                        pass
                self._note(_TELL)
            await self._rest(rhythm, loop.time() - started)

    async def _rest(self, rhythm: Rhythm, spent: float) -> None:
        """Rest after a round; no longer than near the head, as soon as the consumer is there."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            pause = rhythm.pause(spent, is_behind=self._consumer.is_behind)
            left = began + pause - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(left, rhythm.near))

    def _note(self, *rounds: str) -> None:
        """Note that rounds are done, here or elsewhere."""
        self._done_at.update(dict.fromkeys(rounds, asyncio.get_running_loop().time()))

    async def _step_day(self) -> None:
        today = local_day(self._clock.now())
        self._shards.keep_only(self._consumer.assigned())
        for shard in await self._shards.outdated(self._consumer.assigned(), today):
            due = await self._shards.step(shard, today)
            self._metrics.due_subjects.inc(due)
            self._log.info("day taken up", shard=shard, day=today.isoformat(), due=due)


async def _beside(*loops: Coroutine[Any, Any, None]) -> None:
    """Run loops until one of them fails; raises what it failed with, and none goes on."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
