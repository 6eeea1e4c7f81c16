"""The page behind a letter's link, over real HTTP and a real store."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import aiohttp
import pytest
from fastapi import FastAPI

from services.chassis import problems
from services.notifier.acknowledge_page import AcknowledgePage, add_acknowledge_page
from services.notifier.core.route import Route
from services.notifier.core.schedule import Policy
from services.notifier.http import Api
from services.notifier.links import Links
from services.notifier.pipeline.telling import Telling
from services.notifier.routing import Routing
from services.notifier.stationery import Stationery
from services.notifier.store import alerts, works
from services.notifier.store.alerts import Search
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, Bench, mailboxes, told
from tests.serving import serving

DAY = timedelta(days=1)
UNIT = f"unit:{COMMUNE}"
OTHER = "2025:02671"
CONTACT = "Sở Khoa học và Công nghệ, điện thoại 0214 3 000 000"
PLAN = "Mở lớp tập huấn tại nhà văn hoá"
LINKS = Links(notifier_url="http://notifier.example.vn", key=b"an invented key of thirty-two by")


@dataclass(frozen=True)
class Browser:
    """Opens the page and sends its form."""

    url: str
    bench: Bench

    def token(self, audience: str = UNIT, area: str = COMMUNE) -> str:
        url = LINKS.acknowledge(audience, area, self.bench.clock.now())
        assert url is not None
        return url.partition("token=")[2]

    async def open(self, token: str, language: str = "vi") -> tuple[int, str]:
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.get("/acknowledge", params={"token": token, "lang": language}) as answer,
        ):
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            return answer.status, await answer.text()

    async def send(self, *fields: tuple[str, str]) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.post("/acknowledge", data=aiohttp.FormData(fields)) as answer,
        ):
            return answer.status, await answer.text()


@pytest.fixture
async def browser(bench: Bench) -> AsyncIterator[Browser]:
    app = FastAPI()
    problems.install(app)
    here = Api(bench.pool, bench.domain, bench.clock)
    add_acknowledge_page(app, AcknowledgePage(Stationery(LINKS, CONTACT), lambda: here))
    async with serving(app) as url:
        yield Browser(url, bench)


async def fire(bench: Bench, *indicators: str, area: str = COMMUNE) -> dict[str, UUID]:
    """Let a unit lag in these until it fires, and keep the source speaking for a month."""
    heard = bench.clock.now() + 30 * DAY
    await bench.take(*(told(100, area=area, indicator=one, fresh_at=heard) for one in indicators))
    await bench.evaluate()
    await bench.evaluate(3 * DAY)
    async with bench.pool.acquire() as connection:
        found, _ = await alerts.search(connection, Search(area=area, state="firing"))
    return {alert.key.indicator: alert.id for alert in found}


async def said(bench: Bench, *wanted: UUID) -> dict[UUID, tuple[str, str]]:
    async with bench.pool.acquire() as connection:
        found = await works.acknowledgements(connection, wanted)
    return {alert: (one.note, one.acknowledged_by) for alert, one in found.items()}


async def test_opening_changes_nothing_and_sending_acknowledges(
    bench: Bench, browser: Browser
) -> None:
    fired = await fire(bench, "ds.smartphone", "ds.fibre")
    token = browser.token()
    status, page = await browser.open(token)
    assert status == 200
    assert "Phường Lào Cai" in page
    assert f"xin liên hệ: {CONTACT}." in page
    assert set(re.findall(r'name="alert" value="([^"]+)"', page)) == {
        str(one) for one in fired.values()
    }
    assert await said(bench, *fired.values()) == {}
    promised = (bench.clock.now() + 20 * DAY).date().isoformat()
    chosen = fired["ds.smartphone"]
    status, page = await browser.send(
        ("token", token), ("alert", str(chosen)), ("note", PLAN), ("promised_on", promised)
    )
    assert (status, "Đã ghi nhận" in page) == (200, True)
    assert await said(bench, *fired.values()) == {chosen: (PLAN, f"link:{UNIT}")}


async def test_shows_what_has_been_said_already(bench: Bench, browser: Browser) -> None:
    fired = await fire(bench, "ds.smartphone", "ds.fibre")
    token, chosen = browser.token(), str(fired["ds.smartphone"])
    await browser.send(
        ("token", token), ("alert", chosen), ("note", PLAN), ("promised_on", "2026-12-20")
    )
    _, page = await browser.open(token)
    assert "cam kết hoàn thành trước hết ngày 20/12/2026" in page
    # What is answered is not answered once more unasked.
    assert re.findall(r'value="([^"]+)" checked', page) == [str(fired["ds.fibre"])]
    _, page = await browser.open(token, "en")
    assert "to be done by the end of 20 December 2026" in page


async def test_speaks_english_too(bench: Bench, browser: Browser) -> None:
    await fire(bench, "ds.smartphone")
    _, page = await browser.open(browser.token(), "en")
    assert "Adults with a smartphone" in page
    assert "Lào Cai ward" in page


@pytest.mark.parametrize(
    ("note", "promised_on", "mistake"),
    [
        ("  ", "", "ghi giải pháp"),
        ("x" * 2001, "", "ghi giải pháp"),
        (PLAN, "2020-01-01", "Ngày cam kết"),
        (PLAN, "2099-01-01", "Ngày cam kết"),
        (PLAN, "mai", "Ngày cam kết"),
    ],
)
async def test_says_what_is_missing_and_keeps_what_was_written(
    bench: Bench, browser: Browser, note: str, promised_on: str, mistake: str
) -> None:
    fired = await fire(bench, "ds.smartphone")
    status, page = await browser.send(
        ("token", browser.token()),
        ("alert", str(fired["ds.smartphone"])),
        ("note", note),
        ("promised_on", promised_on),
    )
    assert status == 422
    assert mistake in page
    assert note.strip() in page
    assert await said(bench, *fired.values()) == {}


async def test_a_link_reaches_nothing_beyond_its_unit_and_letter(
    bench: Bench, browser: Browser
) -> None:
    own = await fire(bench, "ds.smartphone")
    token = browser.token()
    foreign = await fire(bench, "ds.smartphone", area=OTHER)
    later = {"ds.fibre": (await fire(bench, "ds.fibre"))["ds.fibre"]}
    for beyond in (*foreign.values(), *later.values()):
        status, page = await browser.send(("token", token), ("alert", str(beyond)), ("note", PLAN))
        assert (status, "chọn ít nhất một" in page) == (422, True)
    assert await said(bench, *foreign.values(), *later.values()) == {}
    _, page = await browser.open(token)
    assert str(own["ds.smartphone"]) in page
    assert str(later["ds.fibre"]) not in page


async def test_what_has_been_put_right_needs_no_acknowledgement(
    bench: Bench, browser: Browser
) -> None:
    await fire(bench, "ds.smartphone")
    token = browser.token()
    at = bench.clock.now()
    await bench.take(told(1000, version=2, at=at, fresh_at=at + DAY))
    await bench.evaluate()
    status, page = await browser.open(token)
    assert (status, "Không còn nội dung nào" in page) == (200, True)


async def test_operators_acknowledge_feeds_and_the_province_does_not(
    bench: Bench, browser: Browser
) -> None:
    await bench.take(told(100))
    await bench.evaluate(4 * DAY)
    await bench.tell(bench.telling(mailboxes("operators")))
    _, page = await browser.open(browser.token("operators", PROVINCE))
    assert "Nguồn dữ liệu: Viễn thông" in page
    _, page = await browser.open(browser.token(f"unit:{PROVINCE}", PROVINCE))
    assert "Nguồn dữ liệu" not in page


async def test_what_a_program_has_put_behind_a_link_is_answered_with_a_page(
    bench: Bench, browser: Browser
) -> None:
    await fire(bench, "ds.smartphone")
    status, page = await browser.open(browser.token(), "vi.")
    assert (status, "Phường Lào Cai" in page) == (200, True)
    status, page = await browser.open("x" * 5000)
    assert (status, "không hợp lệ" in page) == (404, True)


async def test_a_link_that_is_too_old_or_changed_is_refused(bench: Bench, browser: Browser) -> None:
    fired = await fire(bench, "ds.smartphone")
    token = browser.token()
    for wrong, wanted in ((f"{token}x", "không hợp lệ"), ("", "không hợp lệ")):
        status, page = await browser.open(wrong)
        assert (status, wanted in page) == (404, True)
    bench.clock.advance(31 * DAY)
    status, page = await browser.open(token)
    assert (status, "đã hết hạn" in page) == (410, True)
    status, _ = await browser.send(
        ("token", token), ("alert", str(fired["ds.smartphone"])), ("note", PLAN)
    )
    assert status == 410
    assert await said(bench, *fired.values()) == {}


async def test_a_form_that_is_too_long_is_not_read(browser: Browser) -> None:
    status, _ = await browser.send(("note", "x" * 100_000))
    assert status == 413


async def test_an_agency_sees_what_it_answers_for(bench: Bench, browser: Browser) -> None:
    fired = await fire(bench, "ds.smartphone", "ds.health-record", area=PROVINCE)
    await bench.tell(bench.telling(mailboxes("agency:so-y-te")))
    _, page = await browser.open(browser.token("agency:so-y-te", PROVINCE))
    assert str(fired["ds.health-record"]) in page
    assert str(fired["ds.smartphone"]) not in page


async def test_who_is_told_of_many_chooses_units(bench: Bench, browser: Browser) -> None:
    own = await fire(bench, "ds.smartphone", "ds.fibre")
    other = await fire(bench, "ds.smartphone", area=OTHER)
    routing = Routing(Route(Policy(timedelta(0), timedelta(0), DAY), to="group:so"), None)
    receivers = mailboxes("group:so")
    await bench.tell(Telling(bench.pool, bench.domain, receivers, routing, bench.metrics))
    token = browser.token("group:so", PROVINCE)
    later = await fire(bench, "ds.smartphone", area="2025:02680")
    _, page = await browser.open(token)
    assert re.findall(r'name="alert" value="([^"]+)"', page) == [COMMUNE, OTHER]
    # Nobody acknowledges for a hundred units by one press.
    assert "checked" not in page
    every = [*own.values(), *other.values(), *later.values()]
    for chosen, noted in (("2025:02680", []), (COMMUNE, own.values())):
        await browser.send(("token", token), ("alert", chosen), ("note", PLAN))
        assert await said(bench, *every) == dict.fromkeys(noted, (PLAN, "link:group:so"))
