"""`nhipso digests`: what units, agencies and leaders are told by the week and the month."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from contracts.times import local_day
from services.cli.area_argument import AreasOption, find_area, known_areas
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, UNREACHABLE, USAGE, CommandError
from services.cli.moments import local_time
from services.cli.reading import get_bytes, get_json, post_json
from services.cli.terminal import answers, remarks

#: All digests of a province are written before notifier answers.
_WRITING_SECONDS = 120.0

digests = typer.Typer(
    name="digests", no_args_is_help=True, help="See the digests of weeks and months, and send one."
)

AreaOption = Annotated[
    str | None,
    typer.Option(metavar="AREA", help="Only this unit: area id, commune code or name."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print notifier's answer as it is, for scripts.")
]


class Language(StrEnum):
    """In which language a digest is shown."""

    VI = "vi"
    EN = "en"


class Cadence(StrEnum):
    """How often a digest goes out, as notifier names it."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


@digests.command("list", epilog=EPILOG)
def list_digests(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    cadence: Annotated[Cadence | None, typer.Option(help="Only these.")] = None,
    area: AreaOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show so many, the newest.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show which digests were written, the newest first, and how their deliveries stand.

    Example: nhipso digests list --cadence monthly
    """
    stack = read_endpoints(endpoints)
    parameters = {"limit": str(limit)}
    if cadence is not None:
        parameters["cadence"] = cadence.value
    if area is not None:
        parameters["area"] = _area(area, areas)
    url = f"{stack.url('notifier')}/v1/digests"
    answer = asyncio.run(get_json(url, token=stack.token("operator"), parameters=parameters))
    found = answer.get("digests") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise CommandError(f"{url} did not answer with a list of digests", UNREACHABLE)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    console = answers()
    if not found:
        console.print("no digests")
        return
    console.print(_table(found))
    console.print(f"{len(found):,} digests")


@digests.command("show", epilog=EPILOG)
def show_digest(
    digest: Annotated[str, typer.Argument(metavar="ID", help="As `list` names it.")],
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    workbook: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the workbook (XLSX) of a digest for leaders."),
    ] = None,
    pdf: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the pages (PDF) of a digest for leaders."),
    ] = None,
    language: Annotated[Language, typer.Option(help="Put it into words of it.")] = Language.VI,
    as_json: JsonOption = False,
) -> None:
    """Show what one digest says.

    Example: nhipso digests show 6f2778df-d8c2-5f3b-b686-71ef66dc7d9b --pdf month.pdf
    """
    stack = read_endpoints(endpoints)
    token = stack.token("operator")
    url = f"{stack.url('notifier')}/v1/digests/{_part(digest)}"
    for form, name, file in (("pdf", "PDF", pdf), ("workbook", "workbook", workbook)):
        if file is not None:
            _save(file, f"{url}/{form}?language={language.value}", token)
            remarks().print(f"the {name} is in {file}")
    answer = asyncio.run(get_json(url, token=token, parameters={"language": language.value}))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
        raise CommandError(f"{url} did not answer with a digest", UNREACHABLE)
    answers().print(f"{answer.get('subject', '')}\n\n{answer['text']}", end="")


@digests.command("send", epilog=EPILOG)
def send_digests(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    now: Annotated[
        bool, typer.Option("--now", help="Yes, write them now and send them to their receivers.")
    ] = False,
    cadence: Annotated[
        Cadence, typer.Option(help="To those who get them so often.")
    ] = Cadence.WEEKLY,
    area: AreaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write digests of the period that ends today and send them, at most one a day to each.

    They go out by themselves when their week or month has ended; this is for one more, for example
    to see whether it arrives.

    Example: nhipso digests send --now --area 02647
    """
    if not now:
        raise CommandError(
            "digests go out by themselves; add --now to write and send some at once", USAGE
        )
    stack = read_endpoints(endpoints)
    body = {"cadence": cadence.value}
    if area is not None:
        body["area"] = _area(area, areas)
    url = f"{stack.url('notifier')}/v1/digests"
    answer = asyncio.run(
        post_json(url, body, token=stack.token("operator"), seconds=_WRITING_SECONDS)
    )
    written = answer.get("written") if isinstance(answer, dict) else None
    if not isinstance(written, list):
        raise CommandError(f"{url} did not answer with what it has written", UNREACHABLE)
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    console = answers()
    if len(written) == 1:
        console.print(f"one digest is on its way: {written[0]}")
    elif written:
        console.print(
            f"{len(written):,} digests are on their way (nhipso digests list; with --json, their"
            " ids)"
        )
    else:
        console.print(
            "nothing is written: nobody subscribes, there is nothing to say, or it is there"
            " since today (nhipso digests list)"
        )


def _save(file: Path, url: str, token: str) -> None:
    content = asyncio.run(get_bytes(url, token=token))
    try:
        file.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}", USAGE) from None


def _area(text: str, folder: Path | None) -> str:
    return find_area(text, known_areas(folder), local_day(datetime.now(UTC))).area_id


def _whom(one: dict[str, Any]) -> str:
    """``unit``, ``leaders``, or which agency."""
    form = str(one.get("form"))
    return str(one.get("audience")).replace(":", " ") if form == "agency" else form


def _part(digest: str) -> str:
    if not digest or not all(sign.isalnum() or sign == "-" for sign in digest):
        raise CommandError("this is no id of a digest; nhipso digests list shows them", USAGE)
    return digest


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Id", "Unit", "For", "Period", "Written", "Deliveries", "Asked by"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Id")
    for one in found:
        sent = Counter(str(delivery.get("state")) for delivery in one.get("deliveries", []))
        table.add_row(
            str(one.get("id")),
            f"{one.get('area_name')} ({one.get('area')})",
            _whom(one),
            f"{one.get('cadence')} {one.get('period')}",
            local_time(one.get("written_at"), "minutes") or "–",
            ", ".join(f"{number} {state}" for state, number in sorted(sent.items())) or "–",
            str(one.get("asked_by") or "–"),
        )
    return table
