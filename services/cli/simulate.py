"""`nhipso simulate`: fill the province with invented citizens, then let it live."""

import asyncio
import math
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, count, islice
from pathlib import Path
from typing import IO, Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from contracts.times import parse_rfc3339
from services.cli.checkpoint import FILE_NAME, Checkpoint, read_checkpoint, write_checkpoint
from services.cli.delivery import Delivery
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import OK, USAGE, WRONG, CommandError
from services.cli.stream import Tally, run, to_json
from services.cli.terminal import events_progress, remarks
from services.simulator.chance import chance
from services.simulator.disturbance import disturb
from services.simulator.envelopes import Event
from services.simulator.simulation import Simulation

DEMO_CITIZENS: Final = 20_000
DEMO_SEED: Final = 2025
_PATIENCE: Final = 60.0
#: In a file, living events are dated this far apart, from the start on.
_FILE_STEP: Final = timedelta(milliseconds=20)
_SAVE_EVERY: Final = 2_000  # events of the filling between two checkpoints
_RESERVED_STEPS: Final = 500
_SECONDS_BETWEEN_TROUBLES: Final = 10.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How unpleasant the stream is made on purpose."""

    duplicates: float
    lateness: int
    bad: float

    @property
    def is_none(self) -> bool:
        """Whether the stream stays as it is."""
        return not (self.duplicates or self.lateness or self.bad)

    def of(self, events: Iterable[Event], seed: int) -> Iterator[Event]:
        """The events as they are, or disturbed."""
        if self.is_none:
            return iter(events)
        return disturb(
            events,
            chance(seed, "disturbance"),
            duplicates=self.duplicates,
            lateness=self.lateness,
            bad=self.bad,
        )


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
    job = _Job(
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


@dataclass(slots=True)
class _Job:
    """One run of the simulator against a stack."""

    simulation: Simulation
    checkpoint: Checkpoint
    file: Path | None
    limit: int | None
    forever: bool
    disturbance: Disturbance
    console: Console
    tally: Tally = field(default_factory=Tally)
    unsaved: int = 0
    told_at: float = -math.inf

    async def send(
        self,
        url: str,
        tokens: dict[str, str],
        rates: tuple[float, float],
        patience: float | None,
    ) -> int:
        """Fill, then live; returns the exit code. To be stopped is a good end."""
        _stop_on_sigterm()
        try:
            async with Delivery(url, patience=patience, on_trouble=self._trouble) as delivery:
                with events_progress(self.console) as progress:
                    if not self.checkpoint.fill_done:
                        await self._fill(delivery, tokens, rates[0], progress)
                    if self.forever if self.limit is None else self.tally.sent < self.limit:
                        await self._live(delivery, tokens, rates[1], progress)
        except asyncio.CancelledError:
            self._say("stopped")
        finally:
            self._save()
        refused = self.tally.refused
        self.console.print(f"{self.tally.sent:,} events sent, {refused.total():,} refused")
        for reason, number in refused.most_common():
            self.console.print(f"  {reason}: {number:,}")
        return WRONG if refused and not self.disturbance.bad else OK

    async def _fill(
        self, delivery: Delivery, tokens: dict[str, str], rate: float, progress: Progress
    ) -> None:
        done = self.checkpoint.filled
        clean = islice(self.simulation.fill(), done, None)
        stream = islice(self.disturbance.of(clean, self.checkpoint.seed), self.limit)
        size = self.simulation.fill_size()
        total = size if self.limit is None else min(size, self.limit + done)
        bar = progress.add_task("Filling", total=total, completed=done, note="")
        self._say(f"filling the province: about {size:,} events, {done:,} of them sent before")

        def after(events: int, tally: Tally) -> None:
            self.checkpoint = self.checkpoint.after_filling(events)
            self._count(events)
            _advance(progress, bar, events, tally)

        await run(stream, delivery, tokens, rate=rate, tally=self.tally, after=after)
        if self.limit is None or self.tally.sent < self.limit:
            self.checkpoint = self.checkpoint.living_from(0)
            progress.update(bar, total=self.checkpoint.filled)
            self._save()

    async def _live(
        self,
        delivery: Delivery,
        tokens: dict[str, str],
        rate: float,
        progress: Progress,
    ) -> None:
        left = None if self.limit is None else self.limit - self.tally.sent
        steps = _Steps(self.checkpoint.lived, self._reserve)
        living = self.simulation.live(steps.moments(), self.checkpoint.lived)
        stream = islice(self.disturbance.of(living, self.checkpoint.seed), left)
        bar = progress.add_task("Living", total=left, note="")
        pace = f"at up to {rate:g} events a second" if rate else "as fast as ingest takes it"
        self._say(f"living on {pace}")

        def after(events: int, tally: Tally) -> None:
            _advance(progress, bar, events, tally)

        try:
            await run(stream, delivery, tokens, rate=rate, tally=self.tally, after=after)
        finally:
            self.checkpoint = self.checkpoint.living_from(steps.next)

    def _reserve(self, step: int) -> None:
        self.checkpoint = self.checkpoint.living_from(step)
        self._save()

    def _count(self, events: int) -> None:
        self.unsaved += events
        if self.unsaved >= _SAVE_EVERY:
            self._save()

    def _save(self) -> None:
        if self.file is not None:
            write_checkpoint(self.file, self.checkpoint)
        self.unsaved = 0

    def _trouble(self, why: str) -> None:
        """Say why it does not go on, not more often than every ten seconds."""
        now = time.monotonic()
        if now - self.told_at >= _SECONDS_BETWEEN_TROUBLES:
            self.told_at = now
            self.console.print(f"{why}; trying again", soft_wrap=True)

    def _say(self, line: str) -> None:
        """For logs; on a terminal the bar says it."""
        if not self.console.is_terminal:
            self.console.print(line)


class _Steps:
    """Dates each step of living with the moment at which it is asked for.

    Steps are reserved ahead, some hundred at a time, before the first of them is used: a step's
    ids follow from its number, so after a crash no number may come again with another time.
    """

    def __init__(self, first: int, reserve: Callable[[int], None]) -> None:
        self.next = first
        self._reserved = first
        self._reserve = reserve

    def moments(self) -> Iterator[datetime]:
        """The moments, without end."""
        while True:
            if self.next == self._reserved:
                self._reserved += _RESERVED_STEPS
                self._reserve(self._reserved)
            self.next += 1
            yield datetime.now(UTC)


def _stop_on_sigterm() -> None:
    """Let a supervisor's SIGTERM end the stream as Ctrl-C does: by cancelling what runs now."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _advance(progress: Progress, bar: TaskID, events: int, tally: Tally) -> None:
    refused = tally.refused.total()
    progress.update(bar, advance=events, note=f"{refused:,} refused" if refused else "")
