"""A stack of services that answers over HTTP as the wire contract says, from memory.

Stands in for ingest, scoring and notifier where a test is about the command alone. Every answer can
be replaced, and every request is kept.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

SOURCES = ("vneid", "dvc", "payments", "ehr", "telecom", "community", "registry", "report")


@dataclass(frozen=True)
class Answer:
    """What the stack says to one request."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What somebody asked."""

    path: str
    query: dict[str, str]
    token: str
    content_type: str
    body: bytes
    method: str = "GET"

    def events(self) -> list[Any]:
        """The events of a batch."""
        found = json.loads(self.body)
        assert isinstance(found, list)
        return found


def accept_all(request: Request) -> Answer:
    return Answer(202, {"accepted": len(request.events()), "rejected": []})


def refuse_marked(request: Request) -> Answer:
    """Refuse every event whose id begins with "bad"."""
    events = request.events()
    rejected = [
        {"index": index, "id": event["id"], "reason": "bad-data", "detail": "data.area: missing"}
        for index, event in enumerate(events)
        if str(event.get("id")).startswith("bad")
    ]
    accepted = len(events) - len(rejected)
    status = 202 if not rejected else 207 if accepted else 422
    return Answer(status, {"accepted": accepted, "rejected": rejected})


@dataclass
class FakeStack:
    """Answers by path; change `answers` to change what it says."""

    answers: dict[str, Callable[[Request], Answer]]
    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def received(self) -> list[Any]:
        """All events of all requests to ingest."""
        posts = [request for request in self.requests if request.path == "/v1/events"]
        return [event for request in posts for event in request.events()]

    def write_endpoints(self, file: Path) -> Path:
        """Write what `nhipso up` would."""
        tokens = {f"urn:nhipso:source:{name}": f"token-{name}" for name in SOURCES}
        tokens |= {"operator": "token-operator", "leader": "token-leader"}
        urls = dict.fromkeys(("ingest", "scoring", "notifier", "dashboard"), self.url)
        file.write_text(json.dumps({**urls, "tokens": tokens}), encoding="utf-8")
        return file


class _Handler(BaseHTTPRequestHandler):
    stack: FakeStack

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # named by http.server
        """Say nothing."""

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", "0"))
        request = Request(
            path=parts.path,
            query={name: values[0] for name, values in parse_qs(parts.query).items()},
            token=self.headers.get("Authorization", "").removeprefix("Bearer "),
            content_type=self.headers.get("Content-Type", ""),
            body=self.rfile.read(length),
            method=self.command,
        )
        with self.stack.lock:
            self.stack.requests.append(request)
            find = self.stack.answers.get(request.path)
            answer = find(request) if find is not None else Answer(404, {"title": "Not Found"})
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        body = text.encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815  # named by http.server


@contextmanager
def fake_stack(**answers: Callable[[Request], Answer]) -> Iterator[FakeStack]:
    """A running fake stack; `answers` are added by their path."""
    stack = FakeStack({"/v1/events": accept_all} | answers)
    handler = type("Handler", (_Handler,), {"stack": stack})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    stack.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield stack
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
