"""`nhipso receivers`: how those fare who are told, and whether a new one works."""

import asyncio
import json
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.times import parse_rfc3339
from services.cli.alerts import TokenOption
from services.cli.endpoints import DEFAULT_ENDPOINTS, EndpointsOption, read_endpoints
from services.cli.exits import EPILOG, UNREACHABLE, CommandError
from services.cli.moments import local_time
from services.cli.reading import get_json, post_json
from services.cli.terminal import answers, remarks

_LOOK_SECONDS: Final = 0.5
_STYLES: Final = {"disabled": "bold red", "failing": "yellow", "well": "green", "new": "dim"}

receivers = typer.Typer(
    name="receivers",
    no_args_is_help=True,
    help="See how those fare who are told, and try one.",
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As `list` names it.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print notifier's answer as it is, for scripts.")
]


@receivers.command("list", epilog=EPILOG)
def list_receivers(
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how receivers fare, those that need a hand first.

    Example: nhipso receivers list
    """
    stack = read_endpoints(endpoints)
    url = f"{stack.url('notifier')}/v1/receivers"
    answer = asyncio.run(get_json(url, token=token or stack.token("operator")))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    found = _listed(answer, url)
    console = answers()
    if not found:
        console.print("no receivers")
        return
    console.print(_table(found))
    console.print(f"{len(found):,} receivers")


@receivers.command(epilog=EPILOG)
def enable(
    name: NameArgument,
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    token: TokenOption = None,
) -> None:
    """Send again to a receiver that had said that it wants no more.

    Example: nhipso receivers enable webhook:example.vn#1f2e3d4c
    """
    stack = read_endpoints(endpoints)
    url = f"{stack.url('notifier')}/v1/receivers/enable"
    asyncio.run(post_json(url, {"name": name}, token=token or stack.token("operator")))
    remarks().print("enabled; `nhipso receivers test` shows whether it works")


@receivers.command("test", epilog=EPILOG)
def try_receiver(
    name: NameArgument,
    *,
    endpoints: EndpointsOption = DEFAULT_ENDPOINTS,
    token: TokenOption = None,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="So long for how it goes.")
    ] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Send a receiver a message that says that it is a test, and tell how it went.

    It goes the way of all others: logged first, tried again under the same id. No alert is made.
    The exit code is 0 when the receiver has taken it.

    Example: nhipso receivers test email:ubnd@laocai.example.vn
    """
    stack = read_endpoints(endpoints)
    base, known = stack.url("notifier"), token or stack.token("operator")
    answer = asyncio.run(_tried(base, name, known, wait))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    if answer.get("state") == "delivered":
        if not as_json:
            answers().print(f"{name} has taken the test; see that it can be read there")
        return
    reason = answer.get("last_error") or "it has not been tried yet"
    what = "was refused" if answer.get("state") == "failed" else "still waits and is tried again"
    raise CommandError(
        f"the test of {name} {what}: {reason} (attempts: {answer.get('attempts', 0)}, delivery "
        f"{answer.get('id')}); `nhipso receivers list` shows how the receiver fares",
        UNREACHABLE,
    )


async def _tried(base: str, name: str, token: str, seconds: float) -> dict[str, Any]:
    """Have a test sent, and look at its delivery until it was tried, at most so long."""
    begun = await post_json(f"{base}/v1/receivers/test", {"name": name}, token=token)
    try:
        url = f"{base}/v1/deliveries/{UUID(begun['delivery'])}"
        asked_at = parse_rfc3339(begun["asked_at"])
    except (KeyError, TypeError, ValueError):
        raise CommandError(f"{base} did not answer with a delivery", UNREACHABLE) from None
    answer = await get_json(url, token=token)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not _is_tried(answer, asked_at):
                await asyncio.sleep(_LOOK_SECONDS)
                answer = await get_json(url, token=token)
    return dict(answer)


def _is_tried(delivery: dict[str, Any], asked_at: datetime) -> bool:
    """Whether it was tried since: then it is over, or its next attempt lies ahead."""
    following = delivery.get("next_attempt_at")
    return following is None or parse_rfc3339(following) > asked_at


def _listed(answer: Any, url: str) -> list[dict[str, Any]]:
    found = answer.get("receivers") if isinstance(answer, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise CommandError(f"{url} did not answer with a list of receivers", UNREACHABLE)
    return found


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Receiver", "For", "State", "Since", "Waiting", "Last tried", "Last error"):
        table.add_column(
            heading,
            overflow="fold",
            no_wrap=heading == "Receiver",  # it is copied for `enable` and `test`
            justify="right" if heading == "Waiting" else "left",
        )
    for one in found:
        state, since = _state(one)
        table.add_row(
            str(one.get("name")),
            ", ".join(map(str, one.get("audiences") or ())) or "–",
            Text(state, style=_STYLES[state]),
            local_time(since, "minutes") or "–",
            f"{one.get('waiting', 0):,}",
            local_time(one.get("served_at"), "minutes") or "–",
            str(one.get("disabled_reason") or one.get("last_error") or "–"),
        )
    return table


def _state(one: dict[str, Any]) -> tuple[str, Any]:
    """How it fares in a word, and since when."""
    if one.get("disabled_at") is not None:
        return "disabled", one["disabled_at"]
    if one.get("failing_since") is not None:
        return "failing", one["failing_since"]
    return ("new", None) if one.get("served_at") is None else ("well", None)
