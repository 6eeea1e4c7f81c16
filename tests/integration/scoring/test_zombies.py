"""Processes that stop in the middle, and go on when others have long taken their shards."""

import asyncio

import asyncpg
import pytest

from services.chassis.database import is_transient
from services.scoring import store
from services.scoring.shard import Refuse, Shards
from tests.integration.scoring.invented import (
    NOW,
    RULES,
    batch,
    counters,
    recount,
    registered,
    smartphone,
)


async def test_who_stops_in_a_transaction_does_not_hold_the_shard_for_ever(
    pool: asyncpg.Pool, shards: Shards, refuse: Refuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by SIGSTOP: the connection lives, and its transaction holds the shard's row."""
    monkeypatch.setattr(store, "PATIENCE_SECONDS", 0.3)
    told = [registered(1), smartphone(1)]
    await shards.take(0, batch(0, told[0]), NOW)
    stopped, goes_on = asyncio.Event(), asyncio.Event()
    move = store.move

    async def stop(*args: object, **kwargs: object) -> None:
        stopped.set()
        await goes_on.wait()
        await move(*args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(store, "move", stop)
        zombie = asyncio.create_task(shards.take(0, batch(1, told[1]), NOW))
        await stopped.wait()
    other = Shards(pool, RULES, refuse)
    async with asyncio.timeout(5):
        assert (await other.take(0, batch(1, told[1]), NOW)).taken == 1
    goes_on.set()
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is asked
        await zombie
    assert is_transient(caught.value), repr(caught.value)
    assert (await shards.take(0, batch(1, told[1]), NOW)).taken == 0
    assert await counters(pool) == recount(told, NOW)
