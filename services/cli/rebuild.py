"""`nhipso rebuild`: the state of scoring anew from the topic."""

import asyncio
import json
import logging
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from services.chassis.clock import SystemClock
from services.cli.area_argument import AreasOption
from services.cli.care import Bars, differences_table, rules_in_force, told
from services.cli.catalogue_argument import PresentCatalogueOption
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption
from services.cli.exits import OK, WRONG
from services.cli.servers import BootstrapOption, PostgresFileOption, PostgresOption, servers
from services.cli.terminal import answers

if TYPE_CHECKING:
    from services.scoring.care.rebuilding import Rebuilt


def rebuild(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    bootstrap: BootstrapOption = None,
    postgres: PostgresOption = None,
    postgres_file: PostgresFileOption = None,
    catalogue: PresentCatalogueOption = None,
    areas: AreasOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would differ; switch nothing.")
    ] = False,
    incomplete: Annotated[
        bool,
        typer.Option(
            "--incomplete", help="Go on though the topic has lost its first records, without them."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON, for scripts.")
    ] = False,
) -> None:
    """Build the state of scoring anew from the topic, and switch to it.

    Reads `subject-events.v1` from its beginning into a fresh schema, then puts shard after shard in
    the place of what was there. Scoring may run meanwhile: a shard stands still for the moment of
    its switch. Figures keep their versions and their history; those that were wrong are put right
    and told. Exit code 0: nothing differed, 1: something did.

    Example: nhipso rebuild --dry-run
    """
    # Heavy, and no other command needs it.
    from services.scoring.care.rebuilding import Asked  # noqa: PLC0415
    from services.scoring.care.rebuilding import rebuild as build_anew  # noqa: PLC0415

    # That the fresh schema is migrated is nothing to tell.
    logging.getLogger("pogo_core").setLevel(logging.ERROR)
    at = servers(endpoints, bootstrap, postgres, postgres_file)
    asked = Asked(at.kafka, at.dsn, dry_run=dry_run, incomplete=incomplete)
    rules = rules_in_force(at.dsn, catalogue, areas)
    with told(), Bars() as bars:
        done = asyncio.run(build_anew(asked, rules, SystemClock(), bars.hear))
    if as_json:
        sys.stdout.write(json.dumps(asdict(done)) + "\n")
    else:
        _show(answers(), done, dry_run=dry_run)
    raise typer.Exit(WRONG if done.differences or done.reports else OK)


def _show(console: Console, done: "Rebuilt", *, dry_run: bool) -> None:
    what = "compared" if dry_run else "switched"
    console.print(f"{done.events:,} events read, {done.shards:,} shards {what}")
    if done.missing:
        console.print(f"{done.missing:,} offsets are missing: the topic no longer has those events")
    if done.differences:
        console.print(differences_table(done.differences, "Before", "From the topic"))
    else:
        console.print("no counter differs")
    if done.reports:
        console.print(f"{done.reports:,} reports were wrong and have been put right")
    if done.differences and done.behind:
        console.print(
            f"{done.behind:,} shards had not been taken through today by the service, so the day "
            "itself may have made differences; reconcile and rebuild again to be sure"
        )
