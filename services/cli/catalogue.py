"""`nhipso catalogue`: the rules that decide who counts, and what other rules would change."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.areas import Areas
from contracts.pace import percentage
from contracts.rule_changes import IndicatorChange, Kind
from services.chassis.clock import SystemClock
from services.cli.area_argument import AreasOption, known_areas
from services.cli.care import Bars, told
from services.cli.catalogue_argument import known_catalogue
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption
from services.cli.exits import EPILOG, OK
from services.cli.servers import PostgresFileOption, PostgresOption, database
from services.cli.terminal import answers

if TYPE_CHECKING:
    from services.scoring.care.differing import Difference, Differing, Share

catalogue = typer.Typer(no_args_is_help=True, help="The rules that decide who counts.")

_STYLES = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow"}


@catalogue.callback()
def _catalogue() -> None:
    """Keep `diff` a subcommand as long as it is the only one."""


@catalogue.command(epilog=EPILOG)
def diff(
    *,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="NEW_FOLDER",
            help="Holds the new rules.yaml and the sets.",
            show_default=False,
        ),
    ],
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    postgres: PostgresOption = None,
    postgres_file: PostgresFileOption = None,
    areas: AreasOption = None,
    by_unit: Annotated[
        bool, typer.Option("--by-unit", help="Also show each unit in which anybody gains or loses.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON, with all units, for scripts.")
    ] = False,
) -> None:
    """Tell what a new catalogue would change, before it is used.

    Evaluates everybody from the facts, under the catalogue that scoring counts under and under the
    new one, and tells how many would gain or lose each indicator, in its population and in its
    numerator. Scoring may run meanwhile; nothing is changed. A catalogue that must not be used on
    what is stored is refused with the reason.

    Example: nhipso catalogue diff catalogue-2027/ --by-unit
    """
    # Heavy, and no other command needs it.
    from services.scoring.care.differing import differ  # noqa: PLC0415

    new, units = known_catalogue(folder), known_areas(areas)
    dsn = database(endpoints, postgres, postgres_file)
    with told(), Bars() as bars:
        found = asyncio.run(differ(dsn, new, units, SystemClock(), bars.hear))
    if as_json:
        sys.stdout.write(json.dumps(asdict(found), ensure_ascii=False) + "\n")
    else:
        _show(answers(), found, units if by_unit else None)
    raise typer.Exit(OK)


def _show(console: Console, found: "Differing", units: Areas | None) -> None:
    if found.indicators:
        console.print(_said(found.indicators))
    for fact in found.empty_facts:
        console.print(
            f"{fact} is a new fact: nothing of it has been kept. It fills with events from then on, "
            "and with all of the past once `nhipso rebuild` has run under the new catalogue"
        )
    console.print(f"{found.subjects:,} subjects evaluated under both")
    if not found.totals:
        console.print("nobody would gain or lose anything")
        return
    console.print(_counted(found.totals, None))
    if units is not None:
        console.print(_counted(found.by_unit, units))


def _said(changes: Sequence[IndicatorChange]) -> Table:
    table = Table("Indicator", "", "What is said otherwise", box=box.SIMPLE_HEAD)
    for one in changes:
        table.add_row(one.indicator, Text(one.kind, _STYLES[one.kind]), "\n".join(one.says))
    return table


def _counted(rows: Sequence["Difference"], units: Areas | None) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    if units is not None:
        table.add_column("Unit")
    table.add_column("Indicator")
    headings = ("Numerator", "Gain", "Lose", "Population", "Gain", "Lose", "Value", "New value")
    for heading in headings:
        table.add_column(heading, justify="right")
    for one in rows:
        unit = [] if units is None else [_name(units, one.area_id)]
        table.add_row(
            *unit,
            one.indicator,
            f"{one.before.numerator:,} → {one.after.numerator:,}",
            _signed("+", one.gained.numerator),
            _signed("-", one.lost.numerator),
            f"{one.before.denominator:,} → {one.after.denominator:,}",
            _signed("+", one.gained.denominator),
            _signed("-", one.lost.denominator),
            _percent(one.before),
            _percent(one.after),
        )
    return table


def _name(units: Areas, area_id: str | None) -> str:
    unit = units.get(area_id or "")
    return str(area_id) if unit is None else f"{unit.name} ({unit.area_id})"


def _signed(sign: str, count: int) -> str:
    return f"{sign}{count:,}" if count else "–"


def _percent(share: "Share") -> str:
    value: Decimal | None = percentage(share.numerator, share.denominator)
    return "–" if value is None else f"{value} %"
