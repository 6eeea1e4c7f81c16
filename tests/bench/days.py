"""Measures the daily step: ``python -m tests.bench.days`` (``make bench-days``).

The service takes the events of many citizens. Then one process takes up a day by which a given
number of them are due, in all shards: once as it has just started, so that it reads their state
first, and once more, as it runs from day to day. At last a process with another catalogue evaluates
everybody anew. Prints all three, and JSON as the last line.
"""

import argparse
import asyncio
import json
from dataclasses import asdict
from datetime import UTC, date, datetime

from contracts import catalogue
from services.scoring.bench_processes import BenchError
from tests.bench.ground import province
from tests.bench.invented_events import Sizes, invent
from tests.bench.kept import Step, Takeover, first_day_with, kept, with_another_window
from tests.bench.servers import DiskError, Servers, machine, say, servers
from tests.bench.stretch import SEED, fill, run, today

_STEPS = (
    "daily step, just started, with the reading",
    "daily step, from day to day",
    "everybody under new rules, with the reading",
)


def main() -> int:
    """Read the arguments, measure, print; returns the exit code."""
    asked = _arguments()
    say(machine())
    sizes = Sizes(citizens=asked.citizens, events=asked.citizens * (1 + asked.facts))
    try:
        with servers(sizes.events) as both:
            records = invent(sizes, ground=province(), seed=SEED, today=today())
            fill(both, asked.partitions, records)
            loaded = run(
                both,
                events=sizes.events,
                after=0,
                processes=asked.processes,
                timeout=asked.timeout,
                keep=True,
            )
            schema = loaded.measured.schema
            takeovers, steps = asyncio.run(_steps(both, schema, asked.due))
    except (BenchError, DiskError, ValueError) as error:
        say(f"error: {error}")
        return 1
    _print(asked, takeovers, steps)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=1_000_000)
    parser.add_argument("--facts", type=int, default=3, help="a citizen")
    parser.add_argument("--due", type=int, default=3_000, help="at least so many each time")
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--processes", type=int, default=2, help="of scoring, while it loads")
    parser.add_argument("--timeout", type=float, default=1_200, help="seconds of the loading")
    return parser.parse_args()


async def _steps(both: Servers, schema: str, count: int) -> tuple[list[Takeover], list[Step]]:
    """What it takes to read all states; two days, and the second day again under new rules."""
    async with kept(both.postgres.dsn, schema) as found:
        takeovers, due = await found.take_over()
        shards = found.process()
        day = today().toordinal()
        steps: list[Step] = []
        for _ in range(2):
            day = first_day_with(due, count, day)
            steps.append(await found.step(shards, date.fromordinal(day)))
        changed = found.process(with_another_window(catalogue.load()))
        steps.append(await found.step(changed, date.fromordinal(day)))
        return takeovers, steps


def _print(asked: argparse.Namespace, takeovers: list[Takeover], steps: list[Step]) -> None:
    seconds = sum(one.seconds for one in takeovers)
    subjects = sum(one.subjects for one in takeovers)
    out = [
        f"{asked.citizens:,} citizens, {asked.partitions} shards; {machine()}",
        "",
        f"{'to read the state of all shards (' + f'{subjects:,} subjects)':<72}{seconds:>8.2f} s",
    ]
    for what, step in zip(_STEPS, steps, strict=True):
        text = f"{what} ({step.day}, {step.due:,} due)"
        out.append(f"{text:<72}{step.seconds:>8.2f} s")
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "citizens": asked.citizens,
        "takeovers": [asdict(one) for one in takeovers],
        "steps": [{**asdict(step), "day": step.day.isoformat()} for step in steps],
    }
    print("\n".join([*out, "", json.dumps(result)]))  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main())
