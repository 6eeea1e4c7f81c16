"""Days that come out of order: clocks differ around midnight, stop, or are put back."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from contracts.times import local_day
from services.scoring.shard import Refuse, Shards
from tests.integration.scoring.invented import (
    NOW,
    RULES,
    batch,
    counters,
    paid,
    recount,
    registered,
)

TODAY = local_day(NOW)
TOMORROW = TODAY + timedelta(days=1)
#: A payment of this moment counts for the last time today.
LAST_PAID = (NOW - timedelta(days=90)).isoformat()
LAST_DAY = paid(1, LAST_PAID)


async def test_a_batch_of_yesterday_is_evaluated_on_the_day_that_the_shard_has_reached(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    await shards.take(0, batch(0, registered(2)), NOW)
    await shards.step(0, TOMORROW)
    told = [registered(1), LAST_DAY]
    await shards.take(0, batch(1, *told), NOW)
    now = NOW + timedelta(days=1)
    assert await shards.outdated([0], local_day(now)) == []
    assert await counters(pool) == recount([registered(2), *told], now)


async def test_another_process_with_a_slower_clock_goes_on_from_there(
    pool: asyncpg.Pool, shards: Shards, refuse: Refuse
) -> None:
    await shards.take(0, batch(0, registered(2)), NOW)
    await shards.step(0, TOMORROW)
    other = Shards(pool, RULES, refuse)
    told = [registered(1), LAST_DAY]
    await other.take(0, batch(1, *told), NOW)
    assert await other.step(0, TODAY) == 0
    assert (await other.positions([0]))[0] == (3, TOMORROW)
    assert await counters(pool) == recount([registered(2), *told], NOW + timedelta(days=1))


async def test_batches_and_the_step_at_midnight(pool: asyncpg.Pool, shards: Shards) -> None:
    """The step waits for a batch, batches for the step; which comes first makes no difference."""
    told = [value for n in range(1, 40) for value in (registered(n), paid(n, LAST_PAID))]
    moves = [shards.take(0, batch(at, *told[at : at + 6]), NOW) for at in range(0, len(told), 6)]
    half = len(moves) // 2
    await asyncio.gather(*moves[:half], shards.step(0, TOMORROW), *moves[half:])
    assert await counters(pool) == recount(told, NOW + timedelta(days=1))


@pytest.mark.parametrize("days", [3, 400])
async def test_after_a_clock_that_ran_ahead_everybody_is_evaluated_anew(
    pool: asyncpg.Pool, shards: Shards, days: int
) -> None:
    told = [registered(1), LAST_DAY, registered(2)]
    ahead = NOW + timedelta(days=days)
    await shards.take(0, batch(0, *told), NOW)
    await shards.step(0, local_day(ahead))
    assert await counters(pool) == recount(told, ahead)
    assert await shards.outdated([0], TODAY) == [0]
    await shards.step(0, TODAY)
    assert await shards.outdated([0], TODAY) == []
    assert await counters(pool) == recount(told, NOW)
    # What is read anew is no different.
    shards.forget(0)
    await shards.step(0, TOMORROW)
    assert await counters(pool) == recount(told, NOW + timedelta(days=1))
