"""The roll-up against a plain recount, while batches go on, with one leader at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from contracts.times import local_day
from services.chassis.clock import FixedClock
from services.scoring.metrics import Metrics
from services.scoring.rollup import Rollup
from services.scoring.settings import ScoringSettings
from services.scoring.shard import Shards
from services.scoring.work import Work
from tests.integration.scoring.invented import (
    AREAS,
    NOW,
    Counts,
    batch,
    citizen,
    event,
    figures,
    recount,
    registered,
    rolled_up,
    smartphone,
)
from tests.integration.scoring.on_kafka import until

LAO_CAI, PROVINCE = "2025:02647", "2025:15"
CUT_LEADER = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
CODES = [area.code for area in AREAS.on(local_day(NOW)) if area.level == "commune"]


@pytest.fixture
def rollup() -> Rollup:
    return Rollup(AREAS)


def a_few(first: int, count: int) -> list[bytes]:
    """Citizens spread over all communes, half of them with a smartphone."""
    told = []
    for number in range(first, first + count):
        told.append(registered(number, CODES[number % len(CODES)]))
        if number % 2:
            told.append(smartphone(number))
    return told


def above_nothing(counts: Counts) -> Counts:
    return {pair: figure for pair, figure in rolled_up(counts).items() if any(figure)}


async def history(pool: asyncpg.Pool, area_id: str, indicator: str) -> list[tuple[str, int, int]]:
    rows = await pool.fetch(
        "SELECT day, numerator, denominator FROM history "
        "WHERE area_id = $1 AND indicator = $2 ORDER BY day",
        area_id,
        indicator,
    )
    return [(row["day"].isoformat(), row["numerator"], row["denominator"]) for row in rows]


async def test_units_add_up_those_below_them(
    pool: asyncpg.Pool, shards: Shards, rollup: Rollup
) -> None:
    one, other = a_few(0, 200), a_few(200, 200)
    told = one + other
    await shards.take(0, batch(0, *one), NOW)
    await shards.take(1, batch(0, *other), NOW)
    async with pool.acquire() as connection:
        assert await rollup.run(connection, NOW) > 0
        assert await rollup.run(connection, NOW) == 0
    assert await figures(pool) == above_nothing(recount(told, NOW))
    assert (await figures(pool))[PROVINCE, "ds.smartphone"] == (200, 400)
    assert await pool.fetchval("SELECT count(*) FROM touched") == 0


async def test_a_move_between_units_leaves_the_sum(
    pool: asyncpg.Pool, shards: Shards, rollup: Rollup
) -> None:
    told = [registered(1), smartphone(1)]
    await shards.take(0, batch(0, *told), NOW)
    async with pool.acquire() as connection:
        await rollup.run(connection, NOW)
        before = await pool.fetchrow(
            "SELECT version FROM figures WHERE area_id = $1 AND indicator = 'ds.smartphone'",
            PROVINCE,
        )
        told.append(
            event("identity.residence-changed.v1", citizen(1), {"area": "04252"}, id="moved")
        )
        await shards.take(0, batch(2, told[-1]), NOW)
        await rollup.run(connection, NOW)
    assert await figures(pool) == above_nothing(recount(told, NOW))
    after = await pool.fetchrow(
        "SELECT version FROM figures WHERE area_id = $1 AND indicator = 'ds.smartphone'", PROVINCE
    )
    # What has not changed gets no new version, so nothing is told of it.
    assert after == before


async def test_history_has_a_point_for_each_day_with_a_change(
    pool: asyncpg.Pool, shards: Shards, rollup: Rollup
) -> None:
    async with pool.acquire() as connection:
        await shards.take(0, batch(0, registered(1)), NOW)
        await rollup.run(connection, NOW)
        await shards.take(0, batch(1, smartphone(1)), NOW)
        await rollup.run(connection, NOW + timedelta(hours=1))
        await shards.take(0, batch(2, registered(2)), NOW)
        # 17:00 UTC is midnight in Viet Nam.
        await rollup.run(connection, NOW.replace(hour=17))
    assert await history(pool, PROVINCE, "ds.smartphone") == [
        ("2026-11-22", 1, 1),
        ("2026-11-23", 1, 2),
    ]


async def test_no_mark_is_lost_while_batches_go_on(
    pool: asyncpg.Pool, shards: Shards, rollup: Rollup
) -> None:
    lives = {shard: a_few(shard * 10_000, 300) for shard in range(3)}
    finished = asyncio.Event()

    async def take(shard: int) -> None:
        told = lives[shard]
        for first in range(0, len(told), 30):
            await shards.take(shard, batch(first, *told[first : first + 30]), NOW)

    async def roll_up() -> None:
        async with pool.acquire() as connection:
            while not finished.is_set():
                await rollup.run(connection, NOW)
                await asyncio.sleep(0)
            await rollup.run(connection, NOW)

    rolling = asyncio.create_task(roll_up())
    await asyncio.gather(*(take(shard) for shard in lives))
    finished.set()
    await rolling
    told = [value for life in lives.values() for value in life]
    assert await figures(pool) == above_nothing(recount(told, NOW))


async def test_a_roll_up_that_is_cut_is_done_again(
    pool: asyncpg.Pool, shards: Shards, rollup: Rollup, database: str
) -> None:
    told = a_few(0, 50)
    await shards.take(0, batch(0, *told), NOW)
    await pool.execute(
        """
        CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON history
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut();
        """
    )
    with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
        async with pool.acquire() as connection:
            await rollup.run(connection, NOW)
    assert await figures(pool) == {}
    await pool.execute("DROP TRIGGER cut ON history")
    async with pool.acquire() as connection:
        await rollup.run(connection, NOW)
    assert await figures(pool) == above_nothing(recount(told, NOW))


class Unheard:
    """Stands where the publisher stands; the leader tells nobody here."""

    async def tell_figures(self, _: asyncpg.Connection) -> int:
        return 0

    async def tell_refusals(self, _: asyncpg.Connection) -> int:
        return 0


class Counting(Rollup):
    """Knows how many roll-ups run at the same time."""

    running = 0
    most = 0
    runs = 0

    async def run(self, connection: asyncpg.Connection, now: datetime) -> int:
        Counting.running += 1
        Counting.most = max(Counting.most, Counting.running)
        self.runs += 1
        try:
            await connection.execute("SELECT pg_sleep(0.02)")
            return await super().run(connection, now)
        finally:
            Counting.running -= 1


@pytest.fixture
async def lead(pool: asyncpg.Pool) -> AsyncIterator[Callable[[Work], asyncio.Task[None]]]:
    """Start leaders; they end before the pool does."""
    tasks: list[asyncio.Task[None]] = []

    def start(one: Work) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(one.lead()))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def work(pool: asyncpg.Pool, shards: Shards, rollup: Rollup) -> Work:
    settings = ScoringSettings(rollup_seconds=0.02, publish_seconds=0.02)
    return Work(
        pool=pool,
        shards=shards,
        consumer=None,  # type: ignore[arg-type]  # the leader's loop does not use it
        rollup=rollup,
        publisher=Unheard(),  # type: ignore[arg-type]
        clock=FixedClock(NOW),
        metrics=Metrics(CollectorRegistry()),
        settings=settings,
    )


async def test_one_process_leads_and_another_follows_when_it_ends(
    pool: asyncpg.Pool, shards: Shards, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    rollups = [Counting(AREAS), Counting(AREAS)]
    works = [work(pool, shards, one) for one in rollups]
    tasks = [lead(one) for one in works]

    async def somebody_leads() -> bool:
        return rollups[0].runs + rollups[1].runs > 3

    await until(somebody_leads)
    leader = 0 if rollups[0].runs else 1
    assert rollups[1 - leader].runs == 0
    # Who waits goes forward, too: the other one does the work.
    assert [await one.going() for one in works] == [None, None]
    tasks[leader].cancel()

    async def the_other_leads() -> bool:
        return rollups[1 - leader].runs > 2

    await until(the_other_leads)
    assert Counting.most == 1


async def test_a_leader_whose_connection_is_cut_leads_again(
    pool: asyncpg.Pool, shards: Shards, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    rollup = Counting(AREAS)
    task = lead(work(pool, shards, rollup))
    await asyncio.sleep(0.3)
    await pool.execute(CUT_LEADER)
    before = rollup.runs

    async def leads_again() -> bool:
        return rollup.runs > before + 2

    await until(leads_again)
    assert not task.done()


async def test_a_leader_whose_connection_is_cut_can_be_stopped(
    pool: asyncpg.Pool, shards: Shards, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    class Idle(Counting):
        """Does not notice that its connection is gone."""

        async def run(self, *_: object) -> int:
            self.runs += 1
            return 0

    rollup = Idle(AREAS)
    task = lead(work(pool, shards, rollup))
    await asyncio.sleep(0.3)
    await pool.execute(CUT_LEADER)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
