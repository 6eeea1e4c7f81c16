"""Two processes on the same shards, with little memory, cut connections and cancelled work.

Whatever happens in between, in the end everything counts once, on the right day, and what is in
memory is what is in the store.
"""

import asyncio
import warnings
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from random import Random

import asyncpg
import pytest
import stamina
from pydantic import SecretStr

from contracts.times import local_day
from services.chassis.database import is_transient, open_pool
from services.chassis.settings import PostgresSettings
from services.scoring import store
from services.scoring.shard import Refuse, Shards
from tests.integration.scoring.invented import (
    NOW,
    RULES,
    batch,
    citizen,
    counters,
    event,
    paid,
    recount,
    registered,
    smartphone,
)

SHARDS = (0, 1, 2)
CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1"


def again() -> AsyncIterator[stamina.Attempt]:
    """As the consumer does: what is transient is tried again."""
    return stamina.retry_context(on=is_transient, attempts=20, wait_initial=0.01)


def lives(random: Random) -> list[bytes]:
    """Events about a few citizens, some of the same moment, some with long ids, some late."""
    told = []
    for _ in range(160):
        number = random.randrange(25)
        moment = (NOW - timedelta(days=random.randrange(100))).isoformat()
        level = {"level": random.randrange(3), "activated": random.random() < 0.5}
        name = random.choice("ab") * random.choice([1, 16, 17, 40])
        told.append(
            random.choice(
                [
                    registered(number, random.choice(["02647", "04252"]), time=moment, id=name),
                    smartphone(number, has=random.random() < 0.5, time=moment),
                    paid(number, moment),
                    event("identity.eid-changed.v1", citizen(number), level, id=name),
                ]
            )
        )
    return told


class Process:
    """Takes what it is told, fails as processes do, and starts anew."""

    def __init__(self, pool: asyncpg.Pool, refuse: Refuse, random: Random) -> None:
        self._pool, self._refuse, self._random = pool, refuse, random
        self.shards = self._start()

    def _start(self) -> Shards:
        # No room at all: each shard is dropped as soon as another one is used.
        return Shards(self._pool, RULES, self._refuse, memory_bytes=self._random.choice([0, 2**30]))

    async def act(self, told: dict[int, list[bytes]], now: datetime) -> None:
        shard = self._random.choice(SHARDS)
        if self._random.random() < 0.15:
            await self.shards.step(shard, local_day(now))
            return
        first = self._random.randrange(len(told[shard]))
        first = min(first, (await self.shards.positions([shard])).get(shard, (0, None))[0])
        some = told[shard][first : first + self._random.randrange(1, 40)]
        if some:
            await self.shards.take(shard, batch(first, *some), now)

    async def live(self, told: dict[int, list[bytes]]) -> None:
        for turn in range(40):
            now = NOW + timedelta(days=turn // 8, minutes=self._random.randrange(-5, 5))
            work = asyncio.create_task(self.act(told, now))
            if self._random.random() < 0.3:
                await asyncio.sleep(self._random.random() / 30)
                work.cancel()
            try:
                await work
            except asyncio.CancelledError:
                if self._random.random() < 0.5:
                    self.shards = self._start()
            except Exception as error:
                if not is_transient(error):
                    raise


@pytest.fixture
async def other_pool(pool: asyncpg.Pool, database: str) -> AsyncIterator[asyncpg.Pool]:
    settings = PostgresSettings(dsn=SecretStr(database), pool_min=0)
    opened = await open_pool(settings, schema="scoring", application_name="test-other")
    yield opened
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        await opened.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_everything_counts_once(  # noqa: PLR0917 - fixtures
    pool: asyncpg.Pool,
    other_pool: asyncpg.Pool,
    refuse: Refuse,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    random = Random(seed)
    monkeypatch.setattr(store, "_LEAST_JOURNAL", 3_000)
    told = {shard: lives(random) for shard in SHARDS}
    processes = [Process(one, refuse, random) for one in (pool, other_pool)]
    killer = await asyncpg.connect(database)
    lives_on = asyncio.gather(*(one.live(told) for one in processes))
    while not lives_on.done():
        await asyncio.sleep(random.random() / 10)
        await killer.execute(CUT, random.choice(["test-scoring", "test-other"]))
    await lives_on
    await killer.close()
    for one in (*processes, Process(pool, refuse, random)):
        async for attempt in again():
            with attempt:
                await one.shards.positions(SHARDS)  # what was cut is noticed here
    now = NOW + timedelta(days=5)
    last = processes[0].shards
    for shard in SHARDS:
        async for attempt in again():
            with attempt:
                position = (await last.positions([shard])).get(shard, (0, None))[0]
                rest = told[shard][position:]
                if rest:
                    await last.take(shard, batch(position, *rest), now)
                await last.step(shard, local_day(now))
        assert await counters(pool, shard) == recount(told[shard], now)
        async with pool.acquire() as connection, connection.transaction():
            stored = await store.load(connection, shard, RULES)
        assert (stored.state.counts == stored.state.recount()).all()
        assert stored.next_offset == len(told[shard])
    events = await pool.fetchval("SELECT sum(events) FROM sources")
    assert events == sum(map(len, told.values()))
