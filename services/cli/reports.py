"""`nhipso reports`: forms of units' reports, sending them, and what was sent."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.times import local_day
from services.cli import report_calls as calls
from services.cli.area_argument import AreasOption, find_area, known_areas
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, USAGE, WRONG, CommandError
from services.cli.moments import local_time
from services.cli.reading import get_json
from services.cli.terminal import answers

_AGENCY: Final = "agency:"
_MEDIA_TYPES: Final = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".json": "application/json",
}
_STYLES: Final = {"pending": "yellow", "accepted": "green", "refused": "red"}

reports = typer.Typer(
    name="reports", no_args_is_help=True, help="Fetch, send and list reports of units."
)


class Language(StrEnum):
    """In which language ingest says what is wrong."""

    VI = "vi"
    EN = "en"


LanguageOption = Annotated[
    Language, typer.Option("--lang", help="Say what is wrong in this language.")
]
TokenOption = Annotated[
    str | None, typer.Option(envvar="NHIPSO_TOKEN", help="A token to use instead of the stack's.")
]
AreaOption = Annotated[
    str | None,
    typer.Option(metavar="AREA", help="A unit (area id, code or name) or agency:<code>."),
]
PeriodOption = Annotated[
    str | None, typer.Option(metavar="PERIOD", help="2026-10, 2026-Q3, 2026-H1 or 2026.")
]


@reports.command(epilog=EPILOG)
def template(
    *,
    area: Annotated[
        str, typer.Argument(metavar="AREA", help="A unit (area id, code or name) or agency:<code>.")
    ],
    period: Annotated[
        str, typer.Argument(metavar="PERIOD", help="2026-10, 2026-Q3, 2026-H1 or 2026.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it here.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    token: TokenOption = None,
    language: LanguageOption = Language.VI,
) -> None:
    """Fetch the form of a unit and period as an XLSX workbook, to be filled in.

    What the unit has already reported for the period is filled in; earlier figures stand beside.

    Example: nhipso reports template 04252 2026-10
    """
    stack = read_endpoints(endpoints)
    name = _reporter(area, areas)
    path = out or Path(f"bao-cao-{name.replace(':', '-')}-{period}.xlsx")
    if path.exists() and not force:
        raise CommandError(f"{path} is there already; name another with --out, or give --force")
    used = calls.token_for(stack, name, token)
    content = asyncio.run(calls.fetch_form(stack, used, name, period, language))
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", USAGE) from None
    answers().print(f"{path}")


@reports.command(epilog=EPILOG)
def send(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The filled form, .csv or .json.")],
    area: AreaOption = None,
    period: PeriodOption = None,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    token: TokenOption = None,
    language: LanguageOption = Language.VI,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print ingest's answer as it is, for scripts.")
    ] = False,
) -> None:
    """Send a report: all of it is taken, or none, and every mistake is shown by its cell.

    The form and JSON say themselves whose report they are; for CSV give --area and --period.
    Sending the same file twice is harmless. Exit code 1: something is wrong with the report.

    Example: nhipso reports send bao-cao-2025-04252-2026-10.xlsx
    """
    media_type = _MEDIA_TYPES.get(file.suffix.lower())
    if media_type is None:
        raise CommandError(f"{file} must end in {', '.join(_MEDIA_TYPES)}")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}", USAGE) from None
    stack = read_endpoints(endpoints)
    name = None if area is None else _reporter(area, areas)
    parameters = {"area": name or "", "period": period or ""}
    sent = asyncio.run(
        calls.send_file(
            stack,
            calls.token_for(stack, name, token),
            content=content,
            media_type=media_type,
            parameters={key: value for key, value in parameters.items() if value},
            language=language,
        )
    )
    if as_json:
        typer.echo(json.dumps(sent.answer, ensure_ascii=False, indent=2))
    elif sent.is_taken:
        _show_taken(sent)
    else:
        _show_faults(sent)
    if not sent.is_taken:
        raise typer.Exit(WRONG)


@reports.command("list", epilog=EPILOG)
def list_reports(
    *,
    area: AreaOption = None,
    period: PeriodOption = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Show so many, the newest.")] = 50,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    areas: AreasOption = None,
    token: TokenOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print ingest's answer as it is, for scripts.")
    ] = False,
) -> None:
    """Show which reports were sent by whom and when, the newest first.

    Example: nhipso reports list --area 04252 --period 2026-10
    """
    stack = read_endpoints(endpoints)
    name = None if area is None else _reporter(area, areas)
    parameters = {"area": name or "", "period": period or "", "limit": str(limit)}
    answer = asyncio.run(
        get_json(
            f"{stack.url('ingest')}/v1/reports",
            token=calls.token_for(stack, name, token),
            parameters={key: value for key, value in parameters.items() if value},
        )
    )
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    found = answer["reports"]
    console = answers()
    if not found:
        console.print("no reports")
        return
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Unit", "Period", "Version", "State", "Sent", "By", "Id"):
        table.add_column(heading, justify="right" if heading == "Version" else "left")
    for one in found:
        table.add_row(
            one["area"],
            one["period"],
            str(one["version"]),
            Text(one["state"], _STYLES.get(one["state"], "")),
            local_time(one["submitted_at"], "minutes") or "–",
            f"{one['sub']} ({one['role']})",
            one["id"],
        )
    console.print(table)


def _reporter(text: str, areas: Path | None) -> str:
    """The name of a unit or agency as ingest knows it."""
    if text.startswith(_AGENCY):
        return text
    return find_area(text, known_areas(areas), local_day(datetime.now(UTC))).area_id


def _show_taken(sent: calls.Sent) -> None:
    answer = sent.answer
    changes = Counter(str(one["change"]) for one in answer["figures"])
    told = ", ".join(f"{count} {change}" for change, count in changes.most_common())
    how = "accepted as" if sent.is_new else "is already"
    answers().print(
        f"{answer['area']} {answer['period']}: {how} version {answer['version']} ({told})"
    )


def _show_faults(sent: calls.Sent) -> None:
    console = answers()
    table = Table(box=box.SIMPLE_HEAD, title=str(sent.answer.get("title")), title_justify="left")
    table.add_column("Cell", no_wrap=True)
    table.add_column("Indicator", no_wrap=True)
    table.add_column("What is wrong", overflow="fold")
    table.add_column("What to write", overflow="fold")
    for fault in sent.faults:
        table.add_row(*(_text(fault, key) for key in ("cell", "indicator", "message", "advice")))
    console.print(table)
    console.print(str(sent.answer.get("detail") or ""))


def _text(fault: dict[str, Any], key: str) -> str:
    return str(fault.get(key) or "–")
