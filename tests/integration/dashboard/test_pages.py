"""The dashboard in front of two invented services that speak the wire contract."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fastapi import FastAPI

from contracts import areas, catalogue
from services.chassis.settings import HttpSettings
from services.dashboard import views
from services.dashboard.__main__ import build
from services.dashboard.settings import DashboardSettings, ServiceEnvironment
from tests.serving import serving

COMMUNE = "2025:02647"
SMALL = "2025:02680"
NEXT = "2025:02671"
TOKEN = "a-leaders-token"


@dataclass
class Services:
    """Scoring and notifier, as far as the pages ask; `away` answers 503 for the named one."""

    url: str = ""
    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if request.path == "/healthz":
            return web.Response(status=503 if "scoring" in self.away else 200)
        asked = request.path.removeprefix("/v1/")
        service = "notifier" if asked in {"alerts", "targets"} else "scoring"
        if service in self.away:
            return web.Response(status=503)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def areas(self, _: web.Request) -> web.Response:
        found = [
            {"area_id": a.area_id, "name": a.name, "level": a.level, "parent_id": a.parent_id}
            for a in areas.load()
            if a.valid_to is None
        ]
        return web.json_response({"on": "2026-11-22", "areas": found})

    async def catalogue(self, _: web.Request) -> web.Response:
        entries = []
        for one in catalogue.load():
            entry = one.model_dump(mode="json", by_alias=True, exclude_none=True)
            entry["targets"] = {"2030": 90} if one.targets.dated() else {}
            entry.pop("population", None)
            if not one.is_reported_only:
                population = catalogue.load().population_of(one)
                entry["population"] = population.model_dump(mode="json", exclude_none=True)
            entries.append(entry)
        return web.json_response({"version": 1, "indicators": entries})

    async def figures(self, request: web.Request) -> web.Response:
        area = request.match_info["area"]
        shown = [self.figure(one.id, area) for one in catalogue.load()]
        body = {
            "area": area,
            "as_of": "2026-11-22T01:30:00Z",
            "indicators": shown,
        }
        return web.json_response(body)

    async def ranking(self, request: web.Request) -> web.Response:
        name = request.match_info["indicator"]
        ranked = [
            {**self.figure(name, a.area_id), "area": a.area_id, "name": a.name, "rank": place}
            for place, a in enumerate(areas.load().children("2025:15"), start=1)
        ]
        return web.json_response({"indicator": name, "level": "commune", "areas": ranked})

    async def breakdown(self, request: web.Request) -> web.Response:
        """One commune has few people; the smallest of the others hides them."""
        name = request.match_info["indicator"]
        counts = [
            {
                "area": a.area_id,
                "numerator": 5 if a.area_id == SMALL else 452,
                "denominator": 900 if a.area_id == NEXT else 1000,
            }
            for a in areas.load().children(request.match_info["area"])
        ]
        return web.json_response({"area": "", "indicator": name, "areas": counts})

    async def alerts(self, request: web.Request) -> web.Response:
        assert request.query["state"] == "firing"
        alert = {
            "id": "0",
            "area": request.query.get("area", COMMUNE),
            "area_name": "<b>Phường</b>",
            "indicator": "ds.smartphone",
            "indicator_name": "Điện thoại <script>alert(1)</script>",
            "severity": "critical",
            "value": 45.2,
            "pace": 73.57,
            "gap_people": 1234,
            "numerator": 452,
            "denominator": 1000,
            "fired_at": "2026-11-22T01:30:00Z",
            "held_back_by": {"criteria": [], "areas": []},
        }
        mailbox = alert | {"kind": "receiver", "indicator_name": "email:noi-bo@example.vn"}
        return web.json_response({"alerts": [alert, mailbox]})

    async def targets(self, request: web.Request) -> web.Response:
        """The commune has a target of its own for one indicator."""
        if request.query.get("area", COMMUNE) != COMMUNE:
            return web.json_response({"on": "2026-11-22", "targets": []})
        line = {"aim": "own", "target": 60.0, "target_on": "2030-12-31", "pace": 44.0}
        own = {"area": COMMUNE, "indicator": "ds.smartphone", "lines": [line]}
        return web.json_response({"on": "2026-11-22", "targets": [own]})

    @staticmethod
    def figure(name: str, area: str) -> dict[str, Any]:
        few = {"numerator": 5, "value": 0.5} if area == SMALL else {}
        pace = {"target": 90.0, "pace": 73.57, "gap_people": 284}
        has_target = bool(catalogue.load().by_id[name].targets.dated())
        return {
            "id": name,
            "numerator": 452,
            "denominator": 1000,
            "value": 45.2,
            "basis": "events",
            "projected_on": None,
            "updated_at": "2026-11-22T01:29:00Z",
            "reported": {"period": "2026-Q3", "value": 62.5, "difference": -17.3}
            if name == "ds.smartphone"
            else None,
            **(pace if has_target else dict.fromkeys(pace)),
            **few,
        }


@dataclass
class Dashboard:
    """The running dashboard."""

    url: str
    services: Services

    async def get(self, path: str) -> tuple[int, str, Any]:
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.get(path) as answer,
        ):
            return answer.status, await answer.text(), answer.headers


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", encoding="ascii")
    return path


@pytest.fixture
async def dashboard(token_file: Path) -> AsyncIterator[Dashboard]:
    services = Services()
    upstream = web.Application(middlewares=[services.guard])
    upstream.router.add_get("/v1/areas", services.areas)
    upstream.router.add_get("/v1/indicators", services.catalogue)
    upstream.router.add_get("/v1/areas/{area}/indicators", services.figures)
    upstream.router.add_get("/v1/indicators/{indicator}/areas", services.ranking)
    upstream.router.add_get("/v1/areas/{area}/indicators/{indicator}/breakdown", services.breakdown)
    upstream.router.add_get("/v1/alerts", services.alerts)
    upstream.router.add_get("/v1/targets", services.targets)
    runner = web.AppRunner(upstream)
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        services.url = "http://{}:{}".format(*runner.addresses[0][:2])
        settings = DashboardSettings(
            scoring_url=services.url, notifier_url=services.url + "/", token_file=token_file
        )
        app = build(ServiceEnvironment(http=HttpSettings(port=0), dashboard=settings))
        yield await stack.enter_async_context(_served(app, services))


@asynccontextmanager
async def _served(app: FastAPI, services: Services) -> AsyncIterator[Dashboard]:
    async with serving(app) as url:
        yield Dashboard(url, services)


class Outline(HTMLParser):
    """What a page is made of, for questions about its form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for one, attributes in self.tags if one == tag]


async def test_the_province_stands_first(dashboard: Dashboard) -> None:
    status, text, headers = await dashboard.get("/")
    assert status == 200
    assert "Tỉnh Lào Cai" in text
    assert "Dân số trưởng thành có điện thoại thông minh" in text
    assert "1.234 người" in text
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    outline = Outline(text)
    communes = [a for a in outline.all("a") if (a.get("href") or "").startswith("/areas/2025:")]
    assert len(communes) == 99


async def test_a_commune_has_its_page(dashboard: Dashboard) -> None:
    status, text, _ = await dashboard.get(f"/areas/{COMMUNE}")
    assert status == 200
    assert "<title>Phường Lào Cai – Nhịp Số</title>" in text
    assert 'aria-current="page"' in text
    assert "Xếp hạng" not in text
    assert f"/v1/alerts?state=firing&area={COMMUNE}" in dashboard.services.asked


async def test_receivers_of_letters_are_no_matter_of_the_pages(dashboard: Dashboard) -> None:
    for path in ("/", f"/areas/{COMMUNE}"):
        _, text, _ = await dashboard.get(path)
        assert "noi-bo@example.vn" not in text


async def test_what_was_reported_stands_beside_what_was_counted(dashboard: Dashboard) -> None:
    _, text, _ = await dashboard.get(f"/areas/{COMMUNE}")
    assert text.count("Chênh lệch") == 1
    assert "Báo cáo quý III năm 2026: 62,50%" in text
    assert "<strong>−17,30 điểm %</strong>" in text


async def test_a_unit_is_shown_against_its_own_target(dashboard: Dashboard) -> None:
    _, text, _ = await dashboard.get(f"/areas/{COMMUNE}")
    assert text.count("Mục tiêu riêng của đơn vị") == 1
    assert "Mục tiêu chung của tỉnh: 90%, tiến độ 73,57%" in text
    assert f"/v1/targets?area={COMMUNE}" in dashboard.services.asked
    _, province, _ = await dashboard.get("/?indicator=ds.smartphone")
    assert province.count("mục tiêu riêng của đơn vị") == 1  # the commune among the ranked
    assert "/v1/targets?indicator=ds.smartphone" in dashboard.services.asked


async def test_communes_are_ranked_by_the_chosen_indicator(dashboard: Dashboard) -> None:
    status, text, _ = await dashboard.get("/?indicator=ds.fibre")
    assert status == 200
    assert '<option value="ds.fibre" selected>' in text
    assert "/v1/indicators/ds.fibre/areas?level=commune" in dashboard.services.asked


async def test_reads_aloud_and_fetches_nothing_from_elsewhere(dashboard: Dashboard) -> None:
    _, text, _ = await dashboard.get("/")
    outline = Outline(text)
    assert outline.all("html") == [{"lang": "vi"}]
    assert len(outline.all("h1")) == 1
    assert outline.all("label")[0]["for"] == outline.all("select")[0]["id"]
    bars = [svg for svg in outline.all("svg") if "bar" in (svg.get("class") or "")]
    assert bars
    assert all((svg.get("aria-label") or "").startswith("Hiện đạt") for svg in bars)
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    sources = [a.get("src") or a.get("href") or "" for _, a in outline.tags]
    assert [one for one in sources if re.match(r"(https?:)?//", one)] == []
    assert [a for _, a in outline.tags if "style" in a or "onclick" in a] == []


@pytest.mark.parametrize("path", ["style.css", "refresh.js", "icon.svg"])
async def test_brings_its_own_style(dashboard: Dashboard, path: str) -> None:
    status, _, _ = await dashboard.get(f"/static/{path}")
    assert status == 200


async def test_what_comes_from_elsewhere_is_text(dashboard: Dashboard) -> None:
    _, text, _ = await dashboard.get("/")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


@pytest.mark.parametrize(
    "path",
    ["/areas/2025:99999", "/areas/legacy:15", "/?indicator=zz.nothing", "/indicators/zz.nothing"],
)
async def test_what_is_not_there_is_said(dashboard: Dashboard, path: str) -> None:
    status, text, _ = await dashboard.get(path)
    assert status == 404
    assert "Không tìm thấy" in text


@pytest.mark.parametrize(
    ("path", "expected", "title"),
    [
        ("/khong-co", 404, "Không tìm thấy"),
        ("/areas/", 404, "Không tìm thấy"),
        ("/static/khong-co.css", 404, "Không tìm thấy"),
        (f"/?indicator={'x' * 65}", 422, "Không mở được trang"),
    ],
)
async def test_an_address_that_leads_nowhere_is_answered_in_vietnamese_with_a_way_back(
    dashboard: Dashboard, path: str, expected: int, title: str
) -> None:
    status, text, headers = await dashboard.get(path)
    assert status == expected
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"<h1>{title}</h1>" in text
    assert {"href": "/"} in Outline(text).all("a")
    assert "default-src 'self'" in headers["Content-Security-Policy"]


async def test_what_was_not_foreseen_is_answered_with_a_page_too(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(views, "page", fail)
    status, text, _ = await dashboard.get("/")
    assert status == 500
    assert "<h1>Trang gặp lỗi</h1>" in text
    assert "ZeroDivisionError" not in text
    assert {"href": "/"} in Outline(text).all("a")


async def test_an_indicator_says_where_it_comes_from(dashboard: Dashboard) -> None:
    status, text, _ = await dashboard.get("/indicators/ds.smartphone")
    assert status == 200
    assert "<h1>Dân số trưởng thành có điện thoại thông minh</h1>" in text
    assert "Kế hoạch số 231/KH-UBND" in text
    assert "đạt từ 70% trở lên" in text
    assert "Tỷ lệ trên tổng số người dân từ 18 tuổi trở lên" in text
    communes = [a for a in Outline(text).all("a") if (a.get("href") or "").startswith("/areas/")]
    assert len(communes) == 99
    _, province, _ = await dashboard.get("/")
    assert {"href": "/indicators/ds.smartphone"} in Outline(province).all("a")


async def test_an_indicator_of_reports_has_no_ranking(dashboard: Dashboard) -> None:
    status, text, _ = await dashboard.get("/indicators/dt.gov.1")
    assert status == 200
    assert "do các đơn vị báo cáo" in text
    assert "Xếp hạng" not in text


async def test_the_criteria_of_an_indicator_have_pages(dashboard: Dashboard) -> None:
    _, text, _ = await dashboard.get("/indicators/dc.digital-citizen")
    assert {"href": "/indicators/dc.group-1"} in Outline(text).all("a")


@pytest.mark.parametrize("path", [f"/areas/{SMALL}", "/", "/indicators/ds.smartphone"])
async def test_few_people_are_on_no_page(dashboard: Dashboard, path: str) -> None:
    _, text, _ = await dashboard.get(path)
    assert "dưới 11 / 1.000 người" in text
    assert "5 / 1.000 người" not in text
    assert "0,50%" not in text or path == f"/areas/{SMALL}"  # there, of schools and organisations


async def test_who_is_left_of_the_sum_is_withheld_too(dashboard: Dashboard) -> None:
    _, text, _ = await dashboard.get(f"/areas/{NEXT}")
    assert "để không lộ số liệu của đơn vị khác có ít người" in text
    assert "452 / 1.000 người" not in text
    assert "452 / 1.000 hộ" not in text
    _, text, _ = await dashboard.get(f"/areas/{COMMUNE}")
    assert "452 / 1.000 người" in text


async def test_families_of_units_are_read_once_for_many_pages(dashboard: Dashboard) -> None:
    for _ in range(2):
        await dashboard.get(f"/areas/{COMMUNE}")
    asked = [one for one in dashboard.services.asked if one.endswith("/breakdown")]
    assert asked
    assert len(asked) == len(set(asked))


async def test_figures_stand_without_the_notifier(dashboard: Dashboard) -> None:
    dashboard.services.away = {"notifier"}
    status, text, _ = await dashboard.get("/")
    assert status == 200
    assert "Tạm thời chưa đọc được cảnh báo và mục tiêu riêng" in text
    assert "45,20%" in text


async def test_without_scoring_it_says_so(dashboard: Dashboard) -> None:
    dashboard.services.away = {"scoring"}
    status, text, _ = await dashboard.get("/")
    assert status == 503
    assert "Tạm thời chưa đọc được số liệu" in text


async def test_a_token_may_be_renewed_under_the_running_process(
    dashboard: Dashboard, token_file: Path
) -> None:
    for token, expected in (("expired", 503), (TOKEN, 200)):
        await asyncio.to_thread(token_file.write_text, token, encoding="ascii")
        assert (await dashboard.get("/"))[0] == expected


async def test_is_ready_while_both_services_live(dashboard: Dashboard) -> None:
    assert (await dashboard.get("/readyz"))[0] == 200
    dashboard.services.away = {"scoring"}
    status, text, _ = await dashboard.get("/readyz")
    assert status == 503
    assert '"scoring":"HTTP 503"' in text
