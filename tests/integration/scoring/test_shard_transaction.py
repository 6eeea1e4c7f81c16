"""The shard transaction on a real PostgreSQL: nothing counts twice, nothing is lost."""

import asyncio
import json
from datetime import timedelta
from itertools import pairwise

import asyncpg
import pytest
import stamina
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from contracts.rejected import RejectedEvent, TopicOrigin, unseal
from contracts.times import local_day
from services.chassis.database import is_transient
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
    reported,
    smartphone,
    state,
    touched,
)

LAO_CAI = "2025:02647"
YEN_BAI = "2025:04252"


async def test_a_batch_commits_facts_counters_marks_and_position(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    told = [registered(1), registered(2, "04252"), smartphone(1)]
    assert await shards.take(3, batch(0, *told), NOW) == Taken(3, 3)
    assert await counters(pool) == recount(told, NOW)
    assert (await counters(pool))[LAO_CAI, "ds.smartphone"] == (1, 1)
    assert await shards.positions([3, 4]) == {3: (3, local_day(NOW))}
    marked = await touched(pool, 3)
    assert marked.keys() == {LAO_CAI, YEN_BAI}
    assert {(unit, name) for unit, names in marked.items() for name in names} == set(
        await counters(pool)
    )
    assert await pool.fetchval("SELECT count(*) FROM journal WHERE shard = 3") == 1


async def test_only_what_a_batch_changes_is_marked(pool: asyncpg.Pool, shards: Shards) -> None:
    await shards.take(3, batch(0, registered(1), registered(2, "04252")), NOW)
    await pool.execute("TRUNCATE touched")
    await shards.take(3, batch(2, smartphone(1, has=False)), NOW)
    assert await touched(pool, 3) == {}
    await shards.take(3, batch(3, smartphone(1, time="2026-11-21T00:00:00Z")), NOW)
    marked = await touched(pool, 3)
    assert marked.keys() == {LAO_CAI}
    assert "ds.smartphone" in marked[LAO_CAI]
    assert "dc.1.2" not in marked[LAO_CAI]


async def test_records_below_the_position_are_dropped(pool: asyncpg.Pool, shards: Shards) -> None:
    told = [registered(1), smartphone(1), registered(2)]
    await shards.take(0, batch(0, *told[:2]), NOW)
    assert await shards.take(0, batch(0, *told), NOW) == Taken(3, 1)
    assert await counters(pool) == recount(told, NOW)


async def test_taking_again_after_a_crash_before_the_kafka_commit_changes_nothing(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    told = batch(0, registered(1), smartphone(1), b"not an event")
    await shards.take(0, told, NOW)
    before = await state(pool)
    assert await shards.take(0, told, NOW + timedelta(minutes=1)) == Taken(3)
    assert await state(pool) == before


async def test_a_gap_asks_for_what_is_missing(pool: asyncpg.Pool, shards: Shards) -> None:
    await shards.take(0, batch(0, registered(1)), NOW)
    before = await state(pool)
    assert await shards.take(0, batch(5, smartphone(1)), NOW) == Taken(1, sought=1)
    assert await state(pool) == before


async def test_a_gap_that_is_real_is_passed_and_told(pool: asyncpg.Pool, shards: Shards) -> None:
    await shards.take(0, batch(0, registered(1)), NOW)
    taken = await shards.take(0, batch(5, smartphone(1)), NOW, gap_is_real=True)
    assert taken == Taken(6, 1, missing=4)
    assert (await counters(pool))[LAO_CAI, "ds.smartphone"] == (1, 1)


async def test_a_gap_that_another_worker_has_filled_is_none(shards: Shards) -> None:
    await shards.take(0, batch(0, registered(1), registered(2)), NOW)
    taken = await shards.take(0, batch(2, smartphone(1)), NOW, gap_is_real=True)
    assert taken == Taken(3, 1)


async def test_workers_on_one_shard_have_one_effect(pool: asyncpg.Pool, refuse: Refuse) -> None:
    told = [value for number in range(200) for value in (registered(number), smartphone(number))]
    workers = [Shards(pool, RULES, refuse) for _ in range(2)] * 2
    taken = await asyncio.gather(*(one.take(7, batch(0, *told), NOW) for one in workers))
    assert sorted(one.taken for one in taken) == [0, 0, 0, 400]
    assert await counters(pool) == recount(told, NOW)


async def test_a_worker_that_overlaps_takes_only_the_rest(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    told = [registered(number) for number in range(30)]
    for first, last in ((0, 10), (5, 20), (0, 20), (15, 30)):
        await shards.take(7, batch(first, *told[first:last]), NOW)
    assert await counters(pool) == recount(told, NOW)
    assert await shards.positions([7]) == {7: (30, local_day(NOW))}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(9)), cuts=st.sets(st.integers(1, 8)))
async def test_any_order_and_any_batches_give_the_same_rows(
    pool: asyncpg.Pool, shards: Shards, order: list[int], cuts: set[int]
) -> None:
    told = [
        registered(1),
        smartphone(1),
        smartphone(1, has=False, time="2026-11-21T00:00:00Z"),
        event("identity.residence-changed.v1", citizen(1), {"area": "04252"}, id="moved"),
        event("identity.citizen-departed.v1", citizen(2), {"reason": "died"}),
        registered(2),
        registered(3),
        paid(3, "2026-10-01T00:00:00Z"),
        paid(3, "2026-09-01T00:00:00Z"),
    ]
    await pool.execute("TRUNCATE shards, snapshots, journal, counters, touched, sources")
    shards.forget(0)
    shuffled = [told[place] for place in order]
    bounds = [0, *sorted(cuts), len(told)]
    for first, last in pairwise(bounds):
        await shards.take(0, batch(first, *shuffled[first:last]), NOW)
    assert await counters(pool) == recount(told, NOW)


async def test_a_connection_cut_at_the_commit_is_settled_by_taking_again(
    pool: asyncpg.Pool, shards: Shards, database: str
) -> None:
    """A trigger that runs at COMMIT ends its own backend, so the fate of the commit is unknown."""
    await pool.execute(
        """
        CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON touched
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut();
        """
    )
    told = batch(0, registered(1), smartphone(1))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is asked
        await shards.take(0, told, NOW)
    assert is_transient(caught.value), repr(caught.value)
    assert await counters(pool) == {}
    await pool.execute("DROP TRIGGER cut ON touched")
    assert (await shards.take(0, told, NOW)).taken == 2
    assert (await shards.take(0, told, NOW)).taken == 0
    assert await counters(pool) == recount([one.value or b"" for one in told], NOW)


async def take_until_it_passes(shards: Shards, told: list[bytes]) -> Taken:
    """The pool may still hold connections that are cut already."""
    async for attempt in stamina.retry_context(on=is_transient, attempts=20, wait_initial=0.01):
        with attempt:
            return await shards.take(0, batch(0, *told), NOW)
    raise AssertionError("the last attempt returns or raises")


async def test_connections_cut_at_any_moment_leave_no_trace(
    pool: asyncpg.Pool, shards: Shards, database: str
) -> None:
    told = [value for number in range(300) for value in (registered(number), smartphone(number))]
    killer = await asyncpg.connect(database)
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = 'test-scoring'"
    )
    for milliseconds in (1, 5, 10, 20, 40, 60, 80):
        work = asyncio.create_task(shards.take(0, batch(0, *told), NOW))
        await asyncio.sleep(milliseconds / 1000)
        await killer.execute(cut)
        ended = (await asyncio.gather(work, return_exceptions=True))[0]
        if not isinstance(ended, Taken):
            assert isinstance(ended, Exception)
            assert is_transient(ended), repr(ended)
    await killer.close()
    taken = await take_until_it_passes(shards, told)
    assert taken.next_offset == 600
    assert await counters(pool) == recount(told, NOW)


async def test_what_cannot_be_read_is_kept_and_told_once(
    pool: asyncpg.Pool, shards: Shards, private_key: ECKey
) -> None:
    told = batch(10, registered(1), b'{"half":', None, smartphone(1))
    taken = await shards.take(2, told, NOW, gap_is_real=True)
    assert [str(error.reason) for error in taken.refused] == ["bad-envelope", "bad-envelope"]
    await shards.take(2, told, NOW)
    rows = await pool.fetch("SELECT * FROM refusals ORDER BY record_offset")
    assert [(row["shard"], row["record_offset"]) for row in rows] == [(2, 11), (2, 12)]
    kept = RejectedEvent.model_validate_json(rows[0]["record"])
    assert kept.origin == TopicOrigin(topic="subject-events.v1", partition=2, offset=11)
    assert unseal(private_key, kept.sealed) == b'{"half":'
    assert kept.rejected_at == NOW
    assert await counters(pool) == recount([registered(1), smartphone(1)], NOW)


async def test_the_latest_report_holds_however_they_come(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    area = f"area:{LAO_CAI}"

    def told(numerator: int, time: str, event_id: str) -> bytes:
        data = {"indicator": "dt.gov.1", "period": "2026-Q3", "numerator": numerator}
        data |= {"denominator": 9}
        return event("report.figures-submitted.v1", area, data, time=time, id=event_id)

    first, last = "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"
    tie = [told(1, first, "a"), told(5, last, "b"), told(4, last, "a"), told(3, last, "b")]
    for offset, value in enumerate(tie):
        await shards.take(0, batch(offset, value), NOW)
    assert await pool.fetchval("SELECT numerator FROM reports") == 5
    await pool.execute("TRUNCATE reports, shards, touched")
    shards.forget(0)
    await shards.take(0, batch(0, *tie[::-1]), NOW)
    assert await pool.fetchval("SELECT numerator FROM reports") == 5


async def test_a_source_is_known_by_when_it_was_last_heard(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    await shards.take(0, batch(0, registered(1), registered(2)), NOW)
    early = registered(3, time="2026-01-01T00:00:00Z")
    await shards.take(0, batch(2, early), NOW + timedelta(hours=1))
    row = await pool.fetchrow("SELECT * FROM sources")
    assert row is not None
    assert row["source"] == "urn:nhipso:source:vneid"
    assert row["last_occurred_at"].isoformat() == "2026-11-20T01:30:00+00:00"
    assert (row["last_recorded_at"], row["events"]) == (NOW + timedelta(hours=1), 3)


async def test_a_number_beyond_all_measure_is_kept_as_reported(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    told = reported("agency:so-a", "dt.eco.2", "2026", value=1e300)
    await shards.take(0, batch(0, told), NOW)
    assert json.dumps(float(await pool.fetchval("SELECT value FROM reports"))) == "1e+300"
