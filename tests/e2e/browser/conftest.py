"""A browser of this machine, and a line with two communes in it."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Final

import aiohttp
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e import line as lines
from tests.e2e.browser import town
from tests.e2e.line import Line
from tests.e2e.sending import batches, sender

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_BATCH: Final = 500
_PATIENCE_SECONDS: Final = 60.0

_RECEIVERS: Final = f"""\
receivers:
  - {{area: "{town.COMMUNE}", email: "commune@example.vn"}}
  - {{area: "{town.PROVINCE}", leaders: true, email: "leaders@example.vn"}}
"""
#: Nobody waits for days here, nor for ten seconds; and a busy machine may take its time.
_HASTE: Final = {
    "NHIPSO_NOTIFIER__FOR_SECONDS": "0",
    "NHIPSO_NOTIFIER__GROUP_WAIT_SECONDS": "2",
    "NHIPSO_NOTIFIER__GROUP_INTERVAL_SECONDS": "2",
    "NHIPSO_NOTIFIER__EVALUATE_EVERY_SECONDS": "0.5",
    "NHIPSO_NOTIFIER__DELIVER_EVERY_SECONDS": "0.2",
    "NHIPSO_DASHBOARD__REFRESH_SECONDS": "2",
    "NHIPSO_DASHBOARD__TIMEOUT_SECONDS": "30",
}


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program of a Chromium: what CHROMIUM names, else one that is found by its name."""
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        assert found, f"CHROMIUM={named} is no program; give a path or a name on PATH"
        return found
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    pytest.skip(
        "no Chromium on PATH; install one (Debian: apt-get install chromium) or name it: "
        "CHROMIUM=/path/to/chrome"
    )


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    expect.set_options(timeout=_PATIENCE_SECONDS * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page of its own profile, as somebody who opens a browser for the first time."""
    context = await browser.new_context(locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh")
    yield await context.new_page()
    await context.close()


@pytest.fixture(scope="module")
def empty_line(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "receivers.yaml").write_text(_RECEIVERS, encoding="utf-8")
    with lines.running(folder, **_HASTE) as line:
        yield line


@pytest.fixture(scope="module")
async def line(empty_line: Line) -> Line:
    """A line that has counted all of the two communes."""
    async with sender(empty_line) as to:
        await to.send(batches(town.settled(datetime.now(UTC)), lambda: _BATCH))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    url = f"{empty_line.endpoints()['scoring']}/v1/areas/{town.PROVINCE}/indicators"
    async with aiohttp.ClientSession(headers=empty_line.bearer("leader")) as http:
        while True:
            async with http.get(url) as answer:
                counted = {
                    one["id"]: one["numerator"] for one in (await answer.json())["indicators"]
                }
            if not (missing := town.PROVINCE_HAS.items() - counted.items()):
                return empty_line
            assert time.monotonic() < deadline, f"not counted after a minute: {missing}"
            await asyncio.sleep(0.1)
