import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

from services.chassis.process import Tasks

PROGRAM = """
import asyncio
from contextlib import asynccontextmanager
from prometheus_client import CollectorRegistry
from services.chassis import http, logs, process
from services.chassis.readiness import Readiness
from services.chassis.settings import HttpSettings, LogSettings

logs.configure("example", LogSettings())

async def forever():
    try:
        await asyncio.sleep(3600)
    finally:
        print("cancelled", flush=True)

async def fails():
    await asyncio.sleep(0.2)
    raise RuntimeError("cannot be explained")

async def returns():
    print("done", flush=True)

async def leaks_a_cancellation():
    raise asyncio.CancelledError

@asynccontextmanager
async def lifespan(app):
    {start}
    async with process.Tasks() as tasks:
        for run in ({tasks}):
            tasks.start(run.__name__, run)
        yield
    print("closed", flush=True)

app = http.create_app(
    title="example", version="1", description="", lifespan=lifespan,
    readiness=Readiness(), registry=CollectorRegistry(),
)
process.serve(app, HttpSettings(port={port}))
print("returned", flush=True)
"""

Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def launch(free_port: int) -> Launch:
    def launched(*tasks: str, start: str = "pass") -> "subprocess.Popen[str]":
        names = "".join(f"{name}, " for name in tasks)
        program = PROGRAM.format(tasks=names, start=start, port=free_port)
        return subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return launched


def events(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def wait_until_alive(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("task", ["fails", "leaks_a_cancellation"])
def test_a_failed_task_stops_the_process_in_order_with_exit_code_1(
    task: str, launch: Launch
) -> None:
    process = launch("forever", task)
    out, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert out.split() == ["cancelled", "closed"]
    (failure,) = [line for line in events(log) if line["level"] == "critical"]
    assert failure["event"] == "a task failed, the process stops"
    assert failure["task"] == task
    assert "cannot be explained" in failure["exception"] or "was cancelled" in failure["exception"]


def test_a_task_may_end_and_a_signal_stops_the_process_in_order(
    launch: Launch, free_port: int
) -> None:
    process = launch("forever", "returns")
    wait_until_alive(free_port)
    process.send_signal(signal.SIGTERM)
    out, log = process.communicate(timeout=30)
    assert out.split() == ["done", "cancelled", "closed"]
    assert process.returncode == -signal.SIGTERM
    assert {line["level"] for line in events(log)} == {"info"}


def test_control_c_stops_the_process_in_order_without_a_traceback(
    launch: Launch, free_port: int
) -> None:
    process = launch("forever")
    wait_until_alive(free_port)
    process.send_signal(signal.SIGINT)
    out, log = process.communicate(timeout=30)
    assert out.split() == ["cancelled", "closed", "returned"]
    assert "Traceback" not in log


def test_a_lifespan_that_cannot_start_ends_the_process_with_an_error(launch: Launch) -> None:
    process = launch(start="raise RuntimeError('no database')")
    _, log = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "no database" in log


async def test_outside_of_a_served_process_a_failure_is_raised_when_the_group_closes() -> None:
    async def fails() -> None:
        raise RuntimeError("cannot be explained")

    async def live() -> None:
        async with Tasks() as tasks:
            tasks.start("fails", fails)
            await asyncio.sleep(0.01)

    with pytest.raises(RuntimeError, match="cannot be explained"):
        await live()


async def test_a_group_that_closes_waits_for_its_tasks_to_end() -> None:
    steps: list[str] = []

    async def careful() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            steps.append("ended")

    async with Tasks() as tasks:
        tasks.start("careful", careful)
        await asyncio.sleep(0.01)
    assert steps == ["ended"]
    assert tasks.failure is None
