"""A FHIR server in this process that does what HAPI's plain server does not: odd pages, exports.

Its pages are cut from the present result at an offset, as careless servers do.
"""

import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from contracts.times import parse_rfc3339


@dataclass
class Spoken:
    """Resources and manners; a test changes them while it runs."""

    base: str = ""
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    sorts: bool = True
    claims_order: bool = True
    page_size: int = 3
    next_link: str | None = None
    token: str | None = None
    busy: Mapping[str, str] | None = None
    export_answers: list[int] = field(default_factory=list)
    file_base: str | None = None
    manifest: dict[str, Any] | None = None
    asked: list[web.BaseRequest] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)

    def put(self, *resources: Mapping[str, Any], updated: str) -> None:
        for one in resources:
            stored = dict(one) | {"meta": {"versionId": "1", "lastUpdated": updated}}
            self.resources.pop(f"{one['resourceType']}/{one['id']}", None)
            self.resources[f"{one['resourceType']}/{one['id']}"] = stored

    def searches(self, kind: str) -> list[Mapping[str, str]]:
        """What was asked of a type, each time."""
        return [one.query for one in self.asked if one.path == f"/fhir/{kind}"]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)
        path = request.path.removeprefix("/fhir/")
        if path == "token":
            self.forms.append({name: str(value) for name, value in (await request.post()).items()})
            return web.json_response({"access_token": self.token, "expires_in": 300})
        if self.busy is not None:
            return web.Response(status=429, headers=self.busy)
        if path.startswith("file/"):
            return self._file(path.removeprefix("file/"))
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        return await self._resource(path, request)

    async def _resource(self, path: str, request: web.BaseRequest) -> web.Response:
        if path.endswith("$export"):
            return web.Response(
                status=202,
                headers={"Content-Location": f"{self.base}/status/1", "Retry-After": "0"},
            )
        if path == "status/1":
            return self._status(request)
        if path.endswith("/_search"):
            form = {name: str(value) for name, value in (await request.post()).items()}
            self.forms.append(form)
            return self._bundle(path.removesuffix("/_search"), form, request)
        return self._bundle(path, dict(request.query), request)

    def _bundle(
        self, kind: str, query: Mapping[str, str], request: web.BaseRequest
    ) -> web.Response:
        found = [one for one in self.resources.values() if one["resourceType"] == kind]
        if "_id" in query:
            found = [one for one in found if one["id"] in query["_id"].split(",")]
        start = query.get("_lastUpdated", "").removeprefix("ge")
        if start:
            found = [one for one in found if _stamp(one) >= parse_rfc3339(start)]
        if self.sorts:
            found.sort(key=_stamp, reverse=query.get("_sort", "").startswith("-"))
        offset = int(query.get("_offset", "0"))
        size = min(self.page_size, int(query.get("_count", "20")))
        page = found[offset : offset + size]
        links = []
        if self.claims_order:
            links.append({"relation": "self", "url": str(request.url)})
        if offset + size < len(found):
            following = request.url.update_query(_offset=str(offset + size))
            links.append({"relation": "next", "url": self.next_link or str(following)})
        entries = [{"resource": one, "search": {"mode": "match"}} for one in page]
        entries.append({"resource": {"resourceType": "OperationOutcome"}})
        bundle = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
        return web.json_response(bundle, content_type="application/fhir+json")

    def _status(self, request: web.BaseRequest) -> web.Response:
        if request.method == "DELETE":
            return web.Response(status=202)
        status = self.export_answers.pop(0) if self.export_answers else 200
        if status != 200:
            return web.Response(status=status, headers={"Retry-After": "0"})
        kinds = {one["resourceType"] for one in self.resources.values()}
        files = [
            {"type": kind, "url": f"{self.file_base or self.base}/file/{kind}"}
            for kind in sorted(kinds)
        ]
        return web.json_response(
            {
                "transactionTime": "2026-03-01T00:00:00Z",
                "requiresAccessToken": True,
                "output": files,
                **(self.manifest or {}),
            }
        )

    def _file(self, kind: str) -> web.Response:
        lines = [json.dumps(one) for one in self.resources.values() if one["resourceType"] == kind]
        return web.Response(text="\n".join([*lines, ""]), content_type="application/fhir+ndjson")


@asynccontextmanager
async def serving(spoken: Spoken) -> AsyncIterator[Spoken]:
    """Serve on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    runner = web.ServerRunner(web.Server(spoken.answer))
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        spoken.base = f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"
        yield spoken
    finally:
        await runner.cleanup()


def _stamp(resource: Mapping[str, Any]) -> Any:
    return parse_rfc3339(resource["meta"]["lastUpdated"])
