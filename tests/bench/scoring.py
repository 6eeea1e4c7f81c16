"""Measures scoring against the peer: ``python -m tests.bench.scoring`` (``make bench``).

One broker and one PostgreSQL, started for this; one topic of invented events; scoring and the peer
in turn. Prints a table, the ratio to the peer's exactly-once at its better number of threads, what
the peer does less, and JSON as the last line.
"""

import argparse
import asyncio
import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from contracts.times import local_day
from contracts.topics import SUBJECT_EVENTS
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from deploy.embedded.postgres import Postgres
from tests.bench.ground import province
from tests.bench.invented_events import Sizes, invent
from tests.bench.loading import load
from tests.bench.peer.build import PeerError, build
from tests.bench.peer_run import DOES_LESS, WAYS, Way, run_peer

#: What a deployment may set; durability stays as it is by default.
SETTINGS = {"max_wal_size": "4GB", "shared_buffers": "1GB", "wal_buffers": "64MB"}
_SEED = 2026


def main() -> int:
    """Read the arguments, measure, print; returns the exit code."""
    asked = _arguments()
    say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before")
    try:
        classpath = None if asked.without_peer else build()
        with _servers() as (kafka, postgres):
            _load(asked, kafka)
            ours: list[dict[str, Any]] = []
            peers: dict[Way, list[int]] = {way: [] for way in WAYS}
            for number in range(asked.rounds):
                ours.append(_ours(asked, kafka, postgres))
                say(f"round {number + 1}: scoring {ours[-1]['events_per_second']:,}")
                for way in WAYS if classpath else ():
                    args = (classpath or "", kafka.bootstrap, SUBJECT_EVENTS, asked.events)
                    figure = run_peer(*args, way, timeout=asked.timeout)
                    peers[way].append(figure)
                    say(f"round {number + 1}: {way.name} {figure:,}")
    except (PeerError, subprocess.SubprocessError) as error:
        say(f"error: {error}")
        return 1
    _print_table(asked, ours, {way: figures for way, figures in peers.items() if figures})
    return 0


def say(text: str) -> None:
    """Tell how far it is; the table alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--citizens", type=int, default=200_000)
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--processes", type=int, default=2, help="of scoring")
    parser.add_argument("--rounds", type=int, default=1, help="the table has their medians")
    parser.add_argument("--without-peer", action="store_true", help="measure scoring alone")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for each run")
    return parser.parse_args()


@contextmanager
def _servers() -> Iterator[tuple[Kafka, Postgres]]:
    with tempfile.TemporaryDirectory(prefix="nhipso-bench-") as folder:
        # PostgreSQL may run under another account, which must be able to enter.
        Path(folder).chmod(0o755)
        kafka = Kafka(Path(folder, "kafka"), port=free_port(), controller_port=free_port())
        postgres = Postgres(
            Path(folder, "postgres"),
            port=free_port(),
            password=secrets.token_hex(16),
            settings=SETTINGS,
        )
        try:
            kafka.start()
            postgres.start()
            kafka.wait_ready()
            postgres.wait_ready()
            yield kafka, postgres
        finally:
            kafka.stop()
            postgres.stop()


def _load(asked: argparse.Namespace, kafka: Kafka) -> None:
    started = time.monotonic()
    sizes = Sizes(citizens=asked.citizens, events=asked.events)
    today = local_day(datetime.now(UTC))
    records = invent(sizes, ground=province(), seed=_SEED, today=today)
    loaded = asyncio.run(load(kafka.bootstrap, SUBJECT_EVENTS, asked.partitions, records))
    say(f"{loaded:,} events of {asked.citizens:,} citizens in {time.monotonic() - started:.0f} s")


def _ours(asked: argparse.Namespace, kafka: Kafka, postgres: Postgres) -> dict[str, Any]:
    """One run of the command, with the CPU time that the servers took meanwhile.

    Raises:
        subprocess.SubprocessError: it failed.
    """
    before = _server_cpu(kafka, postgres)
    argv = [sys.executable, "-m", "services.cli", "bench", "scoring"]
    argv += ["--bootstrap", kafka.bootstrap, "--topic", SUBJECT_EVENTS]
    argv += ["--events", str(asked.events), "--postgres", postgres.dsn]
    argv += ["--processes", str(asked.processes), "--timeout", str(asked.timeout)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise subprocess.SubprocessError(f"nhipso bench ended with code {done.returncode}")
    measured: dict[str, Any] = json.loads(done.stdout)
    after = _server_cpu(kafka, postgres)
    return {
        **measured,
        "server_cpu_seconds_with_start_and_end": {
            name: round(after[name] - before[name], 2) for name in after
        },
    }


def _server_cpu(kafka: Kafka, postgres: Postgres) -> dict[str, float]:
    broker = psutil.Process(kafka.pid).cpu_times()
    postmaster = psutil.Process(postgres.pid)
    server = postmaster.cpu_times()
    # Sessions that have ended are in the postmaster's sum of children, the others run.
    live = [child.cpu_times() for child in postmaster.children()]
    ended = server.children_user + server.children_system
    running = sum(one.user + one.system for one in [server, *live])
    return {"kafka": broker.user + broker.system, "postgres": ended + running}


def _print_table(
    asked: argparse.Namespace, ours: list[dict[str, Any]], peers: dict[Way, list[int]]
) -> None:
    scoring = median(run["events_per_second"] for run in ours)
    rows = [(f"scoring, {asked.processes} processes, durable in PostgreSQL", scoring)]
    rows += [(way.name, median(figures)) for way, figures in peers.items()]
    data = f"{asked.events:,} events, {asked.citizens:,} citizens, {asked.partitions} partitions"
    load = f"load {os.getloadavg()[0]:.2f} after"
    out = [
        f"{data}; {os.cpu_count()} cores, Python {platform.python_version()}, {load}",
        "",
        f"{'events a second':<62}{'':>10}",
        *(f"{name:<62}{figure:>10,.0f}" for name, figure in rows),
        f"{'roll-up done after the last batch':<62}{ours[-1]['rolled_up_seconds_after']:>8} s",
    ]
    ratio = None
    if peers:
        best = max(median(figures) for way, figures in peers.items() if way.guarantee == "eos")
        ratio = round(scoring / best, 2)
        out.append(f"{'ratio to the peer, exactly-once, better thread count':<62}{ratio:>10.2f}")
        out += ["", "For each event the peer does less:", *(f"  - {line}" for line in DOES_LESS)]
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "ratio": ratio,
        "scoring": ours,
        "peer": {f"{way.guarantee}-{way.threads}": figures for way, figures in peers.items()},
    }
    print("\n".join(out), json.dumps(result), sep="\n\n")  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main())
