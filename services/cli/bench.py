"""`nhipso bench`: measures, against servers that are there."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, UNREACHABLE, USAGE, CommandError
from services.cli.terminal import answers, events_progress, remarks

if TYPE_CHECKING:
    from services.cli.ingest_bench import Measured

bench = typer.Typer(no_args_is_help=True, help="Measure how fast a part of the line is.")


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
    except KafkaError as error:
        raise CommandError(str(error), UNREACHABLE) from None  # it begins with its name
    except (PostgresError, OSError, ValueError) as error:
        # The DSN may hold a password, so it is not repeated.
        raise CommandError(f"{type(error).__name__}: {error}", UNREACHABLE) from None
    sys.stdout.write(json.dumps(asdict(measured)) + "\n")


@bench.command(epilog=EPILOG)
def ingest(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Ingest, when it is not that stack's.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="A source's token, for --url."),
    ] = None,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="The Kafka broker, for --url.")
    ] = None,
    events: Annotated[int, typer.Option(min=500, metavar="N", help="To send each way.")] = 500_000,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Events of one request.")] = 500,
    connections: Annotated[int, typer.Option(min=1, metavar="K", help="Requests at once.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds each way; they take turns.")] = 5,
) -> None:
    """Measure how many events a second ingest accepts over HTTP, beside a bare producer.

    Sends invented events to ingest, and the same ones as ready-made records to a topic of their own
    with aiokafka's `send`, in rounds that take turns. Everything that runs takes in what ingest
    accepts: use a stack without real data. Prints a table, and as the last line JSON.

    Example: nhipso bench ingest --endpoints .local/endpoints.json --events 1000000
    """
    # The client of the broker takes a while to load; no other command needs it.
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from services.cli.ingest_bench import Asked, BenchError, Watch, measure  # noqa: PLC0415

    pid = None
    if url is None:
        stack = read_endpoints(endpoints)
        url, tokens = stack.url("ingest"), list(stack.source_tokens().values())
        bootstrap, pid = bootstrap or stack.server("kafka"), stack.pids.get("ingest")
    elif token_file is None or bootstrap is None:
        raise CommandError("--url wants --token-file and --bootstrap as well", USAGE)
    else:
        try:
            tokens = [token_file.read_text(encoding="utf-8").strip()]
        except OSError as error:
            raise CommandError(f"{token_file} cannot be read: {error.strerror}", USAGE) from None
    asked = Asked(url, tokens, bootstrap, events, batch, connections, rounds, pid)
    try:
        with events_progress(remarks()) as progress:
            bar = progress.add_task("sent, both ways", total=2 * events, note="")

            class Shown(Watch):
                def sent(self, events: int) -> None:
                    progress.update(bar, advance=events)

            measured = asyncio.run(measure(asked, Shown()))
    except BenchError as error:
        raise CommandError(str(error)) from None
    except KafkaError as error:
        raise CommandError(str(error), UNREACHABLE) from None
    except OSError as error:
        raise CommandError(f"{type(error).__name__}: {error}", UNREACHABLE) from None
    answers().print(_table(measured))
    sys.stdout.write(json.dumps(asdict(measured)) + "\n")


def _table(measured: "Measured") -> Table:
    table = Table("", "HTTP", "bare producer", title="Ingest", title_justify="left")
    rows: list[tuple[str, Any, Any]] = [
        ("events a second", measured.http_events_per_second, measured.producer_events_per_second),
        *(
            (f"round {number}", over_http, produced)
            for number, (over_http, produced) in enumerate(
                zip(measured.http_rounds, measured.producer_rounds, strict=True), start=1
            )
        ),
        ("bytes an event", measured.body_bytes_per_event, measured.record_bytes_per_event),
        (
            "sender, CPU µs an event",
            measured.http_sender_cpu_us_per_event,
            measured.producer_cpu_us_per_event,
        ),
        ("ingest, CPU µs an event", measured.ingest_cpu_us_per_event, None),
        ("slowest answer, s", measured.slowest_answer_seconds, None),
        ("ratio", measured.ratio, None),
    ]
    if memory := measured.ingest_memory_bytes:
        told = [memory[0], memory[len(memory) // 2], memory[-1]]
        mib = " → ".join(f"{bytes_ / 2**20:.0f}" for bytes_ in told)
        rows.append(("ingest, MiB at start, middle, end", mib, None))
    for name, *values in rows:
        table.add_row(name, *("" if v is None else f"{v:,}" if v != str(v) else v for v in values))
    table.caption = f"bare producer: {measured.producer}"
    return table
