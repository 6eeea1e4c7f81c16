"""Our signatures hold for the official library of another language: JavaScript, on Node.js."""

import asyncio
import base64
import json
import shutil
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from standardwebhooks import Webhook

from services.chassis.clock import SystemClock
from services.notifier.receivers.reading import Receivers
from services.notifier.receivers.webhook.sending import WebhookReceiver, WebhookSender
from tests.integration.notifier.conftest import COMMUNE, Bench
from tests.integration.notifier.test_fairness import deliver, delivering, fire, letter

PACKAGE = "standardwebhooks@1.1.1"
SECRET = "whsec_" + base64.b64encode(b"invented-secret-of-32-bytes-here").decode()
OTHER = "whsec_" + base64.b64encode(b"another-secret-of-32-bytes-there").decode()


@pytest.fixture(scope="session")
async def package(request: pytest.FixtureRequest) -> Path:
    """The folder with the official library, fetched once into pytest's cache."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("node and npm are not installed")
    cache = request.config.cache
    assert cache is not None
    folder = Path(cache.mkdir("npm-" + PACKAGE.replace("@", "-")))
    if not (folder / "node_modules" / "standardwebhooks" / "package.json").exists():
        arguments = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
        fetching = await asyncio.create_subprocess_exec(
            npm, *arguments, "--prefix", str(folder), PACKAGE, stdout=PIPE, stderr=STDOUT
        )
        said, _ = await fetching.communicate()
        if fetching.returncode != 0:
            pytest.skip(f"the registry of npm does not give {PACKAGE}: {said.decode()[-300:]}")
    return folder


@asynccontextmanager
async def verifying(package: Path, secret: str) -> AsyncIterator[tuple[str, Process]]:
    program = Path(__file__).with_name("verifier.cjs")
    process = await asyncio.create_subprocess_exec(
        "node", str(program), str(package), secret, stdout=PIPE
    )
    try:
        yield f"http://127.0.0.1:{int(await line_of(process))}/hook", process
    finally:
        process.kill()
        await process.wait()


async def line_of(process: Process) -> Any:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return json.loads(await process.stdout.readline())


async def test_the_library_verifies_each_attempt_under_one_id(bench: Bench, package: Path) -> None:
    await fire(bench)
    async with verifying(package, SECRET) as (url, process), aiohttp.ClientSession() as session:
        receiver = WebhookReceiver("webhook:node", url, Webhook(SECRET))
        receivers = Receivers([(f"unit:{COMMUNE}", receiver)])
        await letter(bench, receivers)
        sender = WebhookSender(session, timeout=30, clock=SystemClock())
        one = delivering(bench, receivers, sender.send)
        await deliver(bench, one)
        bench.clock.advance(timedelta(seconds=5))
        await deliver(bench, one)
        attempts = [await line_of(process), await line_of(process)]
    assert [one["verified"] for one in attempts] == [True, True]
    assert attempts[0] == attempts[1]
    assert "Phường Lào Cai" in attempts[0]["subject"]


async def test_the_library_refuses_what_another_secret_signed(bench: Bench, package: Path) -> None:
    await fire(bench)
    async with verifying(package, OTHER) as (url, process), aiohttp.ClientSession() as session:
        receiver = WebhookReceiver("webhook:node", url, Webhook(SECRET))
        receivers = Receivers([(f"unit:{COMMUNE}", receiver)])
        await letter(bench, receivers)
        sender = WebhookSender(session, timeout=30, clock=SystemClock())
        await deliver(bench, delivering(bench, receivers, sender.send))
        said = await line_of(process)
    assert said == {"verified": False, "error": "No matching signature found"}
