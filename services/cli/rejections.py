"""`nhipso rejections`: what was refused, why, and what to do with it."""

import asyncio
import json
from collections import Counter
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.sources import SOURCE_PREFIX
from services.cli import rejection_calls as calls
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, OK, USAGE, WRONG, CommandError
from services.cli.moments import local_time
from services.cli.reading import get_json, post_json
from services.cli.rejection_filter import (
    ConnectorOption,
    EventIdOption,
    FromOption,
    ReasonOption,
    SourceOption,
    StageOption,
    State,
    ToOption,
    TypeOption,
    ViaOption,
    Wanted,
)
from services.cli.terminal import answers, remarks

_SHOWN_REASONS: Final = 10
_STYLES: Final = {"open": "yellow", "accepted": "green", "dismissed": "dim"}

rejections = typer.Typer(
    name="rejections", no_args_is_help=True, help="See what was refused, and work on it."
)

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print ingest's answer as it is, for scripts.")
]
StateOption = Annotated[State, typer.Option(help="Only in this state.")]
IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Rejections, as `list` names them.")
]


@rejections.command("list", epilog=EPILOG)
def list_rejections(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    source: SourceOption = None,
    reason: ReasonOption = None,
    state: StateOption = State.OPEN,
    event_type: TypeOption = None,
    stage: StageOption = None,
    via: ViaOption = None,
    connector: ConnectorOption = None,
    event_id: EventIdOption = None,
    since: FromOption = None,
    until: ToOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many, the newest.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show what was refused, the newest first.

    Example: nhipso rejections list --source hospital --reason bad-data
    """
    stack = read_endpoints(endpoints)
    wanted = Wanted(source, reason, event_type, stage, via, connector, event_id, since, until)
    found = asyncio.run(calls.listed(stack, wanted.parameters(state), limit))
    if as_json:
        typer.echo(json.dumps({"rejections": found}, ensure_ascii=False, indent=2))
        return
    console = answers()
    if not found:
        console.print("no rejections" if state is State.ALL else f"no {state.value} rejections")
        return
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Id", no_wrap=True)
    table.add_column("Refused", no_wrap=True)
    for heading in ("Source", "Reason", "Detail", "From", "State"):
        table.add_column(heading, overflow="fold")
    table.add_column("Tries", justify="right")
    for one in found:
        table.add_row(
            one["id"],
            local_time(one["rejected_at"], "minutes") or "–",
            str(one["source"] or "–").removeprefix(SOURCE_PREFIX),
            one["reason"],
            one["detail"],
            _origin(one["origin"]),
            Text(one["state"], _STYLES.get(one["state"], "")),
            f"{one['attempts']:,}",
        )
    console.print(table)
    console.print(f"{len(found):,} shown; nhipso rejections counts tells of all")


@rejections.command(epilog=EPILOG)
def counts(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    source: SourceOption = None,
    reason: ReasonOption = None,
    state: StateOption = State.OPEN,
    event_type: TypeOption = None,
    stage: StageOption = None,
    via: ViaOption = None,
    connector: ConnectorOption = None,
    event_id: EventIdOption = None,
    since: FromOption = None,
    until: ToOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how much was refused, by source and reason.

    Example: nhipso rejections counts --from 2026-11-01
    """
    stack = read_endpoints(endpoints)
    wanted = Wanted(source, reason, event_type, stage, via, connector, event_id, since, until)
    answer = asyncio.run(calls.counts(stack, wanted.parameters(state)))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    table = Table("Source", "Reason", "State", box=box.SIMPLE_HEAD)
    table.add_column("Rejections", justify="right")
    for one in answer["counts"]:
        name = one["source"].removeprefix(SOURCE_PREFIX)
        table.add_row(name, one["reason"], one["state"], f"{one['count']:,}")
    console = answers()
    if answer["counts"]:
        console.print(table)
    console.print(f"{answer['total']:,} rejections")


@rejections.command(epilog=EPILOG)
def show(
    *,
    rejection: Annotated[str, typer.Argument(metavar="ID", help="As `list` names it.")],
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    as_json: JsonOption = False,
) -> None:
    """Show one rejection: its original, masked, and what has been done with it.

    Example: nhipso rejections show 6f0f6d1a-5f0b-4d0e-9f39-0c4c4f1c2a11
    """
    stack = read_endpoints(endpoints)
    url = f"{stack.url('ingest')}/v1/rejections/{calls.part(rejection)}"
    one = asyncio.run(get_json(url, token=stack.token("operator")))
    if as_json:
        typer.echo(json.dumps(one, ensure_ascii=False, indent=2))
        return
    console = answers()
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("Refused", f"{local_time(one['rejected_at'], 'seconds')} by {one['stage']}")
    table.add_row("Reason", f"{one['reason']}: {one['detail']}")
    if one["first_reason"] != one["reason"]:
        table.add_row("At first", one["first_reason"])
    table.add_row("State", Text(one["state"], _STYLES.get(one["state"], "")))
    for label, name in (("Source", "source"), ("Caller", "caller"), ("Type", "event_type")):
        table.add_row(label, str(one[name] or "–"))
    table.add_row("Event id", str(one["event_id"] or "–"))
    table.add_row("From", _origin(one["origin"]))
    table.add_row("Original", f"{one['original_bytes']:,} bytes")
    for work in one["works"]:
        told = ": ".join(part for part in (work["reason"], work["note"]) if part)
        when = local_time(work["done_at"], "seconds")
        table.add_row(str(when), f"{work['outcome']} ({work['done_by']}) {told}")
    console.print(table)
    if one["original"] is None:
        console.print(f"The original is not shown: {one['original_hidden']}")
    else:
        console.print(json.dumps(one["original"], ensure_ascii=False, indent=2))


@rejections.command(epilog=EPILOG)
def retry(
    *,
    ids: IdsArgument = None,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    source: SourceOption = None,
    reason: ReasonOption = None,
    event_type: TypeOption = None,
    stage: StageOption = None,
    via: ViaOption = None,
    connector: ConnectorOption = None,
    event_id: EventIdOption = None,
    since: FromOption = None,
    until: ToOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take rejections again, as their senders: those named, or all open ones that fit.

    Records of connectors go through the mapping as it is now. Taking something twice is harmless.
    Exit code 0: all accepted, 1: some refused again or not retried.

    Example: nhipso rejections retry --connector outbox --reason bad-data
    """
    stack = read_endpoints(endpoints)
    wanted = Wanted(source, reason, event_type, stage, via, connector, event_id, since, until)
    parameters = wanted.parameters()
    if sum((bool(ids), bool(parameters), everything)) != 1:
        raise CommandError("name rejections, or say which with options, or give --all", USAGE)
    results = asyncio.run(
        calls.retry_named(stack, ids) if ids else calls.retry_matching(stack, parameters)
    )
    outcomes = Counter(one["outcome"] for one in results)
    if as_json:
        typer.echo(json.dumps({"results": results}, ensure_ascii=False, indent=2))
    else:
        _tell(answers(), results, outcomes)
    raise typer.Exit(OK if outcomes["accepted"] == len(results) else WRONG)


@rejections.command(epilog=EPILOG)
def dismiss(
    *,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `list` names them.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why they need no more work.")],
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
) -> None:
    """Say of rejections that they need no more work, and why.

    Example: nhipso rejections dismiss 6f0f6d1a-5f0b-4d0e-9f39-0c4c4f1c2a11 --note "test data"
    """
    stack = read_endpoints(endpoints)
    for one in ids:
        url = f"{stack.url('ingest')}/v1/rejections/{calls.part(one)}/dismissal"
        asyncio.run(post_json(url, {"note": note}, token=stack.token("operator")))
    remarks().print(f"{len(ids):,} dismissed")


def _tell(console: Console, results: list[dict[str, Any]], outcomes: Counter[str]) -> None:
    whys = Counter(
        (one["outcome"], one["reason"] or "–", one["detail"])
        for one in results
        if one["outcome"] != "accepted"
    )
    if whys:
        table = Table("Outcome", "Reason", "Detail", box=box.SIMPLE_HEAD)
        table.add_column("Rejections", justify="right")
        for (outcome, reason, detail), count in whys.most_common(_SHOWN_REASONS):
            table.add_row(outcome, reason, detail, f"{count:,}")
        console.print(table)
    if len(whys) > _SHOWN_REASONS:
        console.print(f"… and {len(whys) - _SHOWN_REASONS:,} more reasons; --json has them all")
    told = ", ".join(
        f"{outcomes[outcome]:,} {words}"
        for outcome, words in (
            ("accepted", "accepted"),
            ("refused", "refused again"),
            ("impossible", "cannot be retried"),
        )
    )
    console.print(told)


def _origin(origin: dict[str, Any]) -> str:
    """Where it came from: ``connector outbox, row 7``."""
    if origin["via"] == "connector":
        return f"connector {origin['connector']}, {origin['place']}"
    if origin["via"] == "file":
        return f"{origin['file']}, line {origin['line']}"
    if origin["via"] == "topic":
        return f"{origin['topic']}, partition {origin['partition']}, offset {origin['offset']}"
    return f"HTTP, {origin['mode']}, place {origin['index']}"
