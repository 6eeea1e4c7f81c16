"""`nhipso rules check`: are the rules of judgement sound, and what would they have done?"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from contracts import holidays
from contracts.areas import Area, Areas
from contracts.catalogue import Catalogue
from contracts.holidays import HolidaysError
from contracts.times import local_day
from services.cli.area_argument import AreasOption, find_area, known_areas
from services.cli.catalogue_argument import CatalogueOption, known_catalogue
from services.cli.endpoints import DEFAULT_ENDPOINTS, Endpoints, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, OK, UNREACHABLE, USAGE, CommandError
from services.cli.fired_table import as_json, table
from services.cli.reading import get_json
from services.cli.terminal import answers, remarks
from services.notifier.core.figure import FigureKey, is_judged
from services.notifier.core.judging import Criteria
from services.notifier.core.replay import Compared, Day, compare, replay
from services.notifier.rules import Rules, RulesError, read, shipped

rules = typer.Typer(help="The rules by which units are judged.", no_args_is_help=True)

_AT_ONCE: Final = 8
#: So many days before the first one are judged as well, so that waits and trends have begun.
_LEAD: Final = timedelta(days=63)

Judged = Mapping[FigureKey, Criteria]


@rules.callback()
def _rules() -> None:
    """Keep `check` a command of its own, also while it is the only one."""


@rules.command(epilog=EPILOG)
def check(
    *,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="The rules; those in force without it.", show_default=False
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="NHIPSO_NOTIFIER__RULES_FILE",
            help="The rules in force; those that ship with the notifier without it.",
            show_default=False,
        ),
    ] = None,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    catalogue: CatalogueOption = None,
    holidays_file: Annotated[
        Path | None,
        typer.Option(
            "--holidays",
            metavar="FILE",
            envvar="NHIPSO_NOTIFIER__HOLIDAYS_FILE",
            help="The public holidays; those that ship without it.",
            show_default=False,
        ),
    ] = None,
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
    is_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, for scripts.")] = False,
) -> None:
    """Check a file of rules, and show what would have fired with it.

    A mistake is told with the rule and the field. Then the days that scoring keeps are judged one
    after the other, as if these rules had been in force: an alert has fired from one day to
    another, or still fires. Beside another file than the one in force it says what is new, changed
    or gone. History does not say when sources were silent, so all days count as fresh.

    Example: nhipso rules check rules.yaml --area 04252 --days 30
    """
    known, indicators = known_areas(areas), known_catalogue(catalogue)
    in_force = against or shipped()
    path = file or in_force
    checked = _read(path, indicators, known)
    before = None if _is_one(path, in_force) else _read(in_force, indicators, known)
    if indicator is not None and indicator not in indicators.by_id:
        raise CommandError(f"there is no indicator {indicator}", USAGE)
    today = local_day(datetime.now(UTC))
    units = [find_area(area, known, today)] if area is not None else known.on(today)
    remarked = [*_ended(checked, known, today), *_without_holidays(holidays_file, today)]
    for remark in remarked:
        remarks().print(f"note: {remark}")
    said: dict[str, Any] = {"rules": str(path), "notes": remarked}
    if not history:
        typer.echo(json.dumps(said) if is_json else f"{path} holds")
        raise typer.Exit(OK)
    judged = dict(_judged(units, indicators, checked, indicator))
    judged_before = {} if before is None else dict(_judged(units, indicators, before, indicator))
    since = today - timedelta(days=days - 1)
    found, known_since = asyncio.run(
        _found(read_endpoints(endpoints), judged, judged_before, since, today)
    )
    if is_json:
        said |= {"from": since.isoformat(), "to": today.isoformat()}
        said["known_since"] = None if known_since is None else known_since.isoformat()
        said["against"] = None if before is None else str(in_force)
        said |= as_json(found, is_compared=before is not None)
        typer.echo(json.dumps(said, indent=2))
        raise typer.Exit(OK)
    console = answers()
    console.print(f"{path} holds")
    shown = found if before is None else [one for one in found if one.change != "same"]
    if shown:
        console.print(table(shown, known, indicators, is_compared=before is not None))
    fired = [one.alert for one in found if one.change != "gone"]
    told = len({(one.area, one.indicator) for one in fired})
    console.print(
        f"alerts that would have fired from {since} to {today}: {len(fired):,}, "
        f"about {told:,} of {len(judged):,} figures"
    )
    if known_since is None:
        console.print("scoring knows no day of them yet, so nothing could fire")
    elif known_since > since:
        console.print(f"scoring knows their days from {known_since} on, none before")
    if before is not None:
        changes = Counter(one.change for one in found)
        console.print(
            f"beside {in_force}: {changes['new']:,} new, {changes['changed']:,} changed, "
            f"{changes['gone']:,} gone, {changes['same']:,} the same"
        )


def _read(path: Path, catalogue: Catalogue, areas: Areas) -> Rules:
    try:
        return read(path, catalogue=catalogue, areas=areas)
    except RulesError as error:
        raise CommandError(str(error), USAGE) from None


def _is_one(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve()


def _ended(checked: Rules, areas: Areas, today: date) -> list[str]:
    """Rules that do nothing (any more): the unit does not exist today."""
    return [
        f"units.{unit}: {areas[unit].name} does not exist today, so its rules do nothing"
        for unit in sorted(checked.units)
        if not areas[unit].is_valid(today)
    ]


def _without_holidays(file: Path | None, today: date) -> list[str]:
    try:
        missing = holidays.load(file).missing(today)
    except HolidaysError as error:
        raise CommandError(str(error), USAGE) from None
    return [
        f"the public holidays of {year} are not known, so letters go out on them; add them to a "
        "file and name it in NHIPSO_NOTIFIER__HOLIDAYS_FILE"
        for year in missing
    ]


def _judged(
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


async def _found(
    stack: Endpoints, judged: Judged, before: Judged, since: date, today: date
) -> tuple[list[Compared], date | None]:
    """What would have fired on one of the days, beside what fires by the rules in force.

    And the first day that scoring knows.
    """
    gate = asyncio.Semaphore(_AT_ONCE)
    first: list[date] = []

    async def of_one(key: FigureKey) -> list[Compared]:
        async with gate:
            days = await _days(stack, key, since - _LEAD, today)
        first.extend(day.on for day in days[:1])
        after, former = (
            [
                one
                for one in (replay(key, days, by[key]) if key in by else [])
                if one.until is None or one.until >= since
            ]
            for by in (judged, before)
        )
        return compare(former, after)

    each = await asyncio.gather(*map(of_one, dict.fromkeys([*judged, *before])))
    return [one for found in each for one in found], min(first, default=None)


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
