"""The whole stack in a process of its own: real Kafka and PostgreSQL, stand-ins for our services."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from deploy.embedded.layout import Ports
from deploy.embedded.ports import is_free

NAMES = ("kafka", "postgres", "ingest", "scoring", "notifier", "dashboard")

# Each service is replaced by a server that answers 200, so that the stack alone is looked at.
STARTER = """
import sys
from pathlib import Path
from deploy.embedded import services, stack

SERVER = '''
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
'''

class StandIn(services.Service):
    def __init__(self, name, layout, ports, *, demo, province):
        super().__init__(name, layout, ports, demo=demo, province=province)
        self.child.argv = [sys.executable, "-c", SERVER, str(ports.all()[name])]

stack.Service = StandIn
raise SystemExit(stack.run(Path(sys.argv[1]), int(sys.argv[2]), demo=False, report=lambda p: None))
"""


class Stack:
    """A running stack, seen from outside."""

    def __init__(self, directory: Path, base: int) -> None:
        self.file = directory / "endpoints.json"
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(STARTER), str(directory), str(base)]
        )

    def endpoints(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.file.read_text())
        return content

    def pids(self) -> dict[str, int]:
        pids: dict[str, int] = self.endpoints()["pids"]
        return pids

    def wait(self, seconds: float = 90) -> None:
        _until(lambda: self.file.exists() or self.process.poll() is not None, seconds)
        assert self.process.poll() is None, "the stack ended while it started"


@contextmanager
def _running(directory: Path, base: int) -> Iterator[Stack]:
    stack = Stack(directory, base)
    try:
        stack.wait()
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.process.terminate()
            stack.process.wait(60)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def base() -> int:
    """A base with eight free ports above it."""
    for base in range(20_000 + os.getpid() % 10_000, 60_000, 10):
        if all(is_free(port) for port in Ports(base).all().values()):
            return base
    raise AssertionError("no eight free ports in a row")


async def _committed(dsn: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()


async def test_from_the_first_start_to_the_second(tmp_path: Path, base: int) -> None:
    with _running(tmp_path, base) as stack:
        told = stack.endpoints()
        assert set(told) == {
            *("ingest", "scoring", "notifier", "dashboard"),
            *("kafka", "postgres", "pids", "tokens"),
        }
        assert set(told["pids"]) == set(NAMES)
        assert told["dashboard"] == f"http://127.0.0.1:{base}"
        assert {"operator", "leader", "unit:2025:04252"} < set(told["tokens"])
        assert stack.file.stat().st_mode & 0o777 == 0o600
        await _committed(told["postgres"], "CREATE TABLE kept AS SELECT 1 AS a")
        pids = stack.pids()

        stack.process.send_signal(signal.SIGINT)

        assert stack.process.wait(60) == 0
        assert all(_gone(pid) for pid in pids.values())
        assert not stack.file.exists()

    with _running(tmp_path, base) as stack:
        again = stack.endpoints()
        assert again["postgres"] == told["postgres"]
        assert [row["a"] for row in await _committed(again["postgres"], "TABLE kept")] == [1]


async def test_each_process_that_is_killed_comes_back_and_the_file_tells(
    tmp_path: Path, base: int
) -> None:
    with _running(tmp_path, base) as stack:
        for name in NAMES:
            before = stack.pids()[name]
            os.kill(before, signal.SIGKILL)
            _until(lambda name=name, old=before: stack.pids()[name] != old, 2)  # type: ignore[misc]
            assert psutil.pid_exists(stack.pids()[name])
        await _until_served(stack.endpoints()["postgres"])


async def _until_served(dsn: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            await _committed(dsn, "SELECT 1")
        except (OSError, asyncpg.CannotConnectNowError):
            assert time.monotonic() < deadline
            time.sleep(0.1)  # noqa: ASYNC251 - nothing else runs here
        else:
            return


def test_after_the_supervisor_was_killed_nothing_remains_and_a_new_one_goes_on(
    tmp_path: Path, base: int
) -> None:
    with _running(tmp_path, base) as stack:
        pids = stack.pids()
        stack.process.kill()
        stack.process.wait()
    stack.file.unlink()  # it tells of the dead; the next is written when all is ready
    with _running(tmp_path, base) as stack:  # at once: it waits for what is still ending
        assert all(_gone(pid) for pid in pids.values())
        assert not set(stack.pids().values()) & set(pids.values())


def test_a_second_stack_on_the_same_directory_is_refused(tmp_path: Path, base: int) -> None:
    with _running(tmp_path, base) as stack:
        second = subprocess.run(
            [sys.executable, "-c", STARTER, str(tmp_path), str(base + 100)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode != 0
        assert f"a stack already runs on {tmp_path} (process {stack.process.pid})" in second.stderr
        assert stack.file.exists()
