"""`nhipso alerts`: who lags behind the pace, and what their units say of it."""

import asyncio
import json
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.areas import Areas
from contracts.catalogue import Catalogue
from contracts.times import local_day
from services.cli.area_argument import AreasOption, find_area, known_areas
from services.cli.catalogue_argument import CatalogueOption, known_catalogue
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, OK, UNREACHABLE, USAGE, CommandError
from services.cli.moments import local_time
from services.cli.reading import get_json, post_json
from services.cli.terminal import answers, remarks

_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
#: An id is copied for `ack`, so it stands whole on a line of its own.
_ID_WIDTH = 36
#: A narrower terminal shows fewer columns.
_WIDE = 120

alerts = typer.Typer(name="alerts", invoke_without_command=True, epilog=EPILOG)

TokenOption = Annotated[
    str | None,
    typer.Option(envvar="NHIPSO_TOKEN", help="A token to use instead of the operator's."),
]


class State(StrEnum):
    """States of an alert, as notifier names them."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    ALL = "all"


class Severity(StrEnum):
    """How grave an alert is, as notifier names it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@alerts.callback()
def list_alerts(
    context: typer.Context,
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    catalogue: CatalogueOption = None,
    state: Annotated[State, typer.Option(help="Only alerts in this state.")] = State.FIRING,
    area: Annotated[
        str | None,
        typer.Option(metavar="AREA", help="Only this unit: area id, commune code or name."),
    ] = None,
    indicator: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this indicator, such as ds.smartphone.")
    ] = None,
    severity: Annotated[Severity | None, typer.Option(help="Only alerts as grave as this.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print notifier's answer as it is, for scripts.")
    ] = False,
) -> None:
    """Show who lags behind the pace, and by how much.

    An alert is of one unit and one indicator. It is pending until the lag has lasted, then firing
    until the unit has caught up, then resolved.

    Example: nhipso alerts --area 04252
    """
    if context.invoked_subcommand is not None:
        return
    stack = read_endpoints(endpoints)
    known, rules = known_areas(areas), known_catalogue(catalogue)
    parameters = {} if state is State.ALL else {"state": state.value}
    if area is not None:
        unit = find_area(area, known, local_day(datetime.now(UTC)))
        parameters["area"] = unit.area_id
    if indicator is not None:
        parameters["indicator"] = indicator
    if severity is not None:
        parameters["severity"] = severity.value
    url = f"{stack.url('notifier')}/v1/alerts"
    answer = asyncio.run(get_json(url, token=stack.token("operator"), parameters=parameters))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        raise typer.Exit(OK)
    found = _listed(answer, url)
    console = answers()
    if not found:
        console.print("no alerts" if state is State.ALL else f"no {state.value} alerts")
        return
    console.print(_table(found, known, rules, wide=console.width >= _WIDE))
    total = answer.get("total", len(found)) if isinstance(answer, dict) else len(found)
    more = f" of {total:,}" if total > len(found) else ""
    console.print(f"{len(found):,}{more} alerts")


@alerts.command("ack", epilog=EPILOG)
def acknowledge(
    *,
    alert: Annotated[UUID, typer.Argument(metavar="ID", help="As `nhipso alerts` names it.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What is being done.")],
    by: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="The day by which it will be done, as 2026-12-31."),
    ] = None,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    token: TokenOption = None,
) -> None:
    """Say that an alert is seen, what is being done, and by when.

    Up to the promised day the unit is not told of it again. If the alert still fires afterwards,
    the promise is broken, and the unit is told anew.

    Example: nhipso alerts ack 6f0f6d1a-5f0b-4d0e-9f39-0c4c4f1c2a11 --note "Training" --by 2026-12-31
    """
    stack = read_endpoints(endpoints)
    url = f"{stack.url('notifier')}/v1/alerts/{alert}/acknowledgement"
    body = {"note": note, "promised_on": None if by is None else _day(by).isoformat()}
    asyncio.run(post_json(url, body, token=token or stack.token("operator")))
    promise = "" if by is None else f"; quiet until {by} has passed"
    remarks().print(f"acknowledged{promise}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no day; write it as 2026-12-31", USAGE) from None


def _listed(answer: Any, url: str) -> list[dict[str, Any]]:
    found = answer.get("alerts") if isinstance(answer, dict) else answer
    if not isinstance(found, list) or not all(isinstance(alert, dict) for alert in found):
        raise CommandError(f"{url} did not answer with a list of alerts", UNREACHABLE)
    return found


def _table(found: list[dict[str, Any]], areas: Areas, catalogue: Catalogue, *, wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Unit", overflow="fold")
    table.add_column("Indicator, id of the alert", overflow="fold", min_width=_ID_WIDTH)
    for heading in ("State", "Severity") if wide else ("Severity",):
        table.add_column(heading, no_wrap=True)
    for heading in ("Value", "Pace", "Missing") if wide else ("Value",):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("Since", no_wrap=True)
    for alert in found:
        unit = areas.get(str(alert.get("area")))
        known = catalogue.by_id.get(str(alert.get("indicator")))
        severity = str(alert.get("severity") or "–")
        name = f"{known.id} {known.name.vi}" if known is not None else str(alert.get("indicator"))
        cells: list[str | Text] = [
            f"{unit.name} ({unit.area_id})" if unit is not None else str(alert.get("area")),
            f"{name}\n{alert.get('id') or alert.get('alert') or '–'}",
            *([str(alert.get("state") or "–")] if wide else []),
            Text(severity, style=_STYLES.get(severity, "")),
            _percent(alert.get("value")),
        ]
        if wide:
            missing = alert.get("gap_people")
            cells += [
                _percent(alert.get("pace")),
                "–" if missing is None else f"{int(missing):,}",
                local_time(alert.get("opened_at"), "minutes") or "–",
            ]
        table.add_row(*cells)
    return table


def _percent(value: Any) -> str:
    return "–" if value is None else f"{float(value):.2f} %"
