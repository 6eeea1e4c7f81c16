"""The pages and letters that people see, in a browser, over the whole line as `nhipso up` starts it."""

import asyncio
import email
import re
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Final

import aiohttp
import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.browser import town
from tests.e2e.browser.watching import Watch, misfits, unreadable, walked
from tests.e2e.line import Line
from tests.e2e.sending import sender

PATIENCE_SECONDS: Final = 60.0
PAGES: Final = (
    "/",
    f"/areas/{town.COMMUNE}",
    "/indicators/ds.smartphone",
    "/indicators/dc.digital-citizen",
    "/khong-co",
)
SMARTPHONE: Final = "Dân số trưởng thành có điện thoại thông minh"


def figure(page: Page, name: str = SMARTPHONE) -> Locator:
    """The row of an indicator on the page of a unit."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


async def letter(line: Line, to: str, about: str) -> str:
    """The HTML of the first mail to somebody that speaks of something, once it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        for path in sorted((line.data_dir / "mail").glob("*.eml")):
            mail = email.message_from_bytes(path.read_bytes(), policy=default)
            assert isinstance(mail, EmailMessage)
            body = mail.get_body(("html",))
            if mail["to"] == to and body is not None and about in body.get_content():
                return str(body.get_content())
        assert time.monotonic() < deadline, f"no mail to {to} within {PATIENCE_SECONDS:g} s"
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_fits_and_reads_and_asks_nobody_else(
    line: Line, page: Page, path: str
) -> None:
    url = line.endpoints()["dashboard"]
    watch = Watch(page, url)
    await page.goto(url + path)
    assert await unreadable(page) == []
    assert await misfits(page) == []
    assert watch.faults == []


async def test_the_keyboard_reaches_every_link_and_form_while_the_page_renews_itself(
    line: Line, page: Page
) -> None:
    await page.goto(line.endpoints()["dashboard"])
    stops, reached = await walked(page)
    assert {"A #main", "SELECT indicator ds.smartphone", f"A /areas/{town.COMMUNE}"} <= set(stops)
    assert reached == stops


async def test_the_ranking_is_chosen_by_keyboard(line: Line, page: Page) -> None:
    await page.goto(line.endpoints()["dashboard"])
    await page.get_by_label("Theo chỉ tiêu").focus()
    await page.keyboard.type("Hộ gia đình được phủ")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{line.endpoints()['dashboard']}/?indicator=ds.fibre#ranking")
    await expect(page.get_by_label("Theo chỉ tiêu")).to_have_value("ds.fibre")


async def test_a_figure_changes_before_the_reader_and_the_focus_stays(
    line: Line, page: Page
) -> None:
    url = line.endpoints()["dashboard"]
    watch = Watch(page, url)
    await page.goto(f"{url}/areas/{town.COMMUNE}")
    await expect(figure(page)).to_contain_text(f"{town.WITH_PHONE} / {town.ADULTS} người")
    await page.evaluate("window.isStillHere = true")
    crumb = page.get_by_role("navigation", name="Đơn vị cấp trên").get_by_role("link")
    await crumb.focus()
    async with sender(line) as to:
        await to.send([town.more_phones(20, datetime.now(UTC))])
    await expect(figure(page)).to_contain_text(f"{town.WITH_PHONE + 20} / {town.ADULTS} người")
    await expect(figure(page)).to_contain_text("62,50%")
    assert await page.evaluate("window.isStillHere")
    await expect(crumb).to_be_focused()
    assert watch.faults == []


async def test_a_letter_loads_nothing_and_leads_to_where_it_is_answered(
    line: Line, page: Page
) -> None:
    endpoints = line.endpoints()
    watch = Watch(page, endpoints["notifier"], endpoints["dashboard"])
    await page.set_content(await letter(line, "commune@example.vn", SMARTPHONE))
    await expect(page.get_by_role("heading", name=SMARTPHONE)).to_be_visible()
    assert await unreadable(page) == []
    assert await misfits(page) == []
    assert watch.asked == []

    await page.get_by_role("link", name="Xác nhận đã tiếp nhận").click()
    await expect(page.get_by_role("checkbox", name=SMARTPHONE)).to_be_checked()
    promise = page.get_by_label("Cam kết hoàn thành trước hết ngày (không bắt buộc)", exact=True)
    await expect(promise).to_have_accessible_description(re.compile("hệ thống không nhắc lại"))
    assert await unreadable(page) == []
    assert await misfits(page) == []
    stops, reached = await walked(page)
    assert reached == stops
    send = page.get_by_role("button", name="Xác nhận")
    await send.click()
    # The browser itself asks for what is missing, and nothing is sent.
    plan = page.get_by_label("Giải pháp thực hiện")
    await expect(plan).to_be_focused()
    await plan.fill("Mở lớp tập huấn tại nhà văn hoá")
    await send.click()
    await expect(page.get_by_role("status")).to_have_text("Đã ghi nhận. Xin cảm ơn.")
    assert await unreadable(page) == []

    await page.goto(f"{endpoints['dashboard']}/areas/{town.COMMUNE}")
    alert = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=SMARTPHONE))
    await expect(alert).to_contain_text("Đã xác nhận lúc")
    assert watch.faults == []


async def test_a_digest_for_leaders_loads_nothing_and_fits(line: Line, page: Page) -> None:
    wanted = {"cadence": "monthly", "area": town.PROVINCE}
    async with (
        aiohttp.ClientSession(headers=line.bearer("operator")) as http,
        http.post(f"{line.endpoints()['notifier']}/v1/digests", json=wanted) as answer,
    ):
        assert answer.status == 201
        assert len((await answer.json())["written"]) == 1
    watch = Watch(page)
    await page.set_content(await letter(line, "leaders@example.vn", "Phường Lào Cai"))
    await expect(page.get_by_role("rowheader", name="Phường Lào Cai", exact=True)).to_be_visible()
    assert await unreadable(page) == []
    assert await misfits(page) == []
    assert watch.asked == []
    assert watch.faults == []
