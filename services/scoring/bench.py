"""The bench of scoring: how many events a second become durable figures.

Reads a topic from its start with the service itself, in several processes of one group, into a
schema of its own. The clock runs from the first record that reaches a process to the last batch
that PostgreSQL has committed: facts, counters, positions and what the roll-up has done meanwhile.
With `after`, the first records are loaded in the same way before the clock starts, so that what is
measured meets a state that is already there.
"""

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from services.chassis.database import load_queries
from services.scoring import bench_topics
from services.scoring.bench_processes import BenchError, Processes, Service
from services.scoring.bench_topics import Extent
from services.scoring.settings import ScoringSettings

SCHEMA_PREFIX: Final = "scoring_bench_"

_ROLLUP: Final = load_queries(Path(__file__).parent / "sql" / "rollup.sql")
_SQL: Final = load_queries(Path(__file__).parent / "sql" / "bench.sql")
#: How exactly the end is seen; each look costs PostgreSQL one short statement.
_LOOK_SECONDS: Final = 0.02

#: Without one of these a commit may be lost with the machine's power, and is no commit.
_DURABLE: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure.

    `events` is how many records must be committed while the clock runs; the `after` records before
    them (from each partition in proportion) are taken first. With `keep` the schema stays.
    `timeout` is in seconds and bounds everything.
    """

    bootstrap: str
    topic: str
    events: int
    dsn: str
    processes: int = 2
    keep: bool = False
    timeout: float = 600.0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured.

    Args:
        events_per_second: `events` by `seconds`.
        events: how many were committed between start and stop of the clock, at least those asked
            for.
        after: how many had been committed before.
        refused: how many of all were no events of the contract; None unless the whole topic was
            asked for.
        seconds: from the first record to the last commit.
        processes: how many there were.
        batches: shard transactions within `seconds`, with those of the daily step.
        cpu_seconds_by_process: CPU time within `seconds`; None where the system does not tell.
        peak_memory_bytes_by_process: the most that was resident since its start, loading included;
            None where the system does not tell.
        memory_bytes: the bound that each process was told to keep.
        wal_bytes: what PostgreSQL has written to its log within `seconds`, by anybody.
        table_bytes: what each table of the schema takes at the end, with indexes.
        rolled_up_seconds_after: how much later the roll-up had taken up all batches; None unless
            the whole topic was asked for.
        schema: where the state was written; it is gone unless it was to be kept.
        load_average: of the machine over the last minute, at the end.
        postgres: the server's settings that bear on the figure.
    """

    events_per_second: int
    events: int
    after: int
    refused: int | None
    seconds: float
    processes: int
    batches: int
    cpu_seconds_by_process: list[float | None]
    peak_memory_bytes_by_process: list[int | None]
    memory_bytes: int
    wal_bytes: int
    table_bytes: dict[str, int]
    rolled_up_seconds_after: float | None
    schema: str
    load_average: float
    postgres: dict[str, str]


class Watch:
    """Is told how a run goes; does nothing by itself."""

    def taken(self, records: int) -> None:
        """So many records are committed, `after` and `events` together."""

    def begun(self) -> None:
        """The clock is about to start."""

    def ended(self) -> None:
        """The clock has been stopped."""


async def measure(asked: Asked, watch: Watch | None = None) -> Measured:
    """Run the bench.

    Raises:
        BenchError: it cannot be run, a process ended, or the time is over.
        asyncpg.PostgresError, OSError, aiokafka.errors.KafkaError: a server does not answer.
    """
    schema = f"{SCHEMA_PREFIX}{secrets.token_hex(4)}"
    try:
        async with asyncio.timeout(asked.timeout):
            extent = await bench_topics.extent_of(asked.bootstrap, asked.topic)
            _check(asked, extent)
            service = Service(asked.bootstrap, asked.topic, asked.dsn, schema)
            async with _store(asked, service) as connection:
                return await _Run(asked, service, extent, connection, watch or Watch()).measure()
    except TimeoutError:
        raise BenchError(
            f"not done within {asked.timeout:g} s; give more time with --timeout, or fewer events"
        ) from None


def _check(asked: Asked, extent: Extent) -> None:
    wanted = asked.after + asked.events
    if not 0 < asked.events <= wanted <= extent.records:
        raise BenchError(
            f"topic {asked.topic} holds {extent.records} records, {wanted} were asked for; "
            "load more of them or ask for fewer"
        )
    if not 0 < asked.processes <= len(extent.begins):
        raise BenchError(
            f"{asked.processes} processes for {len(extent.begins)} partitions; "
            "each needs at least one, ask for fewer with --processes"
        )


class _Run:
    """One run, from the start of its processes to the stop of its clock."""

    def __init__(
        self,
        asked: Asked,
        service: Service,
        extent: Extent,
        connection: asyncpg.Connection,
        watch: Watch,
    ) -> None:
        self._asked = asked
        self._service = service
        self._extent = extent
        self._connection = connection
        self._watch = watch

    async def measure(self) -> Measured:
        """Start the processes, load, measure, stop them."""
        asked = self._asked
        settings = await _durable_settings(self._connection)
        line = self._extent.line(asked.after) if asked.after else {}
        with (
            tempfile.TemporaryDirectory(prefix="nhipso-bench-") as folder,
            Processes(Path(folder), self._service, asked.processes, line) as processes,
        ):
            await processes.settle(len(self._extent.begins))
            start = processes.set_off
            if line:
                processes.set_off()
                await self._until_taken(asked.after, processes)
                await self._until_rolled_up(processes)
                start = processes.cross_line
            cpu_before = processes.cpu_seconds()
            wal_before = await self._wal_bytes()
            _, batches_before = await self._positions()
            self._watch.begun()
            start()
            taken, batches = await self._until_taken(asked.after + asked.events, processes)
            ended_at = time.monotonic()
            cpu = [
                None if after is None or before is None else round(after - before, 2)
                for before, after in zip(cpu_before, processes.cpu_seconds(), strict=True)
            ]
            wal_bytes = await self._wal_bytes() - wal_before
            load = os.getloadavg()[0]
            self._watch.ended()
            seconds = ended_at - processes.begun_at()
            refused: int | None = None
            rolled_up: float | None = None
            if taken == self._extent.records:
                await self._until_rolled_up(processes)
                rolled_up = round(time.monotonic() - ended_at, 2)
                refused = taken - await self._connection.fetchval(_SQL["count_read_events"])
            tables = await self._connection.fetch(_SQL["read_table_sizes"], self._service.schema)
            peaks = list(processes.peak_memory_bytes())
        events = taken - asked.after
        return Measured(
            events_per_second=round(events / seconds),
            events=events,
            after=asked.after,
            refused=refused,
            seconds=round(seconds, 3),
            processes=asked.processes,
            batches=batches - batches_before,
            cpu_seconds_by_process=cpu,
            peak_memory_bytes_by_process=peaks,
            memory_bytes=_memory_bytes(),
            wal_bytes=wal_bytes,
            table_bytes={row["name"]: row["bytes"] for row in tables},
            rolled_up_seconds_after=rolled_up,
            schema=self._service.schema,
            load_average=round(load, 2),
            postgres=settings,
        )

    async def _until_taken(self, records: int, processes: Processes) -> tuple[int, int]:
        """Wait until so many records are committed; returns how many are, in how many batches."""
        while True:
            taken, batches = await self._positions()
            self._watch.taken(taken)
            if taken >= records:
                return taken, batches
            processes.check()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _until_rolled_up(self, processes: Processes) -> None:
        while await self._connection.fetchval(_ROLLUP["is_touched"]):
            processes.check()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _positions(self) -> tuple[int, int]:
        """How many records are committed, in how many batches."""
        rows = await self._connection.fetch(_SQL["read_positions"])
        begins = self._extent.begins
        taken = sum(max(0, row["next_offset"] - begins[row["shard"]]) for row in rows)
        return taken, sum(row["batch"] for row in rows)

    async def _wal_bytes(self) -> int:
        written: int = await self._connection.fetchval(_SQL["read_wal_bytes"])
        return written


@asynccontextmanager
async def _store(asked: Asked, service: Service) -> AsyncIterator[asyncpg.Connection]:
    """A connection that looks into the schema; afterwards what the run has made is dropped."""
    schema, names = service.schema, service.topics
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
            await bench_topics.drop(
                asked.bootstrap, [names.indicator_events, names.rejected_events]
            )


def _memory_bytes() -> int:
    """The bound that the processes get: the environment's, which they share, or the default."""
    told = os.environ.get("NHIPSO_SCORING__MEMORY_BYTES")
    return ScoringSettings().memory_bytes if told is None else int(told)


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
