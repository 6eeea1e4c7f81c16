"""Finds a running stack: the file `endpoints.json` that `nhipso up` writes.

Source of its form: wire contract, "The embedded stack".
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from contracts.sources import SOURCE_PREFIX
from services.cli.exits import UNREACHABLE, USAGE, CommandError

DEFAULT_ENDPOINTS: Final = Path(".local/endpoints.json")
SERVICES: Final = ("ingest", "scoring", "notifier", "dashboard")
SERVERS: Final = ("kafka", "postgres")

EndpointsOption = Annotated[
    Path,
    typer.Option(
        "--endpoints",
        envvar="NHIPSO_ENDPOINTS",
        metavar="FILE",
        help="The running stack's endpoints.json (DIR/endpoints.json of `nhipso up`).",
        show_default=True,
    ),
]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs, tokens and process ids of a stack, and the addresses of its servers."""

    urls: dict[str, str]
    tokens: dict[str, str]
    file: Path
    servers: dict[str, str]
    pids: dict[str, int] = field(default_factory=dict)

    def server(self, name: str) -> str:
        """The address of ``kafka`` (host and port) or ``postgres`` (a URL with its password).

        Raises:
            CommandError: when the file does not name it.
        """
        try:
            return self.servers[name]
        except KeyError:
            raise CommandError(f"{self.file} names no address of {name}", USAGE) from None

    def url(self, service: str) -> str:
        """The base URL of a service.

        Raises:
            CommandError: when the file does not name it.
        """
        try:
            return self.urls[service].rstrip("/")
        except KeyError:
            raise CommandError(f"{self.file} names no address of {service}", USAGE) from None

    def token(self, name: str) -> str:
        """The token called `name`: a source, ``operator``, ``leader`` or ``unit:<area id>``.

        Raises:
            CommandError: when the file holds no such token.
        """
        try:
            return self.tokens[name]
        except KeyError:
            known = ", ".join(sorted(self.source_tokens())) or "none"
            raise CommandError(
                f"{self.file} holds no token for {name!r}; sources with a token: {known}", USAGE
            ) from None

    def source_tokens(self) -> dict[str, str]:
        """Source URN → its token."""
        return {name: t for name, t in self.tokens.items() if name.startswith(SOURCE_PREFIX)}


def read_endpoints(file: Path) -> Endpoints:
    """Read the file.

    Raises:
        CommandError: when it is not there (the stack does not run) or not what `up` writes.
    """
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CommandError(
            f"{file} is not there: start the stack with `nhipso up`, or name the file of a running"
            " one with --endpoints or NHIPSO_ENDPOINTS",
            UNREACHABLE,
        ) from None
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read: {error}", USAGE) from None
    tokens = content.get("tokens") if isinstance(content, dict) else None
    if not isinstance(tokens, dict):
        raise CommandError(f"{file} is not an endpoints.json of `nhipso up`", USAGE)
    urls = {name: content[name] for name in SERVICES if isinstance(content.get(name), str)}
    servers = {name: content[name] for name in SERVERS if isinstance(content.get(name), str)}
    said = content.get("pids")
    pids = {
        str(name): pid
        for name, pid in (said.items() if isinstance(said, dict) else ())
        if isinstance(pid, int)
    }
    return Endpoints(urls, {str(k): str(v) for k, v in tokens.items()}, file, servers, pids)
