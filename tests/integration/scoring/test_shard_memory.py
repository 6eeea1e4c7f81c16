"""A shard's state in memory is a copy of what PostgreSQL holds: dropped, behind or lost, it is read anew."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.times import local_day
from services.chassis.database import is_transient
from services.scoring import store
from services.scoring.core.packing import PackError
from services.scoring.shard import Refuse, Shards, Taken
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
    state,
    touched,
)

TODAY = local_day(NOW)


def lives(count: int, first: int = 0) -> list[bytes]:
    """Adults with and without smartphones, some of whom have moved; half of the ids are long."""
    told = []
    for number in range(first, first + count):
        told.append(registered(number, id=f"registered-{number}" + "-again" * (number % 2 * 5)))
        told.append(smartphone(number, has=number % 3 > 0))
        told.append(paid(number, (NOW - timedelta(days=60 + number % 60)).isoformat()))
        if number % 4 == 0:
            moved = event("identity.residence-changed.v1", citizen(number), {"area": "04252"})
            told.append(moved)
    return told


async def take_in_turns(
    workers: Sequence[Shards], shard: int, told: list[bytes], size: int, first: int = 0
) -> None:
    """Let one worker after the other take a batch."""
    for turn, start in enumerate(range(0, len(told), size)):
        worker = workers[turn % len(workers)]
        taken = await worker.take(shard, batch(first + start, *told[start : start + size]), NOW)
        assert taken.sought is None


async def bytes_of(pool: asyncpg.Pool, table: str) -> tuple[int, int]:
    """How many payloads a table has, and their bytes."""
    query = f"SELECT count(*), coalesce(sum(length(payload)), 0)::bigint FROM {table}"  # noqa: S608
    row = await pool.fetchrow(query)
    assert row is not None
    return row[0], row[1]


# Little memory.


async def test_states_over_the_bound_are_dropped_and_read_again(
    pool: asyncpg.Pool, refuse: Refuse
) -> None:
    shards = Shards(pool, RULES, refuse, memory_bytes=0)
    told = {shard: lives(20, first=100 * shard) for shard in range(3)}
    for start in range(0, 60, 15):
        for shard, values in told.items():
            await shards.take(shard, batch(start, *values[start : start + 15]), NOW)
            assert list(shards._held) == [shard]
    # Each of the twelve batches but the first has dropped the state of the one before.
    assert shards.drops == 11
    for shard, values in told.items():
        assert await counters(pool, shard) == recount(values[:60], NOW)
    tomorrow = NOW + timedelta(days=31)
    for shard, values in told.items():
        await shards.step(shard, local_day(tomorrow))
        assert await counters(pool, shard) == recount(values[:60], tomorrow)


async def test_states_under_the_bound_are_kept(pool: asyncpg.Pool, shards: Shards) -> None:
    for shard in range(3):
        await shards.take(shard, batch(0, registered(shard)), NOW)
    assert set(shards._held) == {0, 1, 2}
    assert shards.held_bytes == sum(held.state.nbytes for held in shards._held.values())
    shards.keep_only([1])
    assert set(shards._held) == {1}


# Snapshots.


@pytest.mark.parametrize(("least_bytes", "most_entries"), [(3_000, 10_000), (10_000_000, 5)])
async def test_a_long_journal_is_replaced_by_a_snapshot(
    pool: asyncpg.Pool,
    refuse: Refuse,
    monkeypatch: pytest.MonkeyPatch,
    least_bytes: int,
    most_entries: int,
) -> None:
    monkeypatch.setattr("services.scoring.store._LEAST_JOURNAL", least_bytes)
    told = lives(60)
    largest = 0
    for start in range(0, len(told), 5):
        # A fresh worker goes on from what is stored.
        worker = Shards(pool, RULES, refuse, journal_entries=most_entries)
        await worker.take(0, batch(start, *told[start : start + 5]), NOW)
        entries, octets = await bytes_of(pool, "journal")
        _, snapshot = await bytes_of(pool, "snapshots")
        assert entries <= most_entries
        # It may wait for other shards' snapshots until it is twice as long as it is worth.
        assert octets <= 2 * max(snapshot, least_bytes)
        largest = max(largest, snapshot)
        assert (worker._held[0].snapshot_bytes, worker._held[0].journal_bytes) == (snapshot, octets)
    assert largest > 0
    assert await counters(pool) == recount(told, NOW)
    assert await Shards(pool, RULES, refuse).positions([0]) == {0: (len(told), TODAY)}
    fresh = Shards(pool, RULES, refuse)
    assert await fresh.take(0, batch(0, *told), NOW) == Taken(len(told))
    held = fresh._held[0]
    assert (held.state.counts == held.state.recount()).all()
    assert (await bytes_of(pool, "journal"))[1] == held.journal_bytes


async def test_a_journal_that_is_short_is_kept(pool: asyncpg.Pool, shards: Shards) -> None:
    await take_in_turns([shards], 0, lives(20), 7)
    assert (await bytes_of(pool, "journal"))[0] > 5
    assert (await bytes_of(pool, "snapshots"))[0] == 0


async def test_shards_that_fill_evenly_are_written_as_a_whole_one_after_the_other(
    pool: asyncpg.Pool, refuse: Refuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_LEAST_JOURNAL", 1_000)
    shards = Shards(pool, RULES, refuse)
    told = {shard: lives(300, first=1_000 * shard) for shard in range(4)}
    written: list[int] = []
    size = 5
    for start in range(0, len(told[0]), size):
        before = await snapshots(pool)
        for shard, values in told.items():
            await shards.take(shard, batch(start, *values[start : start + size]), NOW)
        after = await snapshots(pool)
        written.append(sum(after[shard] != before.get(shard) for shard in after))
    assert sum(written) >= 4 * 4, "every shard is written as a whole, and again when it has doubled"
    # At first a batch is as large as a snapshot, and there is nothing to spread.
    assert max(written[len(written) // 4 :]) <= 2


async def snapshots(pool: asyncpg.Pool) -> dict[int, int]:
    """Shard → the bytes of its snapshot."""
    rows = await pool.fetch("SELECT shard, sum(length(payload)) FROM snapshots GROUP BY shard")
    return dict(map(tuple, rows))


async def test_a_snapshot_that_fails_loses_nothing(pool: asyncpg.Pool, refuse: Refuse) -> None:
    told = lives(20)
    await Shards(pool, RULES, refuse).take(0, batch(0, *told[:20]), NOW)
    shards = Shards(pool, RULES, refuse, journal_entries=0)
    await fail_on(pool, "INSERT ON snapshots")
    with pytest.raises(asyncpg.SerializationError):
        await shards.take(0, batch(20, *told[20:]), NOW)
    assert await counters(pool) == recount(told, NOW)
    await fail_no_more(pool, "snapshots")
    # What is taken again is known, since it was committed before.
    assert await shards.take(0, batch(20, *told[20:]), NOW) == Taken(len(told))
    await shards.take(0, batch(len(told), registered(500)), NOW)
    assert (await bytes_of(pool, "journal"), (await bytes_of(pool, "snapshots"))[0]) == ((0, 0), 1)
    assert await counters(pool) == recount([*told, registered(500)], NOW)


async def fail_on(pool: asyncpg.Pool, moment: str) -> None:
    """Let PostgreSQL refuse something, as it does when it wants the transaction again."""
    await pool.execute(
        f"""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION USING ERRCODE = ''40001''; END';
        CREATE TRIGGER fail BEFORE {moment} FOR EACH ROW EXECUTE FUNCTION fail();
        """
    )


async def fail_no_more(pool: asyncpg.Pool, table: str) -> None:
    await pool.execute(f"DROP TRIGGER fail ON {table}; DROP FUNCTION fail()")


@pytest.mark.parametrize("table", ["journal", "snapshots"])
async def test_what_cannot_be_read_stops_the_shard_and_changes_nothing(
    pool: asyncpg.Pool, refuse: Refuse, table: str
) -> None:
    shards = Shards(pool, RULES, refuse, journal_entries=0 if table == "snapshots" else 100)
    await shards.take(0, batch(0, registered(1)), NOW)
    await pool.execute(f"UPDATE {table} SET payload = '\\xff'::bytea")  # noqa: S608
    before = await state(pool)
    fresh = Shards(pool, RULES, refuse)
    with pytest.raises(PackError, match="stored state cannot be read") as caught:
        await fresh.take(0, batch(1, smartphone(1)), NOW)
    assert not is_transient(caught.value)
    assert await state(pool) == before
    # Other shards are not concerned.
    assert (await fresh.take(1, batch(0, registered(2)), NOW)).taken == 1


# Memory that is behind.


async def test_two_workers_in_turns_count_once(pool: asyncpg.Pool, refuse: Refuse) -> None:
    workers = [Shards(pool, RULES, refuse) for _ in range(2)]
    told = lives(40)
    await take_in_turns(workers, 7, told, 9)
    assert await counters(pool) == recount(told, NOW)
    assert await pool.fetchval("SELECT sum(events) FROM sources") == len(told)


async def test_a_worker_whose_memory_is_behind_asks_for_nothing(
    pool: asyncpg.Pool, refuse: Refuse
) -> None:
    """Its records follow on what another has taken meanwhile."""
    one, other = (Shards(pool, RULES, refuse) for _ in range(2))
    told = lives(12)
    await other.take(0, batch(0, *told[:5]), NOW)
    await one.take(0, batch(5, *told[5:20]), NOW)
    assert await other.take(0, batch(20, *told[20:]), NOW) == Taken(len(told), len(told) - 20)
    assert await counters(pool) == recount(told, NOW)


async def test_a_worker_whose_memory_is_behind_steps_once(
    pool: asyncpg.Pool, refuse: Refuse
) -> None:
    one, other = (Shards(pool, RULES, refuse) for _ in range(2))
    told = lives(40)
    await one.take(0, batch(0, *told[:60]), NOW)
    await other.take(0, batch(60, *told[60:]), NOW)
    later = NOW + timedelta(days=20)
    due = await one.step(0, local_day(later))
    assert due > 0
    assert await other.step(0, local_day(later)) == 0
    assert await counters(pool) == recount(told, later)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(["take", "take", "take", "step", "forget", "lose"]),
            st.integers(0, 1),
            st.integers(1, 12),
            st.integers(0, 12),
        ),
        max_size=14,
    )
)
async def test_whatever_workers_do_in_turns_counts_once(
    pool: asyncpg.Pool, refuse: Refuse, moves: list[tuple[str, int, int, int]]
) -> None:
    """Taking, also again, steps, memory that is dropped, and transactions that are lost."""
    await pool.execute("TRUNCATE shards, snapshots, journal, counters, touched, sources")
    workers = [Shards(pool, RULES, refuse) for _ in range(2)]
    told, position = lives(30), 0
    for what, number, size, again in moves:
        worker, first = workers[number], max(0, position - again)
        some = batch(first, *told[first : position + size])
        if what == "take" and some:
            taken = await worker.take(3, some, NOW)
            assert taken.next_offset == max(position, some[-1].offset + 1)
            position = taken.next_offset
        elif what == "step":
            await worker.step(3, TODAY)
        elif what == "forget":
            worker.forget(3)
        elif what == "lose" and position + size <= len(told):
            await fail_on(pool, "UPDATE ON shards")
            with pytest.raises(asyncpg.SerializationError):
                await worker.take(3, some, NOW)
            await fail_no_more(pool, "shards")
        assert await counters(pool) == recount(told[:position], NOW)


async def test_workers_at_the_same_time_count_once(pool: asyncpg.Pool, refuse: Refuse) -> None:
    workers = [Shards(pool, RULES, refuse) for _ in range(3)]
    told = lives(40)

    async def work(worker: Shards, size: int) -> int:
        taken = 0
        position = 0
        while position < len(told):
            found = await worker.take(5, batch(position, *told[position : position + size]), NOW)
            taken += found.taken
            position = found.next_offset
        return taken

    taken = await asyncio.gather(*map(work, workers, (3, 5, 11)))
    assert sum(taken) == len(told)
    assert await counters(pool) == recount(told, NOW)


async def test_a_transaction_that_failed_leaves_nothing_in_memory(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    told = lives(20)
    await shards.take(0, batch(0, *told[:30]), NOW)
    before = await state(pool)
    await fail_on(pool, "UPDATE ON shards")
    for _ in range(2):
        with pytest.raises(asyncpg.SerializationError):
            await shards.take(0, batch(30, *told[30:]), NOW)
        assert await state(pool) == before
    await fail_no_more(pool, "shards")
    assert await shards.take(0, batch(30, *told[30:]), NOW) == Taken(len(told), len(told) - 30)
    assert await counters(pool) == recount(told, NOW)


async def test_a_store_that_was_set_back_is_noticed(pool: asyncpg.Pool, shards: Shards) -> None:
    """As after a restore from a backup under a worker that goes on."""
    told = lives(10)
    await shards.take(0, batch(0, *told[:10]), NOW)
    await pool.execute("TRUNCATE shards, snapshots, journal, counters, touched, sources")
    assert await shards.take(0, batch(10, *told[10:]), NOW) == Taken(0, sought=0)
    await shards.take(0, batch(0, *told), NOW)
    assert await counters(pool) == recount(told, NOW)


async def test_only_what_changes_is_marked_by_a_worker_that_reads_anew(
    pool: asyncpg.Pool, shards: Shards, refuse: Refuse
) -> None:
    await shards.take(0, batch(0, registered(1), smartphone(1)), NOW)
    await pool.execute("TRUNCATE touched")
    fresh = Shards(pool, RULES, refuse)
    await fresh.take(0, batch(2, smartphone(1)), NOW)
    assert await touched(pool, 0) == {}
