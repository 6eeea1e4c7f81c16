"""`nhipso validate`: check a file of events offline, by the rules of ingest."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from contracts.events import EVENT_MODELS, domain_of
from contracts.sources import SOURCE_PREFIX
from services.cli.area_argument import AreasOption, known_areas
from services.cli.catalogue_argument import CatalogueOption, known_catalogue
from services.cli.events_file import Item, Unreadable, UnreadableError, read_items
from services.cli.exits import OK, USAGE, WRONG, CommandError
from services.cli.judging import Judge
from services.cli.terminal import answers
from services.ingest.core.blame import field_at_fault
from services.ingest.core.verdicts import Refused

_DOMAINS: Final = frozenset(map(domain_of, EVENT_MODELS))


def validate(
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A JSON array, JSON lines (one event a line), CSV or XLSX."
        ),
    ],
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="SOURCE", help="As which source it will be sent, such as vneid."
        ),
    ] = None,
    domain: Annotated[
        list[str] | None,
        typer.Option("--domain", metavar="DOMAIN", help="What the source may send; else all."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which sheet of a workbook; else the first.")
    ] = None,
    areas: AreasOption = None,
    catalogue: CatalogueOption = None,
    shown: Annotated[
        int, typer.Option("--show", min=0, help="How many faults the table lists.")
    ] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every fault as JSON, for scripts.")
    ] = False,
) -> None:
    """Check a file of events offline, by the rules of ingest.

    Nothing is sent. Each fault is shown with its line, the field, the reason as ingest would give it,
    and what to do; never with what stands in the file. Exit code 0: every event would be accepted,
    1: some would be refused, 2: the file cannot be read, or not to its end.

    Example: nhipso validate events.csv --source hospital --domain health
    """
    sources = [one if ":" in one else SOURCE_PREFIX + one for one in source or ()]
    domains = frozenset(domain or _DOMAINS)
    if unknown := domains - _DOMAINS:
        raise CommandError(
            f"no event has the domain {', '.join(sorted(unknown))}; "
            f"the domains are {', '.join(sorted(_DOMAINS))}"
        )
    judge = Judge(known_areas(areas), frozenset(known_catalogue(catalogue).by_id), sources, domains)
    report = _Report()
    unreadable: str | None = None
    try:
        for item in read_items(file, judge.row_sources, judge.event_id, sheet):
            report.count(item, judge)
    except UnreadableError as error:
        unreadable = str(error)
    if as_json:
        typer.echo(json.dumps(report.said(unreadable), ensure_ascii=False, indent=2))
    elif report.checked:
        report.show(shown)
    if unreadable is not None:
        raise CommandError(f"{file}: {unreadable}", USAGE)
    if not report.checked:
        raise CommandError(f"{file} holds no event", USAGE)
    raise typer.Exit(WRONG if report.faults else OK)


@dataclass(frozen=True, slots=True)
class _Fault:
    line: int
    field: str | None
    id: str | None
    reason: str
    detail: str


@dataclass(slots=True)
class _Report:
    checked: int = 0
    faults: list[_Fault] = field(default_factory=list)

    def count(self, item: Item | Unreadable, judge: Judge) -> None:
        self.checked += 1
        if isinstance(item, Unreadable):
            self.faults.append(_Fault(item.line, None, None, "not-json", item.why))
            return
        verdict = judge.verdict(item.received)
        if isinstance(verdict, Refused):
            at_fault = field_at_fault(verdict.reason, verdict.detail)
            self.faults.append(
                _Fault(item.line, at_fault, verdict.answer_id, verdict.reason.value, verdict.detail)
            )

    def said(self, unreadable: str | None) -> dict[str, object]:
        return {
            "checked": self.checked,
            "fit": self.checked - len(self.faults),
            "faults": [asdict(fault) for fault in self.faults],
            "unreadable": unreadable,
        }

    def show(self, shown: int) -> None:
        console = answers()
        if self.faults and shown:
            table = Table("Line", "Field", "Reason", "What is wrong, and what to do")
            for fault in self.faults[:shown]:
                table.add_row(f"{fault.line:,}", fault.field or "–", fault.reason, fault.detail)
            console.print(table)
        if (hidden := len(self.faults) - shown) > 0:
            console.print(f"… and {hidden:,} more; --show lists more of them")
        reasons = Counter(fault.reason for fault in self.faults).most_common()
        told = f" ({', '.join(f'{count:,} {reason}' for reason, count in reasons)})"
        fit = self.checked - len(self.faults)
        console.print(f"{fit:,} of {self.checked:,} events fit{told if reasons else ''}")
