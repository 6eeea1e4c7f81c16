"""One stretch of a bench: a topic loaded, its first part taken, the rest measured."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from contracts.times import local_day
from contracts.topics import SUBJECT_EVENTS, TOPIC_CONFIGS
from services.scoring.bench import Asked, Measured, Watch, measure
from tests.bench.invented_events import Records
from tests.bench.loading import load
from tests.bench.servers import Cpu, Servers, say

SEED: Final = 2026
_TOLD_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was measured, and what the servers used meanwhile (CPU seconds)."""

    measured: Measured
    server_cpu_seconds: Mapping[str, float]

    def row(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self.measured), "server_cpu_seconds": dict(self.server_cpu_seconds)}

    def postgres_cpu_microseconds_an_event(self) -> float:
        """What an event costs PostgreSQL."""
        return self.server_cpu_seconds["postgres"] / self.measured.events * 1e6

    def wal_bytes_an_event(self) -> float:
        """What an event adds to PostgreSQL's log."""
        return self.measured.wal_bytes / self.measured.events

    def peak_memory_bytes(self) -> int:
        """The most that any of the processes had resident; 0 where the system does not tell."""
        return max(peak or 0 for peak in self.measured.peak_memory_bytes_by_process)


def today() -> date:
    """The local day, before which invented events lie."""
    return local_day(datetime.now(UTC))


def fill(servers: Servers, partitions: int, records: Iterable[Records]) -> int:
    """Load the topic; returns how many records it holds."""
    started = time.monotonic()
    configs = TOPIC_CONFIGS[SUBJECT_EVENTS]
    loaded = asyncio.run(
        load(servers.kafka.bootstrap, SUBJECT_EVENTS, partitions, records, configs=configs)
    )
    say(f"{loaded:,} events loaded in {time.monotonic() - started:.0f} s")
    return loaded


def run(
    servers: Servers,
    *,
    events: int,
    after: int,
    processes: int,
    timeout: float,
    keep: bool = False,
) -> Stretch:
    """Measure `events` behind the first `after` ones of the topic; `keep` leaves the schema.

    Raises:
        services.scoring.bench_processes.BenchError: it did not come to its end.
    """
    asked = Asked(
        servers.kafka.bootstrap,
        SUBJECT_EVENTS,
        events,
        servers.postgres.dsn,
        processes=processes,
        keep=keep,
        timeout=timeout,
        after=after,
    )
    watch = _CpuWatch(servers, after + events)
    measured = asyncio.run(measure(asked, watch))
    return Stretch(measured, watch.at_end.since(watch.at_begin))


class _CpuWatch(Watch):
    def __init__(self, servers: Servers, records: int) -> None:
        self._servers = servers
        self._records = records
        self._told_at = time.monotonic()
        self.at_begin = self.at_end = Cpu(0.0, 0.0)

    def taken(self, records: int) -> None:
        if time.monotonic() - self._told_at > _TOLD_SECONDS:
            self._told_at = time.monotonic()
            say(f"{records:,} of {self._records:,} taken")

    def begun(self) -> None:
        self.at_begin = self._servers.cpu()

    def ended(self) -> None:
        self.at_end = self._servers.cpu()
