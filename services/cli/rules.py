"""`nhipso rules check`: are the rules of judgement sound, and what would they have done?"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.areas import Area, Areas
from contracts.catalogue import Catalogue
from contracts.times import local_day
from services.cli.area_argument import AreasOption, find_area, known_areas
from services.cli.catalogue_argument import CatalogueOption, known_catalogue
from services.cli.endpoints import DEFAULT_ENDPOINTS, Endpoints, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, OK, UNREACHABLE, USAGE, CommandError
from services.cli.reading import get_json
from services.cli.terminal import answers
from services.notifier.core.figure import FigureKey, is_judged
from services.notifier.core.judging import Criteria
from services.notifier.core.replay import Day, Fired, replay
from services.notifier.rules import Rules, RulesError, read, shipped

rules = typer.Typer(help="The rules by which units are judged.", no_args_is_help=True)

_STYLES: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_AT_ONCE: Final = 8
#: So many days before the first one are judged as well, so that waits and trends have begun.
_LEAD: Final = timedelta(days=63)


@rules.callback()
def _rules() -> None:
    """Keep `check` a command of its own, also while it is the only one."""


@rules.command(epilog=EPILOG)
def check(
    *,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            envvar="NHIPSO_NOTIFIER__RULES_FILE",
            help="The rules; those that ship with the notifier without it.",
            show_default=False,
        ),
    ] = None,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    catalogue: CatalogueOption = None,
    area: Annotated[
        str | None,
        typer.Option(
            metavar="AREA", help="Only this unit: area id, commune code or name; all without it."
        ),
    ] = None,
    indicator: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this indicator, such as ds.smartphone.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=730, help="How many days back.")] = 90,
    history: Annotated[
        bool, typer.Option(help="Ask scoring for the days; --no-history reads the file alone.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, for scripts.")] = False,
) -> None:
    """Check a file of rules, and show what would have fired with it.

    A mistake is told with the rule and the field. Then the days that scoring keeps are judged one
    after the other, as if these rules had been in force: an alert has fired from one day to
    another, or still fires. History does not say when sources were silent, so all days count as
    fresh.

    Example: nhipso rules check rules.yaml --area 04252 --days 30
    """
    known, indicators = known_areas(areas), known_catalogue(catalogue)
    path = file or shipped()
    try:
        in_force = read(path, catalogue=indicators, areas=known)
    except RulesError as error:
        raise CommandError(str(error), USAGE) from None
    if indicator is not None and indicator not in indicators.by_id:
        raise CommandError(f"there is no indicator {indicator}", USAGE)
    today = local_day(datetime.now(UTC))
    units = [find_area(area, known, today)] if area is not None else known.on(today)
    if not history:
        typer.echo(json.dumps({"rules": str(path)}) if as_json else f"{path} holds")
        raise typer.Exit(OK)
    wanted = list(_wanted(units, indicators, in_force, indicator))
    since = today - timedelta(days=days - 1)
    fired = asyncio.run(_fired(read_endpoints(endpoints), wanted, since, today))
    if as_json:
        said = {"rules": str(path), "from": since.isoformat(), "to": today.isoformat()}
        typer.echo(json.dumps(said | {"fired": [_as_json(one) for one in fired]}, indent=2))
        raise typer.Exit(OK)
    console = answers()
    console.print(f"{path} holds")
    if fired:
        console.print(_table(fired, known, indicators))
    told = len({(one.area, one.indicator) for one in fired})
    console.print(
        f"{len(fired):,} alerts would have fired from {since} to {today}, "
        f"of {told:,} among {len(wanted):,} figures"
    )


def _wanted(
    units: Iterable[Area], catalogue: Catalogue, in_force: Rules, indicator: str | None
) -> Iterable[tuple[FigureKey, Criteria]]:
    """The figures that are judged, and by what."""
    for unit in units:
        for one in catalogue:
            if indicator is not None and one.id != indicator:
                continue
            key = FigureKey(unit.area_id, one.id, "reported" if one.is_reported_only else "events")
            aims = in_force.aims(one, unit)
            if is_judged(one, key.basis, aims):
                rule = in_force.rule(one.id, unit.area_id)
                yield key, Criteria(one, unit.level, aims, rule)


async def _fired(
    stack: Endpoints, wanted: Sequence[tuple[FigureKey, Criteria]], since: date, today: date
) -> list[Fired]:
    """What would have fired on one of the days, by unit and indicator."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def of_one(key: FigureKey, criteria: Criteria) -> list[Fired]:
        async with gate:
            days = await _days(stack, key, since - _LEAD, today)
        found = replay(key, days, criteria)
        return [one for one in found if one.until is None or one.until >= since]

    each = await asyncio.gather(*(of_one(key, criteria) for key, criteria in wanted))
    return [one for found in each for one in found]


async def _days(stack: Endpoints, key: FigureKey, first: date, last: date) -> list[Day]:
    path = f"/v1/areas/{key.area}/indicators/{key.indicator}/history"
    url = stack.url("scoring") + path
    span = {"from": first.isoformat(), "to": last.isoformat()}
    answer = await get_json(url, token=stack.token("operator"), parameters=span)
    try:
        return [_day(point) for point in answer["points"]]
    except (KeyError, TypeError, ValueError):
        raise CommandError(f"{url} did not answer as the wire contract says", UNREACHABLE) from None


def _day(point: dict[str, Any]) -> Day:
    value = point["value"]
    return Day(
        on=date.fromisoformat(point["day"]),
        numerator=point["numerator"],
        denominator=point["denominator"],
        value=None if value is None else Decimal(str(value)),
    )


def _table(fired: Sequence[Fired], areas: Areas, catalogue: Catalogue) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Unit", "Indicator"):
        table.add_column(heading, overflow="fold")
    for heading in ("From", "To", "Severity", "Reason"):
        table.add_column(heading, no_wrap=True)
    for one in fired:
        unit = areas[one.area]
        table.add_row(
            f"{unit.name} ({unit.area_id})",
            f"{one.indicator} {catalogue.by_id[one.indicator].name.vi}",
            one.since.isoformat(),
            "still fires" if one.until is None else one.until.isoformat(),
            Text(one.severity, style=_STYLES[one.severity]),
            one.reason.value,
        )
    return table


def _as_json(one: Fired) -> dict[str, Any]:
    return {
        "area": one.area,
        "indicator": one.indicator,
        "from": one.since.isoformat(),
        "to": None if one.until is None else one.until.isoformat(),
        "severity": one.severity,
        "reason": one.reason.value,
    }
