"""An invented JSON API over real HTTP, with every style of paging and with faults."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from contracts.times import parse_rfc3339
from services.chassis.clock import Clock, SystemClock
from services.chassis.settings import KafkaSettings
from services.ingest.connectors.connector import Cursor, Page, Surroundings
from services.ingest.connectors.rest.config import RestConfig
from services.ingest.connectors.rest.connector import RestConnector, open_connector
from services.ingest.core.pseudonyms import Pseudonymiser
from tests.integration.ingest.connectors.conformance import citizen, new_source

Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAPPING = {
    "events": [
        {
            "type": "vn.nhipso.health.record-changed.v1",
            "id": "{id}-{version}",
            "subject": "citizen:{/patient/cccd}",
            "time": {"field": "changed", "form": "rfc3339"},
            "data": {"active": {"field": "active"}},
        }
    ]
}

STYLES: Mapping[str, Mapping[str, Any]] = {
    "none": {"style": "none"},
    "next-link": {"style": "next-link", "pointer": "/links/next"},
    "link-header": {"style": "link-header"},
    "page": {"style": "page", "size": 10, "size_parameter": "size"},
    "offset": {"style": "offset", "size": 10},
    "cursor": {"style": "cursor", "parameter": "after", "pointer": "/next"},
}


def record(number: int, changed: str = "2026-03-01T08:30:00+07:00") -> dict[str, Any]:
    """An invented record about the citizen of a number."""
    return {
        "id": f"r{number}",
        "version": 1,
        "patient": {"cccd": citizen(number)},
        "active": True,
        "changed": changed,
        "diagnosis": "not ours",
    }


@dataclass
class JsonApi:
    """What it has, what was asked of it, and which faults come next."""

    records: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)
    tokens: int = 0
    lasts: float = 3_600
    valid: str | None = None
    url: str = ""
    secret: str = "sesame"

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        pair = base64.b64encode(f"ingest:{self.secret}".encode()).decode()
        basic = request.headers.get("Authorization") == f"Basic {pair}"
        if not (basic or form.get("client_secret") == self.secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        assert form["grant_type"] == "client_credentials"
        self.tokens += 1
        self.valid = f"token-{self.tokens}"
        return web.json_response({"access_token": self.valid, "expires_in": self.lasts})

    async def list(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.faults:
            return await self.faults.pop(0)(request)
        if self.valid and request.headers.get("Authorization") != f"Bearer {self.valid}":
            return web.Response(status=401)
        return self.page(request)

    def page(self, request: web.Request) -> web.Response:
        query = request.query
        since = parse_rfc3339(query["since"]) if "since" in query else None
        found = [
            one for one in self.records if since is None or parse_rfc3339(one["changed"]) >= since
        ]
        size = int(query.get("size") or query.get("limit") or 10)
        start = int(query.get("offset") or 0) or (int(query.get("page") or 1) - 1) * size
        token = query.get("after")
        if token:
            start = int(json.loads(base64.b64decode(token))["n"])
        if query.get("all"):
            start, size = 0, len(found)
        more = start + size < len(found)
        # Like many an API: where the next page begins can be read in the token.
        last = {"n": start + size, "last": found[start + size - 1]["patient"]} if more else {}
        after = base64.b64encode(json.dumps(last).encode()).decode() if more else None
        following = str(request.rel_url.update_query(after=after)) if after else None
        headers = {"Link": f'<{following}>; rel="next"'} if following else {}
        body = {"items": found[start : start + size], "next": after, "links": {"next": following}}
        return web.json_response(body, headers=headers)


@asynccontextmanager
async def serving(api: JsonApi, tls: ssl.SSLContext | None = None) -> AsyncIterator[JsonApi]:
    app = web.Application()
    app.router.add_get("/records", api.list)
    app.router.add_post("/token", api.token)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        api.url = f"https://localhost:{port}" if tls else f"http://{host}:{port}"
        yield api
    finally:
        await runner.cleanup()


def config_of(api: JsonApi, style: str = "cursor", **changes: Any) -> RestConfig:
    return RestConfig.model_validate(
        {
            "url": f"{api.url}/records",
            "parameters": {"all": "yes"} if style == "none" else {},
            "records": "/items",
            "watermark": {"parameter": "since", "field": "changed", "form": "rfc3339"},
            "paging": STYLES[style],
            "mapping": MAPPING,
            "timeout_seconds": 5,
            **changes,
        }
    )


def surroundings(clock: Clock | None = None) -> Surroundings:
    return Surroundings(
        name="under-test",
        source="urn:nhipso:source:ehr",
        domains=frozenset({"health"}),
        kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        pool=None,
        pseudonymiser=Pseudonymiser(bytes(32)),
        clock=clock or SystemClock(),
    )


@dataclass
class Reading:
    """A connector, and where it stands: what the pipeline keeps."""

    connector: RestConnector
    cursor: Cursor | None = None

    async def page(self) -> Page:
        page = await self.connector.read(self.cursor)
        self.cursor = json.loads(json.dumps(page.cursor))
        return page

    async def ids(self) -> list[str]:
        """The ids of everything that is new, page by page."""
        found = []
        is_last = False
        while not is_last:
            page = await self.page()
            for one in page.records:
                found += [event["id"] for event in self.connector.map(one.original)]
            is_last = page.is_last
        return found


@asynccontextmanager
async def reading(config: RestConfig, clock: Clock | None = None) -> AsyncIterator[Reading]:
    connector = await open_connector(config, surroundings(clock))
    try:
        yield Reading(connector)
    finally:
        await connector.close()


def answering(status: int, **headers: str) -> Fault:
    async def fault(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, text="somebody's 001099000001")

    return fault


def saying(text: str) -> Fault:
    async def fault(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type="application/json")

    return fault


async def half(request: web.Request) -> web.StreamResponse:
    """Breaks off in the middle of the body."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"items": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def slow(_: web.Request) -> web.StreamResponse:
    """Answers long after anybody waits for it."""
    await asyncio.sleep(60)
    return web.Response()


@dataclass
class Records:
    """The API as a ground of the conformance suite."""

    api: JsonApi
    folder: Path
    style: str
    kind: str = "rest"
    domains: Sequence[str] = ("health",)
    source: str = field(default_factory=new_source)

    @property
    def config(self) -> Mapping[str, Any]:
        (self.folder / "client.secret").write_text(self.api.secret, encoding="utf-8")
        return config_of(
            self.api,
            self.style,
            access={
                "kind": "oauth2",
                "token_url": f"{self.api.url}/token",
                "client_id": "ingest",
                "client_secret_file": str(self.folder / "client.secret"),
            },
        ).model_dump(mode="json", exclude_unset=True) | {"mapping": MAPPING}

    async def add(self, numbers: Iterable[int]) -> None:
        self.api.records += [record(number) for number in numbers]

    async def add_bad(self, count: int) -> None:
        self.api.records += [
            {**record(number), "patient": {"cccd": None}} for number in range(1_000, 1_000 + count)
        ]
