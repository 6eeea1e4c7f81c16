"""One run of the simulator against a stack: it fills, lives, remembers how far it is, can be stopped."""

import asyncio
import math
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress, TaskID

from services.cli.checkpoint import Checkpoint, write_checkpoint
from services.cli.delivery import Delivery
from services.cli.exits import OK, WRONG, CommandError
from services.cli.stream import Tally, run
from services.cli.terminal import events_progress
from services.simulator.chance import chance
from services.simulator.disturbance import disturb
from services.simulator.envelopes import Event
from services.simulator.simulation import Simulation

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


@dataclass(slots=True)
class SimulatorRun:
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
            try:
                write_checkpoint(self.file, self.checkpoint)
            except OSError as error:
                raise CommandError(f"{self.file} cannot be written: {error.strerror}") from None
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
