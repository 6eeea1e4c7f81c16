"""The roll-up against a plain sum, while batches go on."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest

from contracts.times import local_day
from services.chassis.database import is_transient
from services.scoring.rollup import Rollup
from tests.integration.scoring.counted import (
    BIT_OF,
    LAO_CAI,
    PROVINCE,
    WIDTH,
    YEN_BAI,
    Shard,
    rolled_up,
)
from tests.integration.scoring.invented import AREAS, CATALOGUE, NOW, Counts, figures

COMMUNES = [area.area_id for area in AREAS.on(local_day(NOW)) if area.level == "commune"]
SMARTPHONE = "ds.smartphone"
VERSION = "SELECT version FROM figures WHERE area_id = $1 AND indicator = $2"


@pytest.fixture
def rollup() -> Rollup:
    return Rollup(AREAS, CATALOGUE)


def a_few(seed: int, count: int) -> Counts:
    """Counts in any communes and indicators."""
    chance = random.Random(seed)
    pairs = {(chance.choice(COMMUNES), chance.choice(list(BIT_OF))) for _ in range(count)}
    return {pair: (chance.randint(0, 5), chance.randint(5, 9)) for pair in sorted(pairs)}


def plus(*several: Counts) -> Counts:
    total: Counts = {}
    for counts in several:
        for pair, (top, below) in counts.items():
            before = total.get(pair, (0, 0))
            total[pair] = (before[0] + top, before[1] + below)
    return total


async def history(pool: asyncpg.Pool, area_id: str, indicator: str) -> list[tuple[str, int, int]]:
    rows = await pool.fetch(
        "SELECT day, numerator, denominator FROM history "
        "WHERE area_id = $1 AND indicator = $2 ORDER BY day",
        area_id,
        indicator,
    )
    return [(row["day"].isoformat(), row["numerator"], row["denominator"]) for row in rows]


async def test_units_add_up_those_below_them(pool: asyncpg.Pool, rollup: Rollup) -> None:
    one, other = a_few(1, 300), a_few(2, 300)
    await Shard(pool, 0).add(one)
    await Shard(pool, 1).add(other)
    async with pool.acquire() as connection:
        changed = await rollup.run(connection, NOW)
        assert await rollup.run(connection, NOW) == 0
    expected = rolled_up(plus(one, other))
    assert await figures(pool) == expected
    assert changed == len(expected)
    assert await pool.fetchval("SELECT count(*) FROM touched") == 0


async def test_units_that_were_not_touched_stay_in_the_sum(
    pool: asyncpg.Pool, rollup: Rollup
) -> None:
    shard, first = Shard(pool, 0), a_few(1, 300)
    await shard.add(first)
    async with pool.acquire() as connection:
        await rollup.run(connection, NOW)
        more = {(LAO_CAI, SMARTPHONE): (1, 2), (PROVINCE, SMARTPHONE): (3, 4)}
        await shard.add(more)
        assert await rollup.run(connection, NOW) == 2
    assert await figures(pool) == rolled_up(plus(first, more))


async def test_a_move_between_units_leaves_the_sum(pool: asyncpg.Pool, rollup: Rollup) -> None:
    shard = Shard(pool, 0)
    await shard.add({(LAO_CAI, SMARTPHONE): (1, 1)})
    async with pool.acquire() as connection:
        await rollup.run(connection, NOW)
        await shard.add({(LAO_CAI, SMARTPHONE): (-1, -1), (YEN_BAI, SMARTPHONE): (1, 1)})
        assert await rollup.run(connection, NOW) == 2
    assert await figures(pool) == {
        (YEN_BAI, SMARTPHONE): (1, 1),
        (PROVINCE, SMARTPHONE): (1, 1),
    }
    # What has not changed gets no new version, so nothing is told of it.
    assert await pool.fetchval(VERSION, PROVINCE, SMARTPHONE) == 1
    # What has, is: nobody is counted there any more.
    assert await pool.fetchval(VERSION, LAO_CAI, SMARTPHONE) == 2


async def test_counters_of_any_length_are_read(pool: asyncpg.Pool, rollup: Rollup) -> None:
    """A shard writes as many as it knows; nulls and what is absent are nobody."""
    bit = BIT_OF[SMARTPHONE]
    arrays: list[tuple[Sequence[int | None], Sequence[int | None]]] = [
        ([0] * bit + [1], [0] * bit + [2]),
        ([0] * (bit + 9) + [7], [0] * (bit + 9) + [7]),
        ([None] * bit + [10], [0] * bit + [20]),
        ([100] * bit + [None], [200] * bit + [None]),
        ([], [0]),
        ([0] * bit + [1_000] + [5] * (WIDTH + 10), [0] * bit + [2_000] + [5] * (WIDTH + 10)),
    ]
    for shard, (tops, belows) in enumerate(arrays):
        await pool.execute(
            "INSERT INTO counters VALUES ($1, $2, $3, $4)", LAO_CAI, shard, tops, belows
        )
    await pool.execute(
        "INSERT INTO touched VALUES (0, 1, $1, $2, '{}', '{}')", [LAO_CAI], [1 << bit]
    )
    async with pool.acquire() as connection:
        assert await rollup.run(connection, NOW) == 2
    assert await figures(pool) == {
        (LAO_CAI, SMARTPHONE): (1_011, 2_022),
        (PROVINCE, SMARTPHONE): (1_011, 2_022),
    }


async def test_what_the_catalogue_has_given_up_is_left_as_it_is(pool: asyncpg.Pool) -> None:
    indicators = tuple(one for one in CATALOGUE.indicators if one.id != SMARTPHONE)
    fewer = CATALOGUE.model_copy(update={"indicators": indicators})
    vars(fewer).pop("counted", None)
    async with pool.acquire() as connection:
        shard = Shard(pool, 0)
        await shard.add({(LAO_CAI, SMARTPHONE): (1, 1)})
        await Rollup(AREAS, CATALOGUE).run(connection, NOW)
        await shard.add({(LAO_CAI, SMARTPHONE): (1, 1), (LAO_CAI, "dc.1.1"): (1, 1)})
        assert await Rollup(AREAS, fewer).run(connection, NOW) == 2
    assert await figures(pool) == {
        (LAO_CAI, SMARTPHONE): (1, 1),
        (PROVINCE, SMARTPHONE): (1, 1),
        (LAO_CAI, "dc.1.1"): (1, 1),
        (PROVINCE, "dc.1.1"): (1, 1),
    }


async def test_history_has_a_point_for_each_day_with_a_change(
    pool: asyncpg.Pool, rollup: Rollup
) -> None:
    shard = Shard(pool, 0)
    async with pool.acquire() as connection:
        await shard.add({(LAO_CAI, SMARTPHONE): (0, 1)})
        await rollup.run(connection, NOW)
        await shard.add({(LAO_CAI, SMARTPHONE): (1, 0)})
        await rollup.run(connection, NOW + timedelta(hours=1))
        await shard.add({(LAO_CAI, SMARTPHONE): (0, 1)})
        # 17:00 UTC is midnight in Viet Nam.
        await rollup.run(connection, NOW.replace(hour=17))
    assert await history(pool, PROVINCE, SMARTPHONE) == [
        ("2026-11-22", 1, 1),
        ("2026-11-23", 1, 2),
    ]


async def test_no_mark_is_lost_while_batches_go_on(pool: asyncpg.Pool, rollup: Rollup) -> None:
    lives = {shard: [a_few(100 * shard + n, 60) for n in range(10)] for shard in range(3)}
    finished = asyncio.Event()

    async def take(number: int) -> None:
        shard = Shard(pool, number)
        for counts in lives[number]:
            await shard.add(counts)

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
    assert await figures(pool) == rolled_up(plus(*(one for life in lives.values() for one in life)))


async def test_a_roll_up_that_is_cut_is_done_again(pool: asyncpg.Pool, rollup: Rollup) -> None:
    counts = a_few(1, 50)
    await Shard(pool, 0).add(counts)
    await pool.execute(
        """
        CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON history
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut();
        """
    )
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which is judged below
        async with pool.acquire() as connection:
            await rollup.run(connection, NOW)
    assert is_transient(caught.value), repr(caught.value)
    assert await figures(pool) == {}
    await pool.execute("DROP TRIGGER cut ON history")
    async with pool.acquire() as connection:
        await rollup.run(connection, NOW)
    assert await figures(pool) == rolled_up(counts)


async def test_rounds_go_on_from_wherever_they_are(pool: asyncpg.Pool, rollup: Rollup) -> None:
    """Without a round no figure would be written, and its mark would be gone."""
    await pool.execute("TRUNCATE rounds")
    shard = Shard(pool, 0)
    async with pool.acquire() as connection:
        for last in (1, 2):
            await shard.add({(LAO_CAI, SMARTPHONE): (0, 1)})
            await rollup.run(connection, NOW)
            rounds = await connection.fetch("SELECT DISTINCT round FROM figures")
            assert [row["round"] for row in rounds] == [last]


async def test_late_events_restate_also_where_today_is_as_it_was(
    pool: asyncpg.Pool, rollup: Rollup
) -> None:
    shard, bit = Shard(pool, 0), BIT_OF[SMARTPHONE]
    yesterday = local_day(NOW)
    async with pool.acquire() as connection:
        await shard.add({(LAO_CAI, SMARTPHONE): (0, 2)})
        await rollup.run(connection, NOW)
        # From yesterday to yesterday there was one more.
        await connection.execute(
            "INSERT INTO corrections VALUES (0, 9, $1, $2, $3, '{1,-1}', '{0,0}')",
            *([LAO_CAI] * 2, [bit] * 2, [yesterday, yesterday + timedelta(days=1)]),
        )
        assert await rollup.run(connection, NOW + timedelta(days=1)) == 0
    assert await history(pool, PROVINCE, SMARTPHONE) == [
        ("2026-11-22", 1, 2),
        ("2026-11-23", 0, 2),
    ]
