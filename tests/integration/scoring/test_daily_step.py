"""The daily step: time alone changes indicators, after any number of days."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from contracts.times import local_day
from services.scoring.shard import Shards
from tests.integration.scoring.invented import (
    NOW,
    batch,
    counters,
    paid,
    recount,
    registered,
    state,
)

TODAY = local_day(NOW)


def lives(count: int) -> list[bytes]:
    """Citizens whose last payments are 60 to 89 days old."""
    told = []
    for number in range(count):
        moment = NOW - timedelta(days=60 + number % 30)
        told += [registered(number), paid(number, moment.isoformat())]
    return told


async def test_windows_run_out_on_their_day(pool: asyncpg.Pool, shards: Shards) -> None:
    told = lives(60)
    await shards.take(0, batch(0, *told), NOW)
    for days in range(1, 40):
        now = NOW + timedelta(days=days)
        await shards.step(0, local_day(now))
        assert await counters(pool) == recount(told, now), days
    assert (await shards.positions([0]))[0] == (120, TODAY + timedelta(days=39))


async def test_after_days_of_downtime_all_is_right_at_once(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    told = lives(60)
    await shards.take(0, batch(0, *told), NOW)
    now = NOW + timedelta(days=400)
    assert await shards.step(0, local_day(now)) == 60
    assert await counters(pool) == recount(told, now)
    assert await shards.step(0, local_day(now)) == 0


async def test_only_who_is_due_is_evaluated(pool: asyncpg.Pool, shards: Shards) -> None:
    """Payments 60 to 89 days ago count for 90 days, so two of 60 run out on the second day."""
    await shards.take(0, batch(0, *lives(60)), NOW)
    assert await shards.step(0, TODAY) == 0
    assert await shards.step(0, TODAY + timedelta(days=1)) == 0
    assert await shards.step(0, TODAY + timedelta(days=2)) == 2
    assert await shards.step(0, TODAY + timedelta(days=2)) == 0


async def test_a_day_is_done_with_what_it_changes_or_not_at_all(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    told = lives(10)
    await shards.take(0, batch(0, *told), NOW)
    assert await shards.positions([0]) == {0: (20, TODAY)}
    now = NOW + timedelta(days=100)
    before = await state(pool)
    await pool.execute(
        """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION USING ERRCODE = ''40001''; END';
        CREATE TRIGGER fail BEFORE UPDATE ON shards FOR EACH ROW EXECUTE FUNCTION fail();
        """
    )
    with pytest.raises(asyncpg.SerializationError):
        await shards.step(0, local_day(now))
    assert await state(pool) == before
    await pool.execute("DROP TRIGGER fail ON shards")
    assert await shards.step(0, local_day(now)) == 10
    assert await shards.positions([0]) == {0: (20, local_day(now))}
    assert await counters(pool) == recount(told, now)


async def test_shards_of_an_earlier_day_are_outdated(shards: Shards) -> None:
    await shards.take(0, batch(0, *lives(5)), NOW)
    await shards.take(1, batch(0, registered(100)), NOW)
    tomorrow = TODAY + timedelta(days=1)
    assert await shards.outdated([0, 1, 2], TODAY) == []
    assert sorted(await shards.outdated([0, 1, 2], tomorrow)) == [0, 1]
    await shards.step(1, tomorrow)
    assert await shards.outdated([0, 1, 2], tomorrow) == [0]


async def test_an_event_on_the_new_day_before_the_step(pool: asyncpg.Pool, shards: Shards) -> None:
    told = lives(30)
    await shards.take(0, batch(0, *told), NOW)
    now = NOW + timedelta(days=10)
    told.append(paid(3, (now - timedelta(hours=1)).isoformat()))
    await shards.take(0, batch(60, told[-1]), now)
    await shards.step(0, local_day(now))
    assert await counters(pool) == recount(told, now)


async def test_the_step_of_one_shard_leaves_others_alone(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    await shards.take(0, batch(0, *lives(5)), NOW)
    await shards.take(1, batch(0, registered(100)), NOW)
    await shards.step(1, TODAY + timedelta(days=400))
    assert (await counters(pool))["2025:02647", "dc.3.2"] == (5, 6)


async def test_a_reform_moves_its_subjects_without_an_event(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    before = datetime(2025, 6, 30, 5, tzinfo=UTC)
    told = [registered(1, "04249", time="2025-06-01T00:00:00Z")]
    await shards.take(0, batch(0, *told), before)
    assert (await counters(pool))["legacy:04249", "dc.1.1"] == (0, 1)
    after = before + timedelta(days=1)
    await shards.step(0, local_day(after))
    assert await counters(pool) == recount(told, after)
    assert (await counters(pool))["2025:04279", "dc.1.1"] == (0, 1)
