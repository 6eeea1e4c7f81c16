"""Measures a country: ``python -m tests.bench.country`` (``make bench-country``).

An invented country of 34 provinces and 3,321 communes, its topic in 96 partitions, taken by 1, 2
and 4 processes in turn. Prints how throughput grows with processes, what an event and a citizen
cost PostgreSQL, how long the figures of all units take to sum up and a shard to be taken over, and
JSON as the last line. Processes, broker and PostgreSQL share the cores of one machine, so what is
seen here is the least that more machines give.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from contracts import areas
from services.scoring.bench_processes import BenchError
from tests.bench.ground import COMMUNES, Country
from tests.bench.invented_events import Sizes, invent
from tests.bench.kept import RollUp, Takeover, kept
from tests.bench.servers import DiskError, Servers, machine, say, servers
from tests.bench.stretch import SEED, Stretch, fill, run, today

PROCESSES: Final = (1, 2, 4)
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What the state of the last run gives: the roll-up of everything, and takeovers."""

    roll_ups: Sequence[RollUp]
    takeovers: Sequence[Takeover]


def main() -> int:
    """Read the arguments, measure, print; returns the exit code."""
    asked = _arguments()
    say(machine())
    country = Country(asked.communes)
    after = asked.citizens * (1 + asked.facts)
    sizes = Sizes(citizens=asked.citizens, events=after + asked.events)
    stretches: list[Stretch] = []
    try:
        # Each run stores everything anew.
        with servers(sizes.events * (1 + len(asked.processes))) as both:
            country.write(both.folder)
            os.environ["NHIPSO_AREAS__FOLDER"] = str(both.folder)
            records = invent(sizes, ground=country.ground(), seed=SEED, today=today())
            fill(both, asked.partitions, records)
            for processes in asked.processes:
                stretch = run(
                    both,
                    events=asked.events,
                    after=after,
                    processes=processes,
                    timeout=asked.timeout,
                    keep=processes == asked.processes[-1],
                )
                stretches.append(stretch)
                say(f"{processes} processes: {stretch.measured.events_per_second:,}")
            afterwards = asyncio.run(_afterwards(both, stretches[-1].measured.schema))
    except (BenchError, DiskError) as error:
        say(f"error: {error}")
        return 1
    _print(asked, stretches, afterwards)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=300_000)
    parser.add_argument("--facts", type=int, default=2, help="a citizen, before the clock starts")
    parser.add_argument("--events", type=int, default=600_000, help="that are measured")
    parser.add_argument("--partitions", type=int, default=96)
    parser.add_argument("--communes", type=int, default=COMMUNES)
    parser.add_argument("--processes", type=int, nargs="+", default=PROCESSES)
    parser.add_argument("--timeout", type=float, default=1_200, help="seconds for each run")
    return parser.parse_args()


async def _afterwards(both: Servers, schema: str) -> Afterwards:
    units = areas.load(both.folder)
    async with kept(both.postgres.dsn, schema, units) as found:
        roll_ups = [await found.roll_up_all(anew=anew) for anew in (False, True)]
        takeovers, _ = await found.take_over()
    return Afterwards(roll_ups, takeovers)


def _print(asked: argparse.Namespace, stretches: list[Stretch], afterwards: Afterwards) -> None:
    data = (
        f"{asked.events:,} events over {asked.citizens:,} citizens in {asked.communes:,} communes, "
        f"{asked.partitions} partitions; {machine()}"
    )
    head = ("processes", "events/s", "of first", "CPU µs/event", "PG µs/event", "WAL B/event")
    rows = [(*head, "peak MiB", "roll-up s"), *(_row(one, stretches[0]) for one in stretches)]
    tables = stretches[-1].measured.table_bytes
    seconds = [one.seconds for one in afterwards.takeovers]
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "runs": [one.row() for one in stretches],
        "bytes_a_citizen": _bytes_a_citizen(tables, asked.citizens),
        "roll_ups": [asdict(one) for one in afterwards.roll_ups],
        "takeovers": [asdict(one) for one in afterwards.takeovers],
    }
    lines = [
        data,
        "",
        *("".join(f"{text:>14}" for text in row) for row in rows),
        "",
        *(
            f"{name:<60}{size:>10,.0f} bytes a citizen"
            for name, size in result["bytes_a_citizen"].items()
        ),
        *(f"{_roll_up_name(one):<60}{one.seconds:>10.2f} s" for one in afterwards.roll_ups),
        f"{'reading the state of a shard, mean':<60}{sum(seconds) / len(seconds):>10.3f} s",
        f"{'reading the state of all shards':<60}{sum(seconds):>10.2f} s",
    ]
    print("\n".join([*lines, "", json.dumps(result)]))  # noqa: T201


def _roll_up_name(one: RollUp) -> str:
    return f"roll-up of {one.counters:,} counters, {one.written:,} figures written"


def _row(one: Stretch, first: Stretch) -> tuple[str, ...]:
    measured = one.measured
    cpu = sum(seconds or 0.0 for seconds in measured.cpu_seconds_by_process)
    return (
        f"{measured.processes}",
        f"{measured.events_per_second:,}",
        f"{measured.events_per_second / first.measured.events_per_second:.2f}",
        f"{cpu / measured.events * 1e6:.1f}",
        f"{one.postgres_cpu_microseconds_an_event():.1f}",
        f"{one.wal_bytes_an_event():,.0f}",
        f"{one.peak_memory_bytes() / _MIB:,.0f}",
        f"{measured.rolled_up_seconds_after}",
    )


def _bytes_a_citizen(tables: Mapping[str, int], citizens: int) -> dict[str, float]:
    """What grows with citizens, and all else together."""
    growing = {name: tables[name] / citizens for name in ("snapshots", "journal")}
    return {**growing, "all tables": sum(tables.values()) / citizens}


if __name__ == "__main__":
    raise SystemExit(main())
