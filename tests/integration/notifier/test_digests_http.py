"""Digests over HTTP: who sees what, who may have one written, and the files of leaders."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import aiohttp
import pypdfium2
import pytest
from fastapi import FastAPI
from openpyxl import load_workbook

from deploy.embedded.tokens import SigningKey, issue_all
from services.chassis import problems
from services.chassis.tokens import TokenVerifier
from services.notifier.callers import Sight
from services.notifier.http import Api
from services.notifier.http_digests import add_digest_routes
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, Bench
from tests.integration.notifier.test_digesting import LEADERS, MONDAY, UNIT, WEEK, measured
from tests.integration.notifier.test_working import Client
from tests.serving import serving

OTHER = "2025:02671"
SOURCE = "urn:nhipso:source:vneid"


@pytest.fixture
async def client(bench: Bench, tmp_path: Path) -> AsyncIterator[Client]:
    """The routes, with a week of a commune and of the province's leaders written."""
    digesting = await measured(bench, UNIT, LEADERS)
    await digesting.step(MONDAY + WEEK)
    bench.clock.set(MONDAY + WEEK + timedelta(hours=1))
    key = SigningKey.generate()
    (tmp_path / "jwks.json").write_text(json.dumps(key.jwks()), encoding="utf-8")
    verifier = TokenVerifier(tmp_path / "jwks.json", issuer="nhipso", audience="nhipso")
    app = FastAPI()
    problems.install(app)
    here = Api(bench.pool, bench.domain, bench.clock)
    add_digest_routes(
        app,
        sight=Sight(verifier, bench.domain.areas),
        api=lambda: here,
        digesting=lambda: digesting,
    )
    async with serving(app) as url:
        yield Client(url, issue_all(key, (PROVINCE, COMMUNE, OTHER), datetime.now(UTC)))


@pytest.mark.parametrize(
    ("caller", "query", "seen"),
    [
        ("operator", "", {"unit", "leaders"}),
        ("leader", "", {"unit", "leaders"}),
        ("operator", "?cadence=monthly", set()),
        ("operator", f"?area={PROVINCE}", {"leaders"}),
        (f"unit:{PROVINCE}", "", {"unit", "leaders"}),
        (f"unit:{COMMUNE}", "", {"unit"}),
        (f"unit:{OTHER}", "", set()),
    ],
)
async def test_each_sees_what_is_theirs(
    client: Client, caller: str, query: str, seen: set[str]
) -> None:
    status, answer = await client.call("GET", f"/v1/digests{query}", caller)
    assert status == 200
    assert {one["form"] for one in answer["digests"]} == seen
    for one in answer["digests"]:
        assert [sent["state"] for sent in one["deliveries"]] == ["waiting"]


async def test_one_says_all(client: Client) -> None:
    _, listed = await client.call("GET", f"/v1/digests?area={COMMUNE}")
    (summary,) = listed["digests"]
    status, one = await client.call("GET", f"/v1/digests/{summary['id']}", f"unit:{COMMUNE}")
    assert status == 200
    assert one["digest"]["better"][0]["change"] == 12
    assert one["text"].startswith("Kính gửi: Ủy ban nhân dân phường Lào Cai")
    hidden, _ = await client.call("GET", f"/v1/digests/{summary['id']}", f"unit:{OTHER}")
    for file in ("workbook", "pdf"):
        assert (await client.call("GET", f"/v1/digests/{summary['id']}/{file}"))[0] == 404
    assert hidden == 404


async def test_one_says_it_in_english(client: Client) -> None:
    _, listed = await client.call("GET", f"/v1/digests?area={COMMUNE}")
    path = f"/v1/digests/{listed['digests'][0]['id']}"
    _, one = await client.call("GET", f"{path}?language=en")
    assert one["text"].startswith("To: People's Committee of Lào Cai ward")
    assert one["subject"].startswith("[Nhịp Số] Digest of the week from 23 November 2026")
    assert (await client.call("GET", f"{path}?language=fr"))[0] == 422


async def downloaded(client: Client, file: str) -> tuple[str, bytes]:
    """Name and content of a file of the leaders' digest."""
    _, listed = await client.call("GET", f"/v1/digests?area={PROVINCE}")
    path = f"/v1/digests/{listed['digests'][0]['id']}/{file}"
    headers = {"Authorization": f"Bearer {client.tokens['leader']}"}
    async with (
        aiohttp.ClientSession(client.url) as session,
        session.get(path, headers=headers) as answer,
    ):
        assert answer.status == 200
        return answer.headers["Content-Disposition"], await answer.read()


async def test_the_workbook_of_leaders(client: Client) -> None:
    name, content = await downloaded(client, "workbook")
    assert "nhipso-2025-15-2026-11-29.xlsx" in name
    assert load_workbook(BytesIO(content)).sheetnames == ["Đơn vị", "Chỉ tiêu"]


async def test_the_pages_of_leaders(client: Client) -> None:
    name, content = await downloaded(client, "pdf?language=en")
    assert "nhipso-2025-15-2026-11-29.pdf" in name
    with pypdfium2.PdfDocument(content) as document:
        assert "Lào Cai province" in document[0].get_textpage().get_text_bounded()


@pytest.mark.parametrize(
    ("method", "path", "caller", "status"),
    [
        ("GET", "/v1/digests", None, 401),
        ("GET", "/v1/digests", SOURCE, 403),
        ("GET", f"/v1/digests?area={PROVINCE}", f"unit:{COMMUNE}", 403),
        ("GET", "/v1/digests?cadence=daily", "operator", 422),
        ("GET", "/v1/digests/00000000-0000-0000-0000-000000000005", "operator", 404),
        ("POST", "/v1/digests", f"unit:{COMMUNE}", 403),
        ("POST", "/v1/digests", "leader", 403),
    ],
)
async def test_who_may_not(
    client: Client, method: str, path: str, caller: str | None, status: int
) -> None:
    body = {"cadence": "weekly"} if method == "POST" else None
    assert (await client.call(method, path, caller, body))[0] == status


async def test_an_operator_has_one_written_once_a_day(client: Client) -> None:
    wanted = {"cadence": "weekly", "area": COMMUNE}
    status, answer = await client.call("POST", "/v1/digests", "operator", wanted)
    assert (status, len(answer["written"])) == (201, 1)
    _, again = await client.call("POST", "/v1/digests", "operator", wanted)
    assert again == {"written": []}
    _, listed = await client.call("GET", f"/v1/digests?area={COMMUNE}")
    assert [one["asked_by"] is None for one in listed["digests"]] == [False, True]
    unknown = {"cadence": "weekly", "area": "2025:99999"}
    assert (await client.call("POST", "/v1/digests", "operator", unknown))[0] == 404
