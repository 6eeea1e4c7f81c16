"""Measures ingest on a fresh embedded stack: ``python -m tests.bench.ingest`` (``make bench-ingest``).

Everything runs and takes in what ingest accepts; `nhipso bench ingest` measures. Prints its table,
how far scoring was behind at the end and when it had caught up, and JSON as the last line.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import SUBJECT_EVENTS
from tests.bench.servers import machine, say
from tests.e2e import line as lines

_BENCH: Final = (sys.executable, "-m", "services.cli", "bench", "ingest")
_TAKEN: Final = "SELECT coalesce(sum(next_offset), 0)::bigint FROM scoring.shards"
_GIVE_UP_SECONDS: Final = 900.0
_POLL_SECONDS: Final = 0.2


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000, help="each way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=4)
    asked = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory(prefix="nhipso-bench-") as folder:
        # PostgreSQL may run under another account, which must be able to enter.
        Path(folder).chmod(0o755)
        with lines.running(Path(folder) / "line") as line:
            said = _run(line, asked)
            # Before anything else: how far the others are.
            taken = asyncio.run(_taken_up(line.endpoints()))
    *table, measured = said.splitlines()
    print("\n".join(table))  # noqa: T201
    behind = taken["behind_at_end"]
    print(f"scoring behind by {behind:,} at the end, by none {taken['seconds']} s later")  # noqa: T201
    print(f"at the start: {before}")  # noqa: T201
    print(json.dumps({"machine": before, "ingest": json.loads(measured), "scoring": taken}))  # noqa: T201


def _run(line: lines.Line, asked: argparse.Namespace) -> str:
    say(f"sending {asked.events:,} events each way")
    options = {
        "--endpoints": line.data_dir / "endpoints.json",
        "--events": asked.events,
        "--rounds": asked.rounds,
        "--connections": asked.connections,
    }
    done = subprocess.run(
        [*_BENCH, *(str(part) for option in options.items() for part in option)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


async def _taken_up(endpoints: dict[str, Any]) -> dict[str, float | int]:
    """How many events scoring had not stored yet, and after how many seconds it had them all."""
    accepted = await _accepted(endpoints["kafka"])
    connection = await asyncpg.connect(endpoints["postgres"])
    begun = time.monotonic()
    try:
        behind = first = accepted - await connection.fetchval(_TAKEN)
        while behind > 0:
            if time.monotonic() - begun > _GIVE_UP_SECONDS:
                raise TimeoutError(f"scoring is still {behind:,} events behind")
            await asyncio.sleep(_POLL_SECONDS)
            behind = accepted - await connection.fetchval(_TAKEN)
    finally:
        await connection.close()
    return {
        "events": accepted,
        "behind_at_end": first,
        "seconds": round(time.monotonic() - begun, 1),
    }


async def _accepted(bootstrap: str) -> int:
    consumer = AIOKafkaConsumer(SUBJECT_EVENTS, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        partitions = consumer.partitions_for_topic(SUBJECT_EVENTS) or set()
        ends = await consumer.end_offsets([TopicPartition(SUBJECT_EVENTS, n) for n in partitions])
    finally:
        await consumer.stop()
    return sum(ends.values())


if __name__ == "__main__":
    main()
