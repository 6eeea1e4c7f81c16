"""The command against a real broker and a real PostgreSQL. No time is asserted."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from contracts.times import local_day
from services.scoring.bench import Asked, measure
from services.scoring.bench_processes import BenchError
from tests.bench.ground import province
from tests.bench.invented_events import Records, Sizes, invent
from tests.bench.kept import kept
from tests.bench.loading import load
from tests.integration.bench.command import run

EVENTS = 5_000


def invented() -> Iterator[Records]:
    sizes = Sizes(citizens=1_000, events=EVENTS)
    return invent(sizes, ground=province(), seed=4, today=local_day(datetime.now(UTC)))


@pytest.fixture(scope="module")
async def topic(kafka: str) -> str:
    name = f"bench-{uuid.uuid4().hex[:8]}"
    assert await load(kafka, name, 4, invented()) == EVENTS
    return name


async def schemas(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'scoring_bench_%'"
        )
    finally:
        await connection.close()
    return [row["nspname"] for row in rows]


async def test_it_prints_one_line_of_json_and_leaves_nothing_behind(
    kafka: str, topic: str, database: str
) -> None:
    code, said, complained = await run(
        "bench", "scoring", "--bootstrap", kafka, "--topic", topic, "--events", str(EVENTS),
        "--postgres", database, "--timeout", "120",
    )  # fmt: skip
    assert code == 0, complained
    assert said.count("\n") == 1
    measured = json.loads(said)
    assert measured["events"] == EVENTS
    assert measured["refused"] == 0
    assert measured["events_per_second"] == pytest.approx(EVENTS / measured["seconds"], rel=0.01)
    assert measured["processes"] == len(measured["cpu_seconds_by_process"]) == 2
    assert measured["batches"] >= 4
    assert measured["rolled_up_seconds_after"] >= 0
    assert measured["postgres"]["synchronous_commit"] == "on"
    assert await schemas(database) == []
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        assert not [name for name in await admin.list_topics() if measured["schema"] in name]
    finally:
        await admin.close()


async def test_what_it_keeps_is_the_state_of_all_subjects_and_their_figures(
    kafka: str, topic: str, database: str
) -> None:
    measured = await measure(Asked(kafka, topic, EVENTS, database, processes=1, keep=True))
    assert await schemas(database) == [measured.schema]
    connection = await asyncpg.connect(database, server_settings={"search_path": measured.schema})
    try:
        figures = await connection.fetchval("SELECT count(*) FROM figures WHERE denominator > 0")
    finally:
        await connection.close()
    assert figures > 0
    async with kept(database, measured.schema) as found:
        takeovers, _ = await found.take_over()
    subjects = {key for records in invented() for key in records.keys}
    assert sum(one.subjects for one in takeovers) == len(subjects)


async def test_what_is_loaded_before_the_clock_is_not_measured_but_stays(
    kafka: str, topic: str, database: str
) -> None:
    code, said, complained = await run(
        "bench", "scoring", "--bootstrap", kafka, "--topic", topic, "--events", "1000",
        "--after", "4000", "--postgres", database, "--timeout", "120",
    )  # fmt: skip
    assert code == 0, complained
    measured = json.loads(said)
    assert (measured["after"], measured["events"], measured["refused"]) == (4_000, 1_000, 0)
    assert measured["events_per_second"] == pytest.approx(1_000 / measured["seconds"], rel=0.01)
    assert all(peak > 0 for peak in measured["peak_memory_bytes_by_process"])
    assert measured["wal_bytes"] > 0
    assert measured["table_bytes"]["shards"] > 0


async def test_commits_that_may_be_lost_are_refused(kafka: str, topic: str, database: str) -> None:
    name = database.rpartition("/")[2]
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    finally:
        await connection.close()
    with pytest.raises(BenchError, match="synchronous_commit=off"):
        await measure(Asked(kafka, topic, EVENTS, database))


async def test_more_events_than_the_topic_holds_are_refused(
    kafka: str, topic: str, database: str
) -> None:
    with pytest.raises(BenchError, match="holds 5000 records"):
        await measure(Asked(kafka, topic, EVENTS + 1, database))


async def test_more_processes_than_partitions_are_refused(
    kafka: str, topic: str, database: str
) -> None:
    with pytest.raises(BenchError, match=r"99 processes.*ask for fewer with --processes"):
        await measure(Asked(kafka, topic, EVENTS, database, processes=99))
