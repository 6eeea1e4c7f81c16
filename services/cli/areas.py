"""`nhipso areas`: the administrative units, and what a reform would change."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.areas import AREAS_FILE, LINEAGE_FILE, Area, AreasError
from contracts.areas.checking import problems
from contracts.areas.reading import rows
from contracts.areas.reforms import Change, Kind, changes, rewritten
from contracts.times import local_day
from services.cli.area_argument import AreasOption, known_areas
from services.cli.exits import EPILOG, OK, USAGE, WRONG, CommandError
from services.cli.terminal import answers

areas = typer.Typer(no_args_is_help=True, help="Administrative units, and reforms of them.")

_STYLES = {Kind.ENDED: "yellow", Kind.REUSED: "cyan", Kind.CORRECTED: "dim"}
_LONGEST = 8  # units named in one cell


@areas.callback()
def _areas() -> None:
    """Keep `check` a subcommand as long as it is the only one."""


@areas.command(epilog=EPILOG)
def check(
    *,
    file: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help=f"The new {AREAS_FILE} and {LINEAGE_FILE}, or the folder that holds both.",
            show_default=False,
        ),
    ],
    present: AreasOption = None,
) -> None:
    """Check new files of units, and show what the reform in them would do.

    Compares them with the units in force (the folder that the services read, or those that ship)
    and says by day which units merge, split, are renamed, founded or end, and which codes are used
    again. Nothing is changed. Exit code 1: the files must not be used, the reasons are listed.

    Example: nhipso areas check reform-2027/
    """
    known = known_areas(present)
    areas_csv, lineage_csv = _files(file)
    try:
        units, lineage = rows(areas_csv, lineage_csv)
    except AreasError as error:
        raise CommandError(str(error), USAGE) from None
    found = changes(known, known.lineage, units, lineage)
    wrong = [*rewritten(known, units), *problems(units, lineage)]
    console = answers()
    if found:
        console.print(_table(found))
        for line in _communes(units, found, local_day(datetime.now(UTC))):
            console.print(line)
    else:
        console.print("these are the units in force: nothing would change")
    for line in wrong:
        console.print(Text("wrong: ", "red").append(Text(line, "default")), soft_wrap=True)
    raise typer.Exit(WRONG if wrong else OK)


def _files(given: Sequence[Path]) -> tuple[Path, Path]:
    match given:
        case [folder] if folder.is_dir():
            return folder / AREAS_FILE, folder / LINEAGE_FILE
        case [areas_csv]:
            return areas_csv, areas_csv.with_name(LINEAGE_FILE)
        case [areas_csv, lineage_csv]:
            return areas_csv, lineage_csv
    raise CommandError(f"give {AREAS_FILE} and {LINEAGE_FILE}, or their folder", USAGE)


def _table(found: Sequence[Change]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("From", no_wrap=True)
    table.add_column("What", no_wrap=True)
    for heading in ("Units", "Become", "Residents and figures go to"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(
            "–" if one.on is None else one.on.isoformat(),
            Text(one.kind.value, style=_STYLES.get(one.kind, "")),
            _named(one.before),
            _named(one.after) + (f" ({one.note})" if one.note else ""),
            _residents(one),
        )
    return table


def _named(units: Sequence[Area]) -> str:
    if not units:
        return "–"
    names = [f"{area.name} ({area.area_id})" for area in units[:_LONGEST]]
    rest = len(units) - _LONGEST
    return ", ".join(names) + (f" and {rest} more" if rest > 0 else "")


def _residents(one: Change) -> str:
    if one.heir is not None:
        return one.heir.area_id
    if one.kind is Kind.SPLIT:
        return "nobody named"
    if one.kind is Kind.REUSED:
        return "by the day of the event"
    if one.kind is Kind.ENDED and one.before[0].level == "commune":
        return "nowhere"
    return "–"


def _communes(units: Sequence[Area], found: Sequence[Change], today: date) -> list[str]:
    """How many communes there are before and from each day on, and how far away the day is."""

    def count(day: date) -> int:
        return sum(area.level == "commune" and area.is_valid(day) for area in units)

    lines = []
    for day in sorted({one.on for one in found if one.on is not None}):
        away = (day - today).days
        when = f"in {away} days" if away > 0 else "today" if away == 0 else "in the past"
        before = count(day - timedelta(days=1)) if day > date.min else 0
        lines.append(f"{day} ({when}): {before:,} communes before, {count(day):,} from then on")
    return lines
