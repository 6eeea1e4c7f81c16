"""``/v1/sources``: operators register who is connected, and see how each fares."""

import secrets
from typing import Any

import pytest

from tests.contract.ingest.service import Ingest


async def register(
    ingest: Ingest, body: Any, query: str = "", token: str | None = None
) -> tuple[int, Any]:
    operator = token or ingest.keys.token(role="operator", sub="op")
    async with ingest.http.post(
        f"{ingest.url}/v1/sources{query}",
        json=body,
        headers={"Authorization": f"Bearer {operator}"},
    ) as answer:
        return answer.status, await answer.json(content_type=None)


async def listed(ingest: Ingest, source: str) -> Any:
    status, answer = await ingest.get("/v1/sources", token=ingest.keys.token(role="operator"))
    assert status == 200
    return next(one for one in answer["sources"] if one["source"] == source)


@pytest.fixture
def body() -> dict[str, Any]:
    return {
        "source": f"urn:nhipso:source:{secrets.token_hex(4)}",
        "domains": ["identity", "health"],
        "title": "Bệnh viện số 1",
        "contact": "Phòng CNTT",
    }


async def test_a_source_is_registered_once(ingest: Ingest, body: dict[str, Any]) -> None:
    status, answer = await register(ingest, body)
    assert status == 201
    assert answer["domains"] == ["health", "identity"]
    assert answer["last_event_at"] is None
    assert answer["paused"] is None
    assert answer["open_rejections"] == 0
    assert (await register(ingest, body))[0] == 200
    changed = body | {"domains": ["health"]}
    assert (await register(ingest, changed))[0] == 409
    assert (await listed(ingest, body["source"]))["domains"] == ["health", "identity"]
    assert (await register(ingest, changed, "?replace=true"))[0] == 200
    assert (await listed(ingest, body["source"]))["domains"] == ["health"]


async def test_the_list_tells_of_the_latest_event(
    ingest: Ingest, body: dict[str, Any], event: Any
) -> None:
    await register(ingest, body)
    source = body["source"]
    token = ingest.keys.token(sources=[source])
    assert (await ingest.post(event(source=source), token=token))[0] == 202
    assert (await listed(ingest, source))["last_event_at"] == "2026-03-01T01:30:00Z"


async def test_a_source_that_is_not_registered_is_listed_once_it_sends(
    ingest: Ingest, body: dict[str, Any], event: Any
) -> None:
    source = body["source"]
    token = ingest.keys.token(sources=[source])
    assert (await ingest.post(event(source=source), token=token))[0] == 202
    found = await listed(ingest, source)
    assert (found["added_at"], found["domains"]) == (None, [])
    assert found["last_event_at"] == "2026-03-01T01:30:00Z"
    assert (await register(ingest, body))[0] == 201
    assert (await listed(ingest, source))["added_at"] is not None


@pytest.mark.parametrize(
    "change",
    [
        {"source": "hospital"},
        {"source": "urn:x:000123456789"},
        {"domains": []},
        {"domains": ["other"]},
        {"title": "x\x00"},
        {"contact": "000123456789"},
        {"more": 1},
    ],
)
async def test_what_cannot_be_a_source_is_refused(
    ingest: Ingest, body: dict[str, Any], change: dict[str, Any]
) -> None:
    status, problem = await register(ingest, body | change)
    assert status == 422
    assert "000123456789" not in str(problem)


async def test_operators_alone_see_and_change_the_register(
    ingest: Ingest, body: dict[str, Any]
) -> None:
    assert (await register(ingest, body, token=ingest.keys.token()))[0] == 403
    assert (await ingest.get("/v1/sources", token=ingest.keys.token()))[0] == 403
    assert (await ingest.get("/v1/sources"))[0] == 401
