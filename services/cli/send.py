"""`nhipso send`: send a file of events to ingest and show what was refused."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Final

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from contracts.sources import SOURCE_PREFIX
from services.cli.delivery import Answer, Batch, Delivery
from services.cli.endpoints import (
    DEFAULT_ENDPOINTS,
    Endpoints,
    EndpointsOption,
    read_endpoints,
)
from services.cli.exits import OK, USAGE, WRONG, CommandError
from services.cli.lines import Line, read_lines
from services.cli.terminal import answers, events_progress, remarks

_LARGEST_BODY: Final = 4 * 2**20  # bytes; well below what ingest takes in one request
_ROUND: Final = 6  # batches of one round travel in parallel


def send(
    *,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE.jsonl", help="CloudEvents in JSON, one a line; '-' is standard input."
        ),
    ],
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    batch: Annotated[
        int, typer.Option(min=1, max=10_000, help="Most events in one request.")
    ] = 500,
    token: Annotated[
        str | None,
        typer.Option(envvar="NHIPSO_TOKEN", help="A token to use for every event."),
    ] = None,
    as_source: Annotated[
        str | None,
        typer.Option("--as", metavar="SOURCE", help="Send all as this source, such as vneid."),
    ] = None,
    shown: Annotated[
        int, typer.Option("--show", min=0, help="How many refused events the table lists.")
    ] = 50,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to go on trying when ingest is away.")
    ] = 60.0,
) -> None:
    """Send a file of events to ingest, and show what was refused.

    Each event goes under the token of its own source, unless --token or --as says otherwise.
    Sending a file twice is harmless. Exit code 0: all accepted, 1: some refused (they are in the
    table, with their lines), 2: called wrongly, 3: ingest could not be reached.

    Example: nhipso send events.jsonl
    """
    with _opened(file) as (stream, size):
        stack = read_endpoints(endpoints)
        job = _Job(_Credentials.of(stack, token, as_source), batch, shown)
        with events_progress(remarks()) as progress:
            bar = progress.add_task("Sending", total=size, note="")
            asyncio.run(job.send(stream, stack.url("ingest"), patience, (progress, bar)))
    job.show()
    raise typer.Exit(WRONG if job.refused else OK)


@dataclass(frozen=True, slots=True)
class _Credentials:
    """Which token an event travels under."""

    by_source: dict[str, str]
    fixed: str | None

    @classmethod
    def of(cls, stack: Endpoints, token: str | None, as_source: str | None) -> "_Credentials":
        if token is not None and as_source is not None:
            raise CommandError("give either --token or --as, not both")
        if as_source is not None:
            name = as_source if ":" in as_source else SOURCE_PREFIX + as_source
            return cls({}, stack.token(name))
        if token is None and not stack.source_tokens():
            raise CommandError(f"{stack.file} holds no token of a source; give --token", USAGE)
        return cls(stack.source_tokens(), token)

    def of_line(self, line: Line) -> str:
        """The token for a line. An unknown source travels under any token: ingest will refuse it.

        That way the refusal, with its reason, comes from the one place that decides.
        """
        if self.fixed is not None:
            return self.fixed
        known = self.by_source.get(line.source or "")
        return known if known is not None else next(iter(self.by_source.values()))


@dataclass(frozen=True, slots=True)
class _Refused:
    line: int
    id: str | None
    reason: str
    detail: str


@dataclass(slots=True)
class _Job:
    """One file on its way."""

    credentials: _Credentials
    batch: int
    shown: int
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    rows: list[_Refused] = field(default_factory=list)

    async def send(
        self, stream: IO[bytes], url: str, patience: float, bar: tuple[Progress, TaskID]
    ) -> None:
        """Send all lines, a round of batches at a time."""
        async with Delivery(url, patience=patience) as delivery:
            ready: list[tuple[str, list[Line]]] = []
            for item in self._batches(stream):
                ready.append(item)
                if len(ready) == _ROUND:
                    await self._round(delivery, ready, bar)
                    ready = []
            await self._round(delivery, ready, bar)

    async def _round(
        self, delivery: Delivery, ready: list[tuple[str, list[Line]]], bar: tuple[Progress, TaskID]
    ) -> None:
        progress, at = bar
        sent = [Batch(token, [line.text for line in lines]) for token, lines in ready]
        for answer, (_, lines) in zip(await delivery.deliver_all(sent), ready, strict=True):
            self._count(answer, lines)
            note = f"{self.refused.total():,} refused" if self.refused else ""
            progress.update(at, advance=len(lines), note=note)

    def _batches(self, stream: IO[bytes]) -> Iterator[tuple[str, list[Line]]]:
        """Lines by token, in the order of the file within each token."""
        open_batches: dict[str, list[Line]] = {}
        sizes: Counter[str] = Counter()
        for line in read_lines(stream):
            if line.objection is not None:
                self._refuse(_Refused(line.number, None, "not-json", line.objection))
                continue
            token = self.credentials.of_line(line)
            lines = open_batches.setdefault(token, [])
            lines.append(line)
            sizes[token] += len(line.text)
            if len(lines) >= self.batch or sizes[token] >= _LARGEST_BODY:
                del sizes[token]
                yield token, open_batches.pop(token)
        yield from open_batches.items()

    def _count(self, answer: Answer, lines: list[Line]) -> None:
        self.accepted += answer.accepted
        for refusal in answer.refusals:
            number = lines[refusal.index].number
            self._refuse(_Refused(number, refusal.id, refusal.reason, refusal.detail))

    def _refuse(self, refused: _Refused) -> None:
        self.refused[refused.reason] += 1
        if len(self.rows) < self.shown:
            self.rows.append(refused)

    def show(self) -> None:
        """Print what was refused and the sums."""
        console = answers()
        if self.rows:
            table = Table("Line", "Id", "Reason", "Detail", title="Refused", title_justify="left")
            for row in sorted(self.rows, key=lambda row: row.line):
                table.add_row(f"{row.line:,}", row.id or "–", row.reason, row.detail)
            console.print(table)
        if (hidden := self.refused.total() - len(self.rows)) > 0:
            console.print(f"… and {hidden:,} more; --show lists more of them")
        parts = [f"{number:,} {reason}" for reason, number in self.refused.most_common()]
        told = f" ({', '.join(parts)})" if parts else ""
        console.print(f"{self.accepted:,} accepted, {self.refused.total():,} refused{told}")


@contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """The file as bytes, and how many lines it has where that can be told."""
    if name == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(name)
    try:
        with path.open("rb") as stream:
            size = sum(1 for line in stream if line.strip())
            stream.seek(0)
            yield stream, size
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}", USAGE) from None
