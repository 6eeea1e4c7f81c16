"""The daily step: time alone changes indicators, in pieces, after any number of days."""

from datetime import UTC, date, datetime, timedelta

import asyncpg

from contracts.times import local_day
from services.scoring.shard import Shards
from tests.integration.scoring.invented import (
    NOW,
    batch,
    counters,
    paid,
    recount,
    registered,
)

TODAY = local_day(NOW)


def lives(count: int) -> list[bytes]:
    """Citizens whose last payments are 60 to 89 days old."""
    told = []
    for number in range(count):
        moment = NOW - timedelta(days=60 + number % 30)
        told += [registered(number), paid(number, moment.isoformat())]
    return told


async def work_off(shards: Shards, shard: int, day: date, rows: int) -> list[int]:
    """Step until the day is done; how many subjects each piece had."""
    pieces = [await shards.step(shard, day, rows)]
    while pieces[-1] == rows:
        pieces.append(await shards.step(shard, day, rows))
    return pieces


async def test_windows_run_out_on_their_day(pool: asyncpg.Pool, shards: Shards) -> None:
    told = lives(60)
    await shards.take(0, batch(0, *told), NOW)
    for days in range(1, 40):
        now = NOW + timedelta(days=days)
        await work_off(shards, 0, local_day(now), 1000)
        assert await counters(pool) == recount(told, now), days
    assert (await shards.positions([0]))[0] == (120, TODAY + timedelta(days=39))


async def test_after_days_of_downtime_all_is_right_at_once(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    told = lives(60)
    await shards.take(0, batch(0, *told), NOW)
    now = NOW + timedelta(days=400)
    pieces = await work_off(shards, 0, local_day(now), 7)
    assert pieces == [7] * 8 + [4]
    assert await counters(pool) == recount(told, now)
    assert await work_off(shards, 0, local_day(now), 7) == [0]


async def test_a_day_is_done_only_when_its_last_piece_is(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    await shards.take(0, batch(0, *lives(10)), NOW)
    day = TODAY + timedelta(days=100)
    await shards.step(0, day, 10)
    assert (await shards.positions([0]))[0] == (20, None)
    await shards.step(0, day, 10)
    assert (await shards.positions([0]))[0] == (20, day)


async def test_an_event_on_the_new_day_before_the_step(pool: asyncpg.Pool, shards: Shards) -> None:
    told = lives(30)
    await shards.take(0, batch(0, *told), NOW)
    now = NOW + timedelta(days=10)
    told.append(paid(3, (now - timedelta(hours=1)).isoformat()))
    await shards.take(0, batch(60, told[-1]), now)
    await work_off(shards, 0, local_day(now), 4)
    assert await counters(pool) == recount(told, now)


async def test_the_step_of_one_shard_leaves_others_alone(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    await shards.take(0, batch(0, *lives(5)), NOW)
    await shards.take(1, batch(0, registered(100)), NOW)
    await work_off(shards, 1, TODAY + timedelta(days=400), 10)
    assert (await counters(pool))["2025:02647", "dc.3.2"] == (5, 6)


async def test_a_reform_moves_its_subjects_without_an_event(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    before = datetime(2025, 6, 30, 5, tzinfo=UTC)
    told = [registered(1, "04249", time="2025-06-01T00:00:00Z")]
    await shards.take(0, batch(0, *told), before)
    assert (await counters(pool))["legacy:04249", "dc.1.1"] == (0, 1)
    after = before + timedelta(days=1)
    await work_off(shards, 0, local_day(after), 10)
    assert await counters(pool) == recount(told, after)
    assert (await counters(pool))["2025:04279", "dc.1.1"] == (0, 1)
