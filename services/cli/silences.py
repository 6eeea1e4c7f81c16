"""`nhipso silences`: what is not told for a while, because somebody knows why."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.areas import Areas
from contracts.times import LOCAL_ZONE, format_rfc3339, local_day
from services.cli.alerts import Severity, TokenOption
from services.cli.area_argument import AreasOption, find_area, known_areas
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, UNREACHABLE, USAGE, CommandError
from services.cli.moments import local_time
from services.cli.reading import delete, get_json, post_json
from services.cli.terminal import answers, remarks

_STYLES: Final = {"active": "yellow", "ahead": "cyan", "ended": "dim"}

silences = typer.Typer(
    name="silences", no_args_is_help=True, help="Keep alerts quiet for a while, and see which are."
)


class State(StrEnum):
    """States of a silence, as notifier names them."""

    AHEAD = "ahead"
    ACTIVE = "active"
    ENDED = "ended"
    ALL = "all"


@silences.command(epilog=EPILOG)
def add(
    *,
    until: Annotated[
        str,
        typer.Option(
            metavar="MOMENT", help="When it ends: 2026-12-31 (with that day) or 2026-12-31T17:00."
        ),
    ],
    comment: Annotated[str, typer.Option(metavar="TEXT", help="Why.")],
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="MOMENT", help="When it begins; without it, now."),
    ] = None,
    area: Annotated[
        str | None,
        typer.Option(metavar="AREA", help="This unit and all below: area id, code or name."),
    ] = None,
    indicator: Annotated[str | None, typer.Option(metavar="ID", help="This indicator.")] = None,
    indicator_set: Annotated[
        str | None, typer.Option("--set", metavar="SET", help="This set of indicators.")
    ] = None,
    severity: Annotated[Severity | None, typer.Option(help="Alerts as grave as this.")] = None,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    token: TokenOption = None,
) -> None:
    """Keep alerts quiet for a while: those that fit all that is given. Prints the silence's id.

    Example: nhipso silences add --area 04252 --until 2026-12-05 --comment "Storm"
    """
    stack = read_endpoints(endpoints)
    matchers: dict[str, str] = {}
    if area is not None:
        today = local_day(datetime.now(UTC))
        matchers["area"] = find_area(area, known_areas(areas), today).area_id
    for name, value in (("indicator", indicator), ("set", indicator_set), ("severity", severity)):
        if value is not None:
            matchers[name] = str(value)
    if not matchers:
        raise CommandError("say what: --area, --indicator, --set or --severity", USAGE)
    body = {
        "matchers": matchers,
        "starts_at": None if since is None else format_rfc3339(_moment(since)),
        "ends_at": format_rfc3339(_moment(until, is_end=True)),
        "comment": comment,
    }
    url = f"{stack.url('notifier')}/v1/silences"
    answer = asyncio.run(post_json(url, body, token=token or stack.token("operator")))
    typer.echo(answer["id"])


@silences.command("list", epilog=EPILOG)
def list_silences(
    *,
    state: Annotated[State, typer.Option(help="Only silences in this state.")] = State.ACTIVE,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    token: TokenOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print notifier's answer as it is, for scripts.")
    ] = False,
) -> None:
    """Show silences, those that end last first.

    Example: nhipso silences list --state all
    """
    stack = read_endpoints(endpoints)
    url = f"{stack.url('notifier')}/v1/silences"
    parameters = {} if state is State.ALL else {"state": state.value}
    answer = asyncio.run(
        get_json(url, token=token or stack.token("operator"), parameters=parameters)
    )
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    if not isinstance(answer, dict) or not isinstance(answer.get("silences"), list):
        raise CommandError(f"{url} did not answer with a list of silences", UNREACHABLE)
    console = answers()
    if not answer["silences"]:
        console.print("no silences" if state is State.ALL else f"no {state.value} silences")
        return
    console.print(_table(answer["silences"], known_areas(areas)))


@silences.command(epilog=EPILOG)
def end(
    *,
    silence: Annotated[UUID, typer.Argument(metavar="ID", help="As `list` names it.")],
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    token: TokenOption = None,
) -> None:
    """End a silence now.

    Example: nhipso silences end 6f0f6d1a-5f0b-4d0e-9f39-0c4c4f1c2a11
    """
    stack = read_endpoints(endpoints)
    url = f"{stack.url('notifier')}/v1/silences/{silence}"
    asyncio.run(delete(url, token=token or stack.token("operator")))
    remarks().print("ended")


def _table(found: list[dict[str, Any]], areas: Areas) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("What", "State", "From", "Until", "Comment", "By", "Id"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Id")
    for one in found:
        matchers = {name: value for name, value in one["matchers"].items() if value is not None}
        if (unit := areas.get(str(matchers.get("area")))) is not None:
            matchers["area"] = f"{unit.name} ({unit.area_id})"
        state = str(one["state"])
        table.add_row(
            ", ".join(f"{name} {value}" for name, value in matchers.items()),
            Text(state, style=_STYLES.get(state, "")),
            local_time(one["starts_at"], "minutes") or "–",
            local_time(one["ended_at"] or one["ends_at"], "minutes") or "–",
            one["comment"],
            one["created_by"],
            one["id"],
        )
    return table


def _moment(text: str, *, is_end: bool = False) -> datetime:
    """A day or a moment as it is written, local unless it has an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text!r} is no moment; write 2026-12-31 or 2026-12-31T17:00", USAGE
        ) from None
    if len(text) == len("2026-12-31") and is_end:
        moment += timedelta(days=1)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=LOCAL_ZONE)
