"""The rebuild on a real Kafka and PostgreSQL: what was wrong is right again, the rest untouched."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.chassis.batches import broker_of
from services.chassis.clock import FixedClock
from services.chassis.database import migrate
from services.chassis.settings import KafkaSettings
from services.scoring.care import rebuilding
from services.scoring.care.rebuilding import Asked, Rebuilt, rebuild
from services.scoring.care.schemas import CareError
from services.scoring.care.switching import SQL, Held, hold, replace_state
from services.scoring.consumer import Consumer
from services.scoring.metrics import Metrics
from services.scoring.settings import ScoringSettings
from tests.integration.care.conftest import MIGRATIONS, Line
from tests.integration.scoring.invented import NOW, registered, reported, smartphone
from tests.integration.scoring.on_kafka import delete_before, until

LAO_CAI, PROVINCE = "2025:02647", "2025:15"
PHONES = "ds.smartphone"


def told(*_: object) -> None:
    """Nobody listens."""


async def rebuilt(line: Line, **asked: Any) -> Rebuilt:
    return await rebuild(
        Asked(KafkaSettings(bootstrap_servers=line.kafka), line.dsn, **asked),
        line.rules,
        FixedClock(NOW),
        told,
    )


async def fill(line: Line) -> None:
    """Twenty adults in two shards, twelve with a smartphone, and a report."""
    for shard in (0, 1):
        people = range(100 * shard, 100 * shard + 10)
        await line.take(shard, *(registered(number) for number in people), b"no event")
        await line.take(shard, *(smartphone(number) for number in people[:6]))
    report = reported(f"area:{LAO_CAI}", "dt.eco.1", "2026-Q3", numerator=3, denominator=4)
    await line.take(1, report)
    await line.shards.step(0, NOW.date())
    await line.shards.step(1, NOW.date())
    await line.roll_up()
    figures = await line.figures()
    assert figures[LAO_CAI, PHONES][:2] == figures[PROVINCE, PHONES][:2] == (12, 20)


async def leftovers(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        found: int = await connection.fetchval(
            "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'scoring_rebuild')"
            " + (SELECT count(*) FROM public._pogo_migration WHERE schema_name = 'scoring_rebuild')"
        )
    finally:
        await connection.close()
    return found


async def test_where_nothing_is_wrong_nothing_changes(line: Line) -> None:
    await fill(line)
    before = await line.figures(), await line.figures("reported")
    history = await line.pool.fetch("SELECT * FROM history ORDER BY 1, 2, 3, 4")
    sources = await line.pool.fetch("SELECT * FROM sources ORDER BY 1, 2, 3")
    done = await rebuilt(line)
    assert (done.events, done.missing, done.shards) == (35, 0, 2)
    assert (done.differences, done.reports, done.behind) == ([], 0, 0)
    await line.roll_up()
    assert (await line.figures(), await line.figures("reported")) == before
    assert await line.pool.fetch("SELECT * FROM history ORDER BY 1, 2, 3, 4") == history
    assert await line.pool.fetch("SELECT * FROM sources ORDER BY 1, 2, 3") == sources
    assert await leftovers(line.dsn) == 0


async def test_a_worker_with_the_state_in_memory_goes_on_with_the_new_one(line: Line) -> None:
    await fill(line)
    # As after a mistake: PostgreSQL and the worker's memory both hold what is not so.
    await line.pool.execute("DELETE FROM journal WHERE shard = 0")
    line.shards.forget(0)
    await line.take(0, smartphone(7))
    done = await rebuilt(line)
    assert [one.indicator for one in done.differences]
    await line.take(0, smartphone(8), registered(9))
    await line.roll_up()
    assert (await line.figures())[PROVINCE, PHONES][:2] == (14, 20)


async def test_counters_that_were_wrong_are_put_right_and_told(line: Line) -> None:
    await fill(line)
    before = await line.figures()
    await line.pool.execute(
        "UPDATE counters SET numerators[16] = numerators[16] + 5 WHERE shard = 0"
    )
    await line.pool.execute("UPDATE figures SET numerator = 17 WHERE indicator = $1", PHONES)
    done = await rebuilt(line)
    (difference,) = done.differences
    assert (difference.indicator, difference.units) == (PHONES, 1)
    assert (difference.before, difference.after) == ((17, 20), (12, 20))
    await line.roll_up()
    after = await line.figures()
    changed = {place for place, figure in after.items() if figure != before[place]}
    assert {indicator for _, indicator in changed} == {PHONES}
    assert after[PROVINCE, PHONES] == (12, 20, before[PROVINCE, PHONES][2] + 1)


async def test_a_dry_run_tells_and_changes_nothing(line: Line) -> None:
    await fill(line)
    await line.pool.execute("UPDATE counters SET numerators[16] = 0")
    before = await line.pool.fetch("SELECT * FROM counters ORDER BY 1, 2")
    shards = await line.pool.fetch("SELECT * FROM shards ORDER BY 1")
    done = await rebuilt(line, dry_run=True)
    assert [one.after for one in done.differences] == [(12, 20)]
    assert done.reports is None
    assert await line.pool.fetch("SELECT * FROM counters ORDER BY 1, 2") == before
    assert await line.pool.fetch("SELECT * FROM shards ORDER BY 1") == shards
    assert await leftovers(line.dsn) == 0


async def test_reports_that_no_record_tells_go_and_lost_ones_come_back(line: Line) -> None:
    await fill(line)
    before = await line.figures("reported")
    assert before[LAO_CAI, "dt.eco.1"][:2] == (3, 4)
    await line.pool.execute("UPDATE reports SET numerator = 1")
    await line.pool.execute(
        "INSERT INTO reports SELECT reporter, 'dt.eco.2', period, period_end, occurred_at, event_id,"
        " data, numerator, denominator, value FROM reports"
    )
    done = await rebuilt(line)
    assert done.reports == 2
    rows = await line.pool.fetch("SELECT indicator, numerator FROM reports")
    assert [tuple(row) for row in rows] == [("dt.eco.1", 3)]
    await line.roll_up()
    assert await line.figures("reported") == before


async def test_records_beyond_the_position_are_left_to_the_service(line: Line) -> None:
    await fill(line)
    await line.tell(0, *(smartphone(number) for number in range(6, 10)))
    done = await rebuilt(line)
    assert done.differences == []
    assert (await line.shards.positions([0]))[0][0] == 17


async def test_while_events_flow_each_counts_once(line: Line) -> None:
    await fill(line)
    settings = ScoringSettings(group_id=uuid.uuid4().hex, batch_records=50, poll_seconds=0.02)
    consumer = Consumer(line.shards, FixedClock(NOW), Metrics(CollectorRegistry()), settings)
    broker = broker_of(
        KafkaSettings(bootstrap_servers=line.kafka),
        client_id="test-care",
        registry=CollectorRegistry(),
    )
    consumer.subscribe(broker)
    await broker.start()
    ended = asyncio.Event()
    flowed = 0

    async def flow() -> None:
        nonlocal flowed
        while not ended.is_set():
            for shard in (0, 1):
                people = range(1000 + flowed, 1000 + flowed + 20)
                await line.tell(shard, *(registered(2 * number + shard) for number in people))
                await line.tell(shard, *(smartphone(2 * number + shard) for number in people))
            flowed += 20

    flowing = asyncio.create_task(flow())
    try:
        for _ in range(3):
            done = await rebuilt(line, batch_records=100)
            assert done.differences == []
        ended.set()
        await flowing

        async def taken() -> bool:
            found = await line.shards.positions([0, 1])
            return [at for at, _ in found.values()] == [17 + 2 * flowed, 18 + 2 * flowed]

        await until(taken, 60)
    finally:
        ended.set()
        await broker.stop()
    await line.roll_up()
    people = 20 + 2 * flowed
    assert flowed > 0
    assert (await line.figures())[PROVINCE, PHONES][:2] == (people - 8, people)


async def test_a_topic_that_has_lost_its_beginning_is_refused(line: Line) -> None:
    await fill(line)
    await delete_before(line.kafka, 0, 4)
    with pytest.raises(CareError, match=r"begins at offset 4.*--incomplete"):
        await rebuilt(line)
    done = await rebuilt(line, incomplete=True)
    assert done.missing == 4
    await line.roll_up()
    assert (await line.figures())[PROVINCE, PHONES][1] == 16


async def test_another_topic_is_refused(line: Line) -> None:
    await fill(line)
    await line.pool.execute("UPDATE shards SET next_offset = 99 WHERE shard = 1")
    with pytest.raises(CareError, match="shard 1 stands at offset 99, but the topic ends at 18"):
        await rebuilt(line)


async def test_a_shard_of_which_the_topic_has_no_partition_is_empty(line: Line) -> None:
    """A worker makes a shard's row before its first batch, and may have been killed in between."""
    await fill(line)
    await line.pool.execute("INSERT INTO shards (shard) VALUES (7)")
    done = await rebuilt(line)
    assert (done.shards, done.differences) == (3, [])


async def test_other_rules_are_refused(line: Line) -> None:
    await fill(line)
    await line.pool.execute("UPDATE shards SET rules = 'of another catalogue'")
    with pytest.raises(CareError, match=r"under other rules.*--catalogue and --areas"):
        await rebuilt(line)


async def test_two_rebuilds_do_not_run_at_once(line: Line) -> None:
    await fill(line)
    both = await asyncio.gather(rebuilt(line), rebuilt(line), return_exceptions=True)
    refused = [one for one in both if isinstance(one, CareError)]
    assert len(refused) == 1
    assert "another rebuild runs" in str(refused[0])


async def test_a_run_that_has_lost_its_turn_to_another_switches_nothing(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart of PostgreSQL: the lock has gone, and another run has just begun."""
    await fill(line)
    before = await line.figures()

    @asynccontextmanager
    async def lost(pool: asyncpg.Pool, shard: int) -> AsyncIterator[Held]:
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        await pool.execute("DROP SCHEMA scoring_rebuild CASCADE")
        await pool.execute("DELETE FROM public._pogo_migration WHERE schema_name <> 'scoring'")
        await migrate(line.dsn, schema=rebuilding.NEW_SCHEMA, migrations=MIGRATIONS)
        await pool.execute(SQL["keep_reports"])
        async with hold(pool, shard) as held:
            yield held

    monkeypatch.setattr(rebuilding, "hold", lost)
    with pytest.raises(CareError, match=r"shard 0 is not switched.*run it again"):
        await rebuilt(line)
    await line.roll_up()
    assert await line.figures() == before
    assert await leftovers(line.dsn) > 0, "what is another's was dropped"


async def test_a_database_without_scoring_is_refused(line: Line) -> None:
    await line.pool.execute("DROP SCHEMA scoring CASCADE")
    with pytest.raises(CareError, match="no schema scoring"):
        await rebuilt(line)


async def test_what_a_killed_run_has_left_is_no_hindrance(line: Line) -> None:
    await fill(line)
    await line.pool.execute("CREATE SCHEMA scoring_rebuild")
    await line.pool.execute("CREATE TABLE scoring_rebuild.shards (shard text)")
    assert (await rebuilt(line)).differences == []
    assert await leftovers(line.dsn) == 0


async def test_a_run_that_fails_between_two_shards_leaves_both_whole(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(line)
    await line.pool.execute("UPDATE counters SET numerators[16] = 0")

    async def fail(held: Held) -> int:
        batch = await replace_state(held)
        if held.shard == 1:
            raise RuntimeError("the machine has gone")
        return batch

    monkeypatch.setattr(rebuilding, "replace_state", fail)
    with pytest.raises(RuntimeError):
        await rebuilt(line)
    assert await leftovers(line.dsn) == 0
    phones = "SELECT numerators[16] FROM counters ORDER BY shard"
    assert [row[0] for row in await line.pool.fetch(phones)] == [6, 0]
    await line.take(0, smartphone(8))
    monkeypatch.undo()
    (difference,) = (await rebuilt(line)).differences
    assert (difference.before, difference.after) == ((7, 20), (13, 20))
