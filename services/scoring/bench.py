"""The bench of scoring: how many events a second become durable figures.

Reads a topic from its start with the service itself, in several processes of one group, into a
schema of its own. The clock runs from the first record that reaches a process to the last batch
that PostgreSQL has committed: facts, counters, positions and what the roll-up has done meanwhile.
"""

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.chassis.database import load_queries
from services.scoring.bench_processes import BenchError, Processes, Service
from services.scoring.bench_worker import own_topics

SCHEMA_PREFIX: Final = "scoring_bench_"

_ROLLUP: Final = load_queries(Path(__file__).parent / "sql" / "rollup.sql")
_SQL: Final = load_queries(Path(__file__).parent / "sql" / "bench.sql")
#: How exactly the end is seen; each look costs PostgreSQL one short statement.
_LOOK_SECONDS: Final = 0.02
_ANSWER_MS: Final = 10_000

#: Without one of these a commit may be lost with the machine's power, and is no commit.
_DURABLE: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure.

    `events` is how many records, counted from the start of the topic, must be committed. With
    `keep` the schema stays. `timeout` is in seconds and bounds everything.
    """

    bootstrap: str
    topic: str
    events: int
    dsn: str
    processes: int = 2
    keep: bool = False
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured.

    Args:
        events_per_second: `events` by `seconds`.
        events: how many were committed when the clock was stopped, at least those asked for.
        refused: how many of them were no events of the contract; None unless the whole topic was
            asked for.
        seconds: from the first record to the last commit.
        processes: how many there were.
        batches: shard transactions, with those of the daily step.
        cpu_seconds_by_process: CPU time within `seconds`; None where the system does not tell.
        rolled_up_seconds_after: how much later the roll-up had taken up all batches; None unless
            the whole topic was asked for.
        schema: where the state was written; it is gone unless it was to be kept.
        load_average: of the machine over the last minute, at the end.
        postgres: the server's settings that bear on the figure.
    """

    events_per_second: int
    events: int
    refused: int | None
    seconds: float
    processes: int
    batches: int
    cpu_seconds_by_process: list[float | None]
    rolled_up_seconds_after: float | None
    schema: str
    load_average: float
    postgres: dict[str, str]


async def measure(asked: Asked) -> Measured:
    """Run the bench.

    Raises:
        BenchError: it cannot be run, a process ended, or the time is over.
        asyncpg.PostgresError, OSError, aiokafka.errors.KafkaError: a server does not answer.
    """
    schema = f"{SCHEMA_PREFIX}{secrets.token_hex(4)}"
    try:
        async with asyncio.timeout(asked.timeout):
            begins, total = await _extent(asked)
            async with _store(asked, schema) as connection:
                return await _measure(asked, schema, begins, total, connection)
    except TimeoutError:
        raise BenchError(
            f"not done within {asked.timeout:g} s; give more time with --timeout, or fewer events"
        ) from None


async def _measure(
    asked: Asked,
    schema: str,
    begins: Mapping[int, int],
    total: int,
    connection: asyncpg.Connection,
) -> Measured:
    settings = await _durable_settings(connection)
    service = Service(asked.bootstrap, asked.topic, asked.dsn, schema)
    with (
        tempfile.TemporaryDirectory(prefix="nhipso-bench-") as folder,
        Processes(Path(folder), service, asked.processes) as processes,
    ):
        await processes.settle(len(begins))
        cpu_before = processes.cpu_seconds()
        events, batches = 0, 0
        while events < asked.events:
            await asyncio.sleep(_LOOK_SECONDS)
            processes.check()
            rows = await connection.fetch(_SQL["read_positions"])
            events = sum(max(0, row["next_offset"] - begins[row["shard"]]) for row in rows)
            batches = sum(row["batch"] for row in rows)
        ended_at = time.monotonic()
        cpu = [
            None if after is None or before is None else round(after - before, 2)
            for before, after in zip(cpu_before, processes.cpu_seconds(), strict=True)
        ]
        load = os.getloadavg()[0]
        seconds = ended_at - processes.begun_at()
        refused: int | None = None
        rolled_up: float | None = None
        if events == total:
            while await connection.fetchval(_ROLLUP["is_touched"]):
                processes.check()
                await asyncio.sleep(_LOOK_SECONDS)
            rolled_up = round(time.monotonic() - ended_at, 2)
            refused = events - await connection.fetchval(_SQL["count_read_events"])
    return Measured(
        events_per_second=round(events / seconds),
        events=events,
        refused=refused,
        seconds=round(seconds, 3),
        processes=asked.processes,
        batches=batches,
        cpu_seconds_by_process=cpu,
        rolled_up_seconds_after=rolled_up,
        schema=schema,
        load_average=round(load, 2),
        postgres=settings,
    )


async def _extent(asked: Asked) -> tuple[Mapping[int, int], int]:
    """Where each partition of the topic begins, and how many records they hold together."""
    admin = AIOKafkaAdminClient(bootstrap_servers=asked.bootstrap, request_timeout_ms=_ANSWER_MS)
    try:
        await admin.start()
        if asked.topic not in await admin.list_topics():
            raise BenchError(f"the broker has no topic {asked.topic}; load it first")
        (described,) = await admin.describe_topics([asked.topic])
    finally:
        await admin.close()
    partitions = [TopicPartition(asked.topic, one["partition"]) for one in described["partitions"]]
    consumer = AIOKafkaConsumer(bootstrap_servers=asked.bootstrap, request_timeout_ms=_ANSWER_MS)
    await consumer.start()
    try:
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    total = sum(ends.values()) - sum(begins.values())
    if not 0 < asked.events <= total:
        raise BenchError(
            f"topic {asked.topic} holds {total} records, {asked.events} were asked for; "
            "load more of them or ask for fewer"
        )
    if not 0 < asked.processes <= len(partitions):
        raise BenchError(
            f"{asked.processes} processes for {len(partitions)} partitions; each needs at least one"
        )
    return {at.partition: offset for at, offset in begins.items()}, total


@asynccontextmanager
async def _store(asked: Asked, schema: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that looks into the schema; afterwards what the run has made is dropped."""
    connection = await asyncpg.connect(asked.dsn, server_settings={"search_path": schema})
    try:
        if await connection.fetchval(_SQL["is_scoring_here"]):
            # Its roll-up and ours take turns by a lock of the database.
            raise BenchError("scoring runs on this database; give another database to the bench")
        yield connection
    finally:
        try:
            if not asked.keep:
                await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
                if await connection.fetchval(_SQL["has_history"]):
                    await connection.execute(_SQL["forget_history"], schema)
        finally:
            await connection.close()
            await _drop_from_broker(asked.bootstrap, schema)


async def _drop_from_broker(bootstrap: str, schema: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_ANSWER_MS)
    try:
        await admin.start()
        made = [topic for topic in own_topics(schema) if topic in await admin.list_topics()]
        if made:
            await admin.delete_topics(made)
    except KafkaError as error:
        raise BenchError(
            f"the topics {schema}.* were left on the broker ({error}); delete them"
        ) from error
    finally:
        await admin.close()


async def _durable_settings(connection: asyncpg.Connection) -> dict[str, str]:
    """The settings that bear on the figure.

    Raises:
        BenchError: what is committed might not be on the disk.
    """
    rows = await connection.fetch(_SQL["read_settings"])
    settings: dict[str, str] = {row["name"]: row["setting"] for row in rows}
    for name, allowed in _DURABLE.items():
        if settings[name] not in allowed:
            raise BenchError(
                f"PostgreSQL has {name}={settings[name]}, so a commit is not durable; "
                f"set it to {allowed[0]}"
            )
    return settings
