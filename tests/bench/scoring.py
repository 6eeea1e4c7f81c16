"""Measures scoring against the peer: ``python -m tests.bench.scoring`` (``make bench``).

One broker and one PostgreSQL, started for this; one topic of invented events; scoring and the peer
in turn. Prints a table, the ratio to the peer's exactly-once at its better number of threads, what
the peer does less, and JSON as the last line.
"""

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from statistics import median
from typing import Any

from contracts.topics import SUBJECT_EVENTS
from tests.bench.ground import province
from tests.bench.invented_events import Sizes, invent
from tests.bench.peer.build import PeerError, build
from tests.bench.peer_run import DOES_LESS, WAYS, Way, run_peer
from tests.bench.servers import DiskError, Servers, machine, say, servers
from tests.bench.stretch import SEED, fill, today


def main() -> int:
    """Read the arguments, measure, print; returns the exit code."""
    asked = _arguments()
    say(machine())
    try:
        classpath = None if asked.without_peer else build()
        with servers(asked.events) as both:
            sizes = Sizes(citizens=asked.citizens, events=asked.events)
            records = invent(sizes, ground=province(), seed=SEED, today=today())
            fill(both, asked.partitions, records)
            ours: list[dict[str, Any]] = []
            peers: dict[Way, list[int]] = {way: [] for way in WAYS}
            for number in range(asked.rounds):
                ours.append(_ours(asked, both))
                say(f"round {number + 1}: scoring {ours[-1]['events_per_second']:,}")
                for way in WAYS if classpath else ():
                    args = (classpath or "", both.kafka.bootstrap, SUBJECT_EVENTS, asked.events)
                    figure = run_peer(*args, way, timeout=asked.timeout)
                    peers[way].append(figure)
                    say(f"round {number + 1}: {way.name} {figure:,}")
    except (PeerError, DiskError, subprocess.SubprocessError) as error:
        say(f"error: {error}")
        return 1
    _print_table(asked, ours, {way: figures for way, figures in peers.items() if figures})
    return 0


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


def _ours(asked: argparse.Namespace, both: Servers) -> dict[str, Any]:
    """One run of the command, with the CPU time that the servers took meanwhile.

    Raises:
        subprocess.SubprocessError: it failed.
    """
    before = both.cpu()
    argv = [sys.executable, "-m", "services.cli", "bench", "scoring"]
    argv += ["--bootstrap", both.kafka.bootstrap, "--topic", SUBJECT_EVENTS]
    argv += ["--events", str(asked.events), "--postgres", both.postgres.dsn]
    argv += ["--processes", str(asked.processes), "--timeout", str(asked.timeout)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise subprocess.SubprocessError(f"nhipso bench ended with code {done.returncode}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return {**measured, "server_cpu_seconds_with_start_and_end": both.cpu().since(before)}


def _print_table(
    asked: argparse.Namespace, ours: list[dict[str, Any]], peers: dict[Way, list[int]]
) -> None:
    scoring = median(run["events_per_second"] for run in ours)
    rows = [(f"scoring, {asked.processes} processes, durable in PostgreSQL", scoring)]
    rows += [(way.name, median(figures)) for way, figures in peers.items()]
    data = f"{asked.events:,} events, {asked.citizens:,} citizens, {asked.partitions} partitions"
    out = [
        f"{data}; {machine()}",
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
