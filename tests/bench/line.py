"""Measures the whole line: ``python -m tests.bench.line`` (``make bench-line``).

Three measurements, each on a fresh embedded stack: a flood of events, the same with scoring killed
in the middle, and a steady stream with probes. Prints a table, and JSON as the last line.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tests.bench.flood import Flooded, flood
from tests.bench.pulse import Pulse, pulse
from tests.e2e import line as lines

T = TypeVar("T")


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="of the flood")
    parser.add_argument("--rate", type=int, default=1_000, help="events a second of the stream")
    parser.add_argument("--seconds", type=int, default=60, help="of the stream")
    asked = parser.parse_args()

    load = os.getloadavg()[0]
    flooded = _on_fresh_line(lambda line: flood(line, asked.events, kill_scoring=False))
    killed = _on_fresh_line(lambda line: flood(line, asked.events, kill_scoring=True))
    pulsed = _on_fresh_line(lambda line: pulse(line, asked.rate, asked.seconds))

    rows = [
        *_flood_rows("flood", flooded),
        *_flood_rows("flood, scoring killed", killed),
        *_pulse_rows(pulsed),
    ]
    machine = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        # What others do on the machine belongs to the figures.
        "load_before": load,
        "load_after": os.getloadavg()[0],
        "python": platform.python_version(),
    }
    loads = f"load {load:.1f} before and {machine['load_after']:.1f} after"
    print(f"{machine['cores']} cores, {loads}, Python {machine['python']}\n")  # noqa: T201
    for what, value in rows:
        print(f"{what:<58}{value:>14}")  # noqa: T201
    measured = {"flood": asdict(flooded), "killed": asdict(killed), "pulse": asdict(pulsed)}
    print(json.dumps({"machine": machine, **measured}))  # noqa: T201


def _on_fresh_line(measure: Callable[[lines.Line], Coroutine[Any, Any, T]]) -> T:
    with tempfile.TemporaryDirectory(prefix="nhipso-bench-") as folder:
        # PostgreSQL may run under another account, which must be able to enter.
        Path(folder).chmod(0o755)
        with lines.running(Path(folder) / "line") as line:
            return asyncio.run(measure(line))


def _flood_rows(name: str, flooded: Flooded) -> list[tuple[str, str]]:
    rows = [
        (f"{name}: events sent", f"{flooded.events:,}"),
        (f"{name}: answered 202", f"{flooded.answered_202:,}"),
        (f"{name}: to the last answer", f"{flooded.to_last_answer:.1f} s"),
        (
            f"{name}: from there to stored and rolled up",
            f"{flooded.from_last_answer_to_stored:.1f} s",
        ),
        (f"{name}: differences from the oracle", f"{flooded.differences}"),
    ]
    if flooded.restarted_after is not None:
        rows.append((f"{name}: next process after", f"{flooded.restarted_after:.1f} s"))
    return rows


def _pulse_rows(pulsed: Pulse) -> list[tuple[str, str]]:
    name = f"{pulsed.events / pulsed.seconds:,.0f} events/s for {pulsed.seconds:.0f} s"
    rows = [(f"{name}: sender behind plan", f"{pulsed.behind_plan:.2f} s")]
    for way, latency in (("HTTP", pulsed.over_http), ("stream", pulsed.on_stream)):
        rows += [
            (f"{name}: event to indicator, {way}, p50", f"{latency.p50:.2f} s"),
            (f"{name}: event to indicator, {way}, p95", f"{latency.p95:.2f} s"),
            (f"{name}: event to indicator, {way}, p99", f"{latency.p99:.2f} s"),
        ]
    return rows


if __name__ == "__main__":
    main()
