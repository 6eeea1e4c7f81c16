"""Measures how scoring bears more citizens: ``python -m tests.bench.growth`` (``make bench-growth``).

For each number of citizens a broker and a PostgreSQL are started and a topic is loaded. The service
itself takes every citizen's registration and some facts of each; then the same number of mixed
events about them is measured. Prints a table with the fall of throughput and the peak memory of a
worker, and JSON as the last line.
"""

import argparse
import json
from datetime import UTC, datetime
from typing import Any, Final

from services.scoring.bench_processes import BenchError
from tests.bench.ground import province
from tests.bench.invented_events import Sizes, invent
from tests.bench.servers import DiskError, disk_bytes, machine, say, servers
from tests.bench.stretch import SEED, Stretch, fill, run, today

CITIZENS: Final = (100_000, 1_000_000, 5_000_000)
_MIB: Final = 2**20


def main() -> int:
    """Read the arguments, measure, print; returns the exit code."""
    asked = _arguments()
    say(machine())
    largest = max(asked.citizens) * (1 + asked.facts) + asked.events
    say(f"takes up to {disk_bytes(largest) / 1e9:.0f} GB of disk below the temporary directory")
    stretches: list[tuple[int, Stretch]] = []
    try:
        for citizens in asked.citizens:
            stretches.append((citizens, _measure(asked, citizens)))
            say(f"{citizens:,} citizens: {stretches[-1][1].measured.events_per_second:,}")
    except (BenchError, DiskError) as error:
        say(f"error: {error}")
        return 1
    _print_table(asked, stretches)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, nargs="+", default=CITIZENS)
    parser.add_argument("--facts", type=int, default=3, help="a citizen, before the clock starts")
    parser.add_argument("--events", type=int, default=1_000_000, help="that are measured")
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--processes", type=int, default=2, help="of scoring")
    parser.add_argument("--timeout", type=float, default=3_600, help="seconds for each size")
    return parser.parse_args()


def _measure(asked: argparse.Namespace, citizens: int) -> Stretch:
    after = citizens * (1 + asked.facts)
    sizes = Sizes(citizens=citizens, events=after + asked.events)
    with servers(sizes.events) as both:
        fill(both, asked.partitions, invent(sizes, ground=province(), seed=SEED, today=today()))
        return run(
            both,
            events=asked.events,
            after=after,
            processes=asked.processes,
            timeout=asked.timeout,
        )


def _print_table(asked: argparse.Namespace, stretches: list[tuple[int, Stretch]]) -> None:
    data = (
        f"{asked.events:,} events over citizens with {asked.facts} facts each, "
        f"{asked.partitions} partitions, {asked.processes} processes; {machine()}"
    )
    head = (
        "citizens",
        "events/s",
        "of first",
        "peak MiB",
        "WAL B/event",
        "PG µs/event",
        "roll-up s",
    )
    rows = [head, *(_row(citizens, one, stretches[0][1]) for citizens, one in stretches)]
    lines = ["".join(f"{text:>13}" for text in row) for row in rows]
    first, last = (stretches[at][1].measured.events_per_second for at in (0, -1))
    fall = 1 - last / first
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "fall": round(fall, 3),
        "sizes": [{"citizens": citizens, **one.row()} for citizens, one in stretches],
    }
    told = f"fall from first to last: {fall:.0%} (a quarter is allowed)"
    print("\n".join([data, "", *lines, "", told, "", json.dumps(result)]))  # noqa: T201


def _row(citizens: int, one: Stretch, first: Stretch) -> tuple[str, ...]:
    speed = one.measured.events_per_second
    return (
        f"{citizens:,}",
        f"{speed:,}",
        f"{speed / first.measured.events_per_second:.2f}",
        f"{one.peak_memory_bytes() / _MIB:,.0f}",
        f"{one.wal_bytes_an_event():,.0f}",
        f"{one.postgres_cpu_microseconds_an_event():.1f}",
        f"{one.measured.rolled_up_seconds_after}",
    )


if __name__ == "__main__":
    raise SystemExit(main())
