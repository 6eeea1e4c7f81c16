"""`nhipso indicators`: where a unit stands, against the pace to its targets."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from contracts.areas import Area
from contracts.catalogue import Catalogue
from contracts.times import local_day
from services.cli.area_argument import AreasOption, find_area, known_areas
from services.cli.bar import WIDTH, pace_bar
from services.cli.catalogue_argument import CatalogueOption, known_catalogue
from services.cli.endpoints import DEFAULT_ENDPOINTS, Endpoints, EndpointsOption, read_endpoints
from services.cli.exits import OK, UNREACHABLE, CommandError
from services.cli.moments import local_time
from services.cli.reading import get_json
from services.cli.targets import Targets, read_targets
from services.cli.terminal import answers, remarks

PROVINCE: Final = "2025:15"
_UNKNOWN_SET: Final = "other"
#: What stands in place of a day, by the state of the projection.
_UNMET: Final = {"not-at-this-pace": "not at this pace", "too-short": "too early"}
#: What stands before a target that is not the province's.
_MARKS: Final = {"own": "own ", "national": "national "}
_WIDE: Final = 120  # columns of the terminal from which everything fits


class Language(StrEnum):
    """Of the indicators' names."""

    VI = "vi"
    EN = "en"


def indicators(
    *,
    area: Annotated[
        str,
        typer.Argument(
            metavar="[AREA]",
            help="An area id (2025:04252), a commune code (04252) or a name (yen bai);"
            " the province by default.",
            show_default=False,
        ),
    ] = PROVINCE,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    catalogue: CatalogueOption = None,
    lang: Annotated[Language, typer.Option(help="Language of the names.")] = Language.VI,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print scoring's answer, and what each figure is judged by, for scripts."
        ),
    ] = False,
    watch: Annotated[
        float | None,
        typer.Option(min=0.5, metavar="SECONDS", help="Show it again every so many seconds."),
    ] = None,
) -> None:
    """Show where the province or a commune stands.

    One row an indicator: the value and its bar, the pace (where it should be today to meet its
    target, the mark in the bar), the target, how many people are missing to the pace, and whether
    the figure is counted from events or reported by a unit. Where both are there, `Reported` is
    what the unit reported, with the points by which the events are above or below it.

    Targets are those that the unit is judged by: the province's, or `own` ones or `national` ones where
    the notifier has such rules. A line below names the others. While the notifier does not answer,
    all targets are the province's, and a line says so.

    Example: nhipso indicators 04252 --lang en --watch 2
    """
    stack = read_endpoints(endpoints)
    unit = find_area(area, known_areas(areas), local_day(datetime.now(UTC)))
    if as_json:
        answer, targets = asyncio.run(_fetch(stack, unit))
        if targets.warning is not None:
            remarks().print(targets.warning, soft_wrap=True)
        typer.echo(json.dumps(_with_targets(answer, targets), ensure_ascii=False, indent=2))
        raise typer.Exit(OK)
    console = answers()
    sheet = _Sheet(unit, known_catalogue(catalogue), lang, wide=console.width >= _WIDE)
    console.print(sheet.shown(*asyncio.run(_fetch(stack, unit))))
    if watch is not None:
        asyncio.run(_watch(stack, sheet, watch, console))


async def _fetch(stack: Endpoints, unit: Area) -> tuple[dict[str, Any], Targets]:
    url = f"{stack.url('scoring')}/v1/areas/{unit.area_id}/indicators"
    answer, targets = await asyncio.gather(
        get_json(url, token=stack.token("operator")), read_targets(stack, unit.area_id)
    )
    if not isinstance(answer, dict) or not isinstance(answer.get("indicators"), list):
        raise CommandError(f"{url} did not answer as the wire contract says", UNREACHABLE)
    return answer, targets


def _with_targets(answer: dict[str, Any], targets: Targets) -> dict[str, Any]:
    """Scoring's answer as it is, with what each figure is judged by, and who said so."""
    rows = [row | {"measured": targets.measured(row)} for row in answer["indicators"]]
    return answer | {"indicators": rows, "measured_by": targets.said_by}


async def _watch(stack: Endpoints, sheet: "_Sheet", seconds: float, console: Console) -> None:
    if not console.is_terminal:
        while True:
            await asyncio.sleep(seconds)
            console.print(sheet.shown(*await _fetch(stack, sheet.unit)))
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(sheet.shown(*await _fetch(stack, sheet.unit)), refresh=True)
            await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """How the figures of a unit are shown; a narrow terminal gets fewer columns."""

    unit: Area
    catalogue: Catalogue
    lang: Language
    wide: bool

    def shown(self, answer: dict[str, Any], targets: Targets) -> RenderableType:
        """All figures, a table a set, in the order of the catalogue."""
        order = {name: at for at, name in enumerate(self.catalogue.by_id)}
        rows = sorted(answer["indicators"], key=lambda row: order.get(row["id"], len(order)))
        as_of = local_time(answer.get("as_of")) or "now"
        heading = f"{self.unit.name} ({self.unit.area_id}), as of {as_of}"
        parts: list[RenderableType] = [Text(heading, style="bold")]
        if targets.warning is not None:
            parts.append(Text(targets.warning, style="yellow"))
        for name, of_set in groupby(rows, key=self._set_of):
            judged = [row | (targets.measured(row) or {}) for row in of_set]
            parts.append(self._table(name, judged))
        said = ((row["id"], targets.remark(row)) for row in rows)
        parts += [Text(f"{name}: {remark}") for name, remark in said if remark is not None]
        if not rows:
            parts.append(Text("no figures yet"))
        return Group(*parts)

    def _set_of(self, row: dict[str, Any]) -> str:
        known = self.catalogue.by_id.get(row["id"])
        return _UNKNOWN_SET if known is None else known.set

    def _table(self, name: str, rows: list[dict[str, Any]]) -> Table:
        table = Table(title=name, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        table.add_column("Id", no_wrap=True)
        table.add_column("Indicator", overflow="fold")
        table.add_column("Value", justify="right", no_wrap=True)
        table.add_column("┃ is the pace", no_wrap=True)
        for heading in ("Pace", "Target", "Missing", "Of")[: 4 if self.wide else 3]:
            table.add_column(heading, justify="right", no_wrap=True)
        if self.wide:
            table.add_column("On target", no_wrap=True)
            table.add_column("Basis", no_wrap=True)
            if any(row.get("reported") for row in rows):
                table.add_column("Reported", justify="right", no_wrap=True)
        for row in rows:
            # A row that has a cell more than the table has columns would get a column of its own.
            table.add_row(*self._cells(row)[: len(table.columns)])
        return table

    def _cells(self, row: dict[str, Any]) -> list[str | Text]:
        indicator = self.catalogue.by_id.get(row["id"])
        name = row["id"] if indicator is None else getattr(indicator.name, self.lang.value)
        percent = indicator is None or indicator.unit == "percent"
        value, pace = _decimal(row.get("value")), _decimal(row.get("pace"))
        width = WIDTH if self.wide else WIDTH // 2
        # A narrow terminal needs the room for names; the lines below the tables say it anyway.
        mark = _MARKS.get(row.get("aim", ""), "") if self.wide else ""
        cells: list[str | Text] = [
            row["id"],
            name,
            _figure(value, percent=percent),
            pace_bar(value, pace, width) if percent else Text("a quantity", style="dim"),
            _figure(pace, percent=percent),
            mark + _figure(_decimal(row.get("target")), percent=percent),
            _whole(row.get("gap_people")),
        ]
        if self.wide:
            cells += [_whole(row.get("denominator")), _projection(row), row.get("basis") or "–"]
            cells.append(_reported(row.get("reported"), percent=percent))
        return cells


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _figure(value: Decimal | None, *, percent: bool) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f} %" if percent else f"{value:,.2f}"


def _reported(said: dict[str, Any] | None, *, percent: bool) -> str:
    """What a unit reported of what events count, for which period, and how far events are off."""
    if not said or said.get("value") is None:
        return "–"
    value = _figure(_decimal(said["value"]), percent=percent)
    difference = _decimal(said.get("difference"))
    off = "" if difference is None else f" ({difference:+,.2f})"
    return f"{said.get('period')}: {value}{off}"


def _whole(value: Any) -> str:
    return "–" if value is None else f"{int(value):,}"


def _projection(row: dict[str, Any]) -> str:
    """When the target will be met at the present speed, as scoring projects it."""
    projected = row.get("projected_on")
    if projected is None:
        return _UNMET.get((row.get("projection") or {}).get("state", ""), "–")
    try:
        return date.fromisoformat(str(projected)[:10]).isoformat()
    except ValueError:
        return str(projected)
