"""`nhipso simulate`: fill the province with invented citizens, then let it live."""

import asyncio
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import chain, count, islice
from pathlib import Path
from typing import IO, Annotated, Final

import typer

from contracts.times import parse_rfc3339
from services.cli.checkpoint import FILE_NAME, Checkpoint, read_checkpoint
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import OK, USAGE, CommandError
from services.cli.simulator_run import Disturbance, SimulatorRun
from services.cli.stream import to_json
from services.cli.terminal import remarks
from services.simulator.simulation import Simulation

DEMO_CITIZENS: Final = 20_000
DEMO_SEED: Final = 2025
_PATIENCE: Final = 60.0
#: In a file, living events are dated this far apart, from the start on.
_FILE_STEP: Final = timedelta(milliseconds=20)


def simulate(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    citizens: Annotated[
        int, typer.Option(min=1, help="Invented citizens to fill the 99 communes with.")
    ] = DEMO_CITIZENS,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed, citizens and start give the same stream.")
    ] = DEMO_SEED,
    rate: Annotated[
        float, typer.Option(min=0, help="Most events a second; 0 means as fast as ingest takes.")
    ] = 2_000.0,
    live_rate: Annotated[
        float, typer.Option(min=0, help="Most events a second once filled (never above --rate).")
    ] = 50.0,
    events: Annotated[
        int | None, typer.Option(min=1, metavar="MAX", help="Stop after so many events.")
    ] = None,
    forever: Annotated[
        bool,
        typer.Option(
            "--forever",
            help="Go on living after filling, and take up where an earlier --forever stopped.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="Write the events to a file ('-': standard output) instead of sending them.",
        ),
    ] = None,
    started_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The moment the simulation starts at, RFC 3339 with an offset; now by default."
            " Give it to have the same stream again, to the byte.",
        ),
    ] = None,
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Share of events that are sent twice.")
    ] = 0.0,
    late: Annotated[
        int, typer.Option(min=0, help="Shuffle: events come up to about so many places late.")
    ] = 0,
    bad: Annotated[
        float, typer.Option(min=0, max=1, help="Share of events followed by one to be refused.")
    ] = 0.0,
) -> None:
    """Fill the province with invented citizens, then let it live.

    Sends a realistic stream to a running stack: first everything that has happened up to now
    (registrations, then what each citizen, household, school and firm has adopted), then a life
    that goes on. Nobody in it is real. Without --events or --forever it stops once filled.

    Example: nhipso simulate --citizens 5000 --seed 7 --rate 1000
    """
    disturbance = Disturbance(duplicates, late, bad)
    start = _moment(started_at)
    if out is not None:
        if forever and events is None:
            raise CommandError("--forever would never end the file; give --events as well")
        written = _write(_simulation(seed, citizens, start), out, events, disturbance, forever)
        remarks().print(f"{written:,} events written to {out}")
        raise typer.Exit(OK)
    stack = read_endpoints(endpoints)
    here = endpoints.parent / FILE_NAME if forever and disturbance.is_none else None
    checkpoint = _checkpoint(here, seed, citizens, start, fixed=started_at is not None)
    job = SimulatorRun(
        simulation=_simulation(seed, citizens, checkpoint.started_at),
        checkpoint=checkpoint,
        file=here,
        limit=events,
        forever=forever,
        disturbance=disturbance,
        console=remarks(),
    )
    tokens = stack.source_tokens()
    rates = (rate, min(live_rate, rate) if rate and live_rate else live_rate or rate)
    patience = None if forever else _PATIENCE
    raise typer.Exit(asyncio.run(job.send(stack.url("ingest"), tokens, rates, patience)))


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise CommandError(f"--started-at {error}") from None


def _simulation(seed: int, citizens: int, started_at: datetime) -> Simulation:
    try:
        return Simulation(seed=seed, citizens=citizens, started_at=started_at)
    except ValueError as error:
        raise CommandError(str(error)) from None


def _checkpoint(
    file: Path | None, seed: int, citizens: int, start: datetime, *, fixed: bool
) -> Checkpoint:
    known = read_checkpoint(file) if file is not None and not fixed else None
    if known is not None and known.is_of(seed, citizens):
        return known
    return Checkpoint(seed=seed, citizens=citizens, started_at=start)


def _write(
    simulation: Simulation,
    out: Path,
    limit: int | None,
    disturbance: Disturbance,
    forever: bool,
) -> int:
    """Write the filling, and the living up to the limit; returns the number of events."""
    start = simulation.province.started_at
    moments = (start + _FILE_STEP * step for step in count(1))
    living = simulation.live(moments) if limit is not None or forever else iter(())
    stream = disturbance.of(chain(simulation.fill(), living), simulation.province.seed)
    written = 0
    with ExitStack() as stack:
        file: IO[bytes] = sys.stdout.buffer
        if str(out) != "-":
            try:
                file = stack.enter_context(out.open("wb"))
            except OSError as error:
                raise CommandError(f"{out} cannot be written: {error.strerror}", USAGE) from None
        for event in islice(stream, limit):
            file.write(to_json(event) + b"\n")
            written += 1
    return written
