"""The health check of containers: ready is 200, and everything else is said in one line."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from services.chassis import probe

ANSWERS = {"/ready": (200, b"{}"), "/busy": (503, b'{"checks": {"kafka": "away"}}')}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


def test_a_process_that_is_ready_passes(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main([f"{server}/ready"]) == 0
    assert capsys.readouterr().err == ""


def test_one_that_is_not_says_what_it_waits_for(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe.main([f"{server}/busy"]) == 1
    assert '503: {"checks": {"kafka": "away"}}' in capsys.readouterr().err


def test_nobody_there_is_not_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main(["http://127.0.0.1:1/readyz"]) == 1
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["127.0.0.1:8080/readyz", "https://127.0.0.1/readyz", "http://"])
def test_what_is_no_plain_http_url_is_refused(url: str) -> None:
    assert "no http:// URL" in str(probe.objection(url))


def test_without_a_url_the_use_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main([]) == 2
    assert "usage" in capsys.readouterr().err
