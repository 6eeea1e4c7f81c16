"""`nhipso sources`: register sources, give them credentials, see how they fare."""

import asyncio
import json
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.sources import SOURCE_PREFIX
from services.cli.endpoints import DEFAULT_ENDPOINTS, Endpoints, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, UNREACHABLE, USAGE, CommandError
from services.cli.moments import local_time
from services.cli.reading import get_json, post_json
from services.cli.source_tokens import DaysOption, Issuing, OutOption, SigningKeyOption
from services.cli.terminal import answers, remarks

_DAYS: Final = 365

sources = typer.Typer(
    name="sources", no_args_is_help=True, help="Register sources and give them credentials."
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="hospital, or in full urn:nhipso:source:hospital.")
]


@sources.command(epilog=EPILOG)
def add(
    *,
    name: NameArgument,
    domain: Annotated[
        list[str],
        typer.Option("--domain", metavar="DOMAIN", help="What it may send; again for another."),
    ],
    source: Annotated[
        str | None,
        typer.Option(metavar="URI", help="What its events name, if not urn:nhipso:source:NAME."),
    ] = None,
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    contact: Annotated[str, typer.Option(help="An office to call when it is silent.")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Change a source that is there already.")
    ] = False,
    signing_key: SigningKeyOption = None,
    out: OutOption = None,
    days: DaysOption = _DAYS,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
) -> None:
    """Register a source at ingest, and issue its token.

    With a signing key (that of the stack that `nhipso up` runs is found by itself) the token is
    written or printed; without one, the claims that your identity provider must issue. Called
    again it changes nothing, and issues another token.

    Example: nhipso sources add hospital --domain health --title "Bệnh viện số 1" --out token
    """
    stack = read_endpoints(endpoints)
    issuing = Issuing(signing_key, endpoints, out, days)
    issuing.check()
    said = {
        "source": source or _full(name),
        "domains": sorted(set(domain)),
        "title": title,
        "contact": contact,
    }
    answer = asyncio.run(
        post_json(
            f"{stack.url('ingest')}/v1/sources",
            said,
            token=stack.token("operator"),
            parameters={"replace": "true"} if replace else None,
        )
    )
    registered = _one(answer)
    remarks().print(
        f"{registered['source']} is registered and may send {', '.join(registered['domains'])}"
    )
    issuing.issue(registered["source"], registered["domains"])


@sources.command("list", epilog=EPILOG)
def list_sources(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print ingest's answer as it is, for scripts.")
    ] = False,
) -> None:
    """Show the sources: what each may send, and how it fares.

    Also those that ingest's own connectors read, with the connector's name and kind, and those that
    are not registered and of which events came, as far as the process that answers has heard of them
    since its start.

    Example: nhipso sources list
    """
    stack = read_endpoints(endpoints)
    found = _listed(stack)
    if as_json:
        typer.echo(json.dumps({"sources": found}, ensure_ascii=False, indent=2))
        return
    console = answers()
    if not found:
        console.print("no sources are known; add one with nhipso sources add")
        return
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Source", "Domains", "Title", "Contact"):
        table.add_column(heading, overflow="fold")
    table.add_column("Latest event", no_wrap=True)
    table.add_column("Refused, open", justify="right")
    table.add_column("State")
    for one in found:
        table.add_row(
            "\n".join([str(one["source"]).removeprefix(SOURCE_PREFIX), *_read_by(one)]),
            _domains(one),
            str(one["title"] or "–"),
            str(one["contact"] or "–"),
            local_time(one["last_event_at"], "minutes") or "–",
            f"{one['open_rejections']:,}",
            Text("paused", "bold red") if one["paused"] else "–",
        )
    console.print(table)
    for one in found:
        if one["paused"]:
            console.print(str(one["paused"]))


@sources.command(epilog=EPILOG)
def token(
    *,
    name: NameArgument,
    signing_key: SigningKeyOption = None,
    out: OutOption = None,
    days: DaysOption = _DAYS,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
) -> None:
    """Issue the token of a registered source again.

    Earlier tokens stay good until they expire, unless the signing key is changed.

    Example: nhipso sources token hospital --out token
    """
    stack = read_endpoints(endpoints)
    issuing = Issuing(signing_key, endpoints, out, days)
    issuing.check()
    wanted = {name, _full(name)}
    for one in _listed(stack):
        if one["source"] in wanted and one["added_at"]:
            issuing.issue(one["source"], one["domains"])
            return
    raise CommandError(
        f"no source {_full(name)} is registered; add it with nhipso sources add", USAGE
    )


@sources.command(epilog=EPILOG)
def resume(*, name: NameArgument, endpoints: EndpointsOption = DEFAULT_ENDPOINTS) -> None:
    """Let a source go on that was paused because most of it was refused.

    Example: nhipso sources resume hospital
    """
    stack = read_endpoints(endpoints)
    source = quote(_full(name), safe="")
    url = f"{stack.url('ingest')}/v1/pauses/{source}/end"
    asyncio.run(post_json(url, None, token=stack.token("operator")))
    remarks().print(f"{_full(name)} may go on; it is counted anew")


def _read_by(source: dict[str, Any]) -> list[str]:
    return [f"connector {one['name']} ({one['kind']})" for one in source["connectors"]]


def _domains(source: dict[str, Any]) -> str:
    """What it may send: as registered, else as its connectors are configured."""
    if source["added_at"]:
        return ", ".join(source["domains"])
    read = {domain for one in source["connectors"] for domain in one["domains"]}
    return ", ".join(sorted(read)) or "not registered"


def _full(name: str) -> str:
    return name if ":" in name else SOURCE_PREFIX + name


def _listed(stack: Endpoints) -> list[dict[str, Any]]:
    url = f"{stack.url('ingest')}/v1/sources"
    answer = asyncio.run(get_json(url, token=stack.token("operator")))
    found = answer.get("sources") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise CommandError(f"{url} did not answer with a list of sources", UNREACHABLE)
    return [_one(one) for one in found]


def _one(answer: Any) -> dict[str, Any]:
    named = (
        "source",
        "domains",
        "title",
        "contact",
        "added_at",
        "last_event_at",
        "open_rejections",
        "paused",
        "connectors",
    )
    if not isinstance(answer, dict) or not all(name in answer for name in named):
        raise CommandError("ingest did not answer as agreed about a source", UNREACHABLE)
    return answer
