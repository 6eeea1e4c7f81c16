"""`nhipso bench`: measures, against servers that are there."""

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.exits import EPILOG, UNREACHABLE, CommandError
from services.cli.terminal import events_progress, remarks

bench = typer.Typer(no_args_is_help=True, help="Measure how fast a part of the line is.")


@bench.callback()
def _bench() -> None:
    """Keep `scoring` a subcommand as long as it is the only one."""


@bench.command(epilog=EPILOG)
def scoring(
    *,
    bootstrap: Annotated[str, typer.Option(metavar="HOST:PORT", help="The Kafka broker.")],
    topic: Annotated[
        str, typer.Option(metavar="NAME", help="Events in inside form; read from the start.")
    ],
    events: Annotated[int, typer.Option(min=1, metavar="N", help="Stop once so many are stored.")],
    postgres: Annotated[
        str, typer.Option(metavar="DSN", help="A database in which no scoring service runs.")
    ],
    processes: Annotated[int, typer.Option(min=1, help="Scoring processes in the group.")] = 2,
    after: Annotated[
        int,
        typer.Option(min=0, metavar="K", help="Take the first K records before the clock starts."),
    ] = 0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the schema with the figures there.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds until it gives up.")] = 600.0,
) -> None:
    """Measure how many events a second scoring makes durable.

    Runs the service itself in a group and a schema of their own (`scoring_bench_…`), which are
    dropped afterwards. Prints one line of JSON: the clock runs from the first record processed to
    the last batch committed. With `--after K` the state already holds the first K records, taken
    in the same way, when the clock starts. Refuses a PostgreSQL whose commits are not durable. Its
    figures go to topics of their own; knobs of scoring (`NHIPSO_SCORING__…`) and whose units and
    rules the topic speaks of (`NHIPSO_AREAS__…`, `NHIPSO_CATALOGUE__…`) are taken from the
    environment.

    Example: nhipso bench scoring --bootstrap 127.0.0.1:9092 --topic subject-events.v1
    --events 1000000 --postgres postgresql://nhipso:secret@127.0.0.1/bench
    """
    # The clients of both servers take a while to load; no other command needs them.
    from aiokafka.errors import KafkaError  # noqa: PLC0415
    from asyncpg import PostgresError  # noqa: PLC0415

    from services.scoring.bench import Asked, Watch, measure  # noqa: PLC0415
    from services.scoring.bench_processes import BenchError  # noqa: PLC0415

    asked = Asked(bootstrap, topic, events, postgres, processes, keep, timeout, after)
    try:
        with events_progress(remarks()) as progress:
            bar = progress.add_task("taken", total=after + events, note="")

            class Shown(Watch):
                def taken(self, records: int) -> None:
                    progress.update(bar, completed=records)

            measured = asyncio.run(measure(asked, Shown()))
    except BenchError as error:
        raise CommandError(str(error)) from None
    except (KafkaError, PostgresError, OSError, ValueError) as error:
        # The DSN may hold a password, so it is not repeated.
        raise CommandError(f"{type(error).__name__}: {error}", UNREACHABLE) from None
    sys.stdout.write(json.dumps(asdict(measured)) + "\n")
