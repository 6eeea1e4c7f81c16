"""`nhipso reconcile`: everything counted over from the facts."""

import asyncio
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from services.chassis.clock import SystemClock
from services.cli.area_argument import AreasOption
from services.cli.care import Bars, rules_in_force, told
from services.cli.catalogue_argument import PresentCatalogueOption
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption
from services.cli.exits import OK, USAGE, WRONG, CommandError
from services.cli.servers import PostgresFileOption, PostgresOption, database
from services.cli.terminal import answers

if TYPE_CHECKING:
    from services.scoring.care.reconciling import Findings, Reconciled


def reconcile(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    postgres: PostgresOption = None,
    postgres_file: PostgresFileOption = None,
    catalogue: PresentCatalogueOption = None,
    areas: AreasOption = None,
    first: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many differences of each sort to name.")
    ] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON, for scripts.")
    ] = False,
) -> None:
    """Count everything over from the facts, and compare.

    Each subject is evaluated anew and held against what it has been counted as, the sums of the
    subjects against the counters, and the counters against the figures of every unit up to the
    province. Scoring may run meanwhile; nothing is changed. Exit code 0: no difference, 1: there
    are some, and the first are named; `nhipso rebuild` puts them right.

    Example: nhipso reconcile --first 50
    """
    # Heavy, and no other command needs it.
    from services.scoring.care.reconciling import reconcile as count_over  # noqa: PLC0415

    dsn = database(endpoints, postgres, postgres_file)
    rules = rules_in_force(dsn, catalogue, areas)
    with told(), Bars() as bars:
        done = asyncio.run(count_over(dsn, rules, SystemClock(), bars.hear, most=first))
    if done.elsewhere and not done.shards:
        raise CommandError(
            "scoring counts under other rules than these; name the folders that it uses with "
            "--catalogue and --areas",
            USAGE,
        )
    if as_json:
        sys.stdout.write(json.dumps(asdict(done), ensure_ascii=False) + "\n")
    else:
        _show(answers(), done)
    raise typer.Exit(WRONG if done.differences or done.elsewhere else OK)


def _show(console: Console, done: "Reconciled") -> None:
    console.print(f"{done.subjects:,} subjects in {done.shards:,} shards counted over")
    _list(console, "subjects counted as what they are not", done.wrong_subjects)
    _list(console, "counters that are not the sum of their subjects", done.wrong_counters)
    _list(console, "figures that are not the sum of their counters", done.wrong_figures)
    if done.elsewhere:
        console.print(
            f"{done.elsewhere:,} shards are still counted under other rules and were left out;"
            " try again once scoring has taken up these"
        )
    if not done.differences:
        console.print("no difference")


def _list(console: Console, what: str, found: "Findings") -> None:
    if not found.count:
        return
    console.print(f"{found.count:,} {what}:")
    for says in found.first:
        console.print(f"  {says}", soft_wrap=True)
    if found.count > len(found.first):
        console.print(f"  and {found.count - len(found.first):,} more")
