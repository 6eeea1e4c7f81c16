"""Working with alerts over HTTP: who may do what, what is kept, and what a promise does."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from fastapi import FastAPI

from deploy.embedded.tokens import SigningKey, issue_all
from services.chassis import problems
from services.chassis.tokens import TokenVerifier
from services.notifier.acknowledging import add_acknowledgement_routes
from services.notifier.callers import Acting, Sight
from services.notifier.http import Api, add_routes
from services.notifier.pipeline.promising import Promising
from services.notifier.silencing import add_silence_routes
from services.notifier.store import alerts
from services.notifier.store.alerts import Search
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, Bench, told
from tests.serving import serving

DAY = timedelta(days=1)
OTHER = "2025:02671"
UNIT = f"unit:{COMMUNE}"
SOURCE = "urn:nhipso:source:vneid"


@dataclass(frozen=True)
class Client:
    """Calls the routes under the token of somebody."""

    url: str
    tokens: dict[str, str]

    async def call(
        self, method: str, path: str, caller: str | None = "operator", body: Any = None
    ) -> tuple[int, Any]:
        headers = {} if caller is None else {"Authorization": f"Bearer {self.tokens[caller]}"}
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.request(method, path, headers=headers, json=body) as answer,
        ):
            text = await answer.text()
        return answer.status, json.loads(text) if text else None


@pytest.fixture
async def client(bench: Bench, tmp_path: Path) -> AsyncIterator[Client]:
    key = SigningKey.generate()
    (tmp_path / "jwks.json").write_text(json.dumps(key.jwks()), encoding="utf-8")
    verifier = TokenVerifier(tmp_path / "jwks.json", issuer="nhipso", audience="nhipso")
    app = FastAPI()
    problems.install(app)
    sight = Sight(verifier, bench.domain.areas)
    acting = Acting(sight)
    here = Api(bench.pool, bench.domain, bench.clock)
    add_routes(app, sight=sight, api=lambda: here)
    add_acknowledgement_routes(app, sight=sight, acting=acting, api=lambda: here)
    add_silence_routes(app, sight=sight, acting=acting, api=lambda: here)
    async with serving(app) as url:
        tokens = issue_all(key, (PROVINCE, COMMUNE, OTHER), datetime.now(UTC))
        yield Client(url, tokens)


async def firing(bench: Bench, area: str = COMMUNE) -> UUID:
    """Make one alert fire, and keep the source speaking for a month."""
    await bench.take(told(100, area=area, fresh_at=bench.clock.now() + 30 * DAY))
    await bench.evaluate()
    await bench.evaluate(3 * DAY)
    async with bench.pool.acquire() as connection:
        (alert,), _ = await alerts.search(connection, Search(area=area))
    assert alert.state == "firing"
    return alert.id


def seen(promised_on: str | None = None) -> dict[str, Any]:
    return {"note": "Mở lớp tập huấn tại nhà văn hoá", "promised_on": promised_on}


def quiet(bench: Bench, **matchers: str) -> dict[str, Any]:
    ends_at = (bench.clock.now() + 2 * DAY).isoformat()
    return {"matchers": matchers, "ends_at": ends_at, "comment": "Đang chuyển trụ sở"}


async def test_an_alert_is_acknowledged(bench: Bench, client: Client) -> None:
    alert = await firing(bench)
    path = f"/v1/alerts/{alert}"
    status, answer = await client.call("POST", f"{path}/acknowledgement", UNIT, seen("2026-11-30"))
    assert status == 200
    assert answer["acknowledgement"] == {
        **seen("2026-11-30"),
        "acknowledged_at": "2026-11-25T01:30:00Z",
        "acknowledged_by": UNIT,
        "broken_at": None,
    }
    assert await client.call("GET", path, "leader") == (200, answer)

    # Said again it counts anew, and both are kept.
    await client.call("POST", f"{path}/acknowledgement", "operator", seen())
    _, history = await client.call("GET", f"{path}/history", UNIT)
    assert [(one["work"], one["done_by"], one["promised_on"]) for one in history["history"]] == [
        ("acknowledged", UNIT, "2026-11-30"),
        ("acknowledged", "operator", None),
    ]


async def test_a_broken_promise_fires_again(bench: Bench, client: Client) -> None:
    alert = await firing(bench)
    promising = Promising(bench.pool, bench.metrics)
    path = f"/v1/alerts/{alert}"
    await client.call("POST", f"{path}/acknowledgement", UNIT, seen("2026-11-27"))
    before = await bench.events()
    # The promised day is Vietnam's: it ends at 17:00 UTC.
    bench.clock.set(datetime(2026, 11, 27, 16, 59, tzinfo=UTC))
    await promising.step(bench.clock.now())
    assert await bench.events() == before
    bench.clock.set(datetime(2026, 11, 27, 17, 0, tzinfo=UTC))
    await promising.step(bench.clock.now())
    await promising.step(bench.clock.now())
    (event,) = (await bench.events())[len(before) :]
    assert json.loads(event)["id"] == f"{alert}/2"
    assert json.loads(event)["data"]["reason"] == "promise-broken"

    _, answer = await client.call("GET", path)
    assert answer["acknowledgement"]["broken_at"] == "2026-11-27T17:00:00Z"
    assert answer["state"] == "firing"
    _, history = await client.call("GET", f"{path}/history")
    assert [(one["work"], one["done_by"]) for one in history["history"]] == [
        ("acknowledged", UNIT),
        ("promise-broken", "notifier"),
    ]
    # The next judgement changes nothing of that.
    await bench.evaluate(timedelta(minutes=1))
    assert len(await bench.events()) == len(before) + 1


async def test_a_kept_promise_says_nothing(bench: Bench, client: Client) -> None:
    alert = await firing(bench)
    await client.call("POST", f"/v1/alerts/{alert}/acknowledgement", UNIT, seen("2026-11-27"))
    await bench.take(told(1000, version=2, fresh_at=bench.clock.now() + 30 * DAY))
    await bench.evaluate(DAY)
    bench.clock.advance(5 * DAY)
    await Promising(bench.pool, bench.metrics).step(bench.clock.now())
    assert "promise-broken" not in "".join(await bench.events())


async def test_who_may_acknowledge_what(bench: Bench, client: Client) -> None:
    alert = await firing(bench)
    path = f"/v1/alerts/{alert}/acknowledgement"
    for caller, expected in (
        (None, 401),
        (SOURCE, 403),
        ("leader", 403),
        (f"unit:{OTHER}", 404),
        (f"unit:{PROVINCE}", 200),
        ("operator", 200),
    ):
        status, _ = await client.call("POST", path, caller, seen())
        assert status == expected, caller
    for body, expected in (
        ({}, 422),
        ({"note": "  "}, 422),
        ({"note": "x", "promised": "2026-11-30"}, 422),
        (seen("2026-11-24"), 422),
        (seen("2028-01-01"), 422),
        (seen("mai"), 422),
    ):
        status, problem = await client.call("POST", path, UNIT, body)
        assert (status, problem["status"]) == (expected, expected), body
    nowhere = f"/v1/alerts/{UUID(int=5)}"
    assert (await client.call("POST", f"{nowhere}/acknowledgement", UNIT, seen()))[0] == 404
    assert (await client.call("GET", f"{nowhere}/history", UNIT))[0] == 404

    await bench.take(told(1000, version=2, fresh_at=bench.clock.now() + DAY))
    await bench.evaluate(timedelta(hours=1))
    status, problem = await client.call("POST", path, UNIT, seen())
    assert status == 409
    assert "resolved" in problem["detail"]


async def test_a_silence_from_beginning_to_end(bench: Bench, client: Client) -> None:
    wanted = quiet(bench, area=COMMUNE, set="digital-society")
    status, silence = await client.call("POST", "/v1/silences", UNIT, wanted)
    assert status == 201
    assert silence["state"] == "active"
    assert silence["created_by"] == UNIT
    assert silence["matchers"] == {
        "area": COMMUNE,
        "indicator": None,
        "set": "digital-society",
        "severity": None,
    }
    path = f"/v1/silences/{silence['id']}"
    assert await client.call("GET", path, UNIT) == (200, silence)
    assert await client.call("GET", "/v1/silences?state=active", "leader") == (
        200,
        {"silences": [silence]},
    )
    assert await client.call("GET", "/v1/silences?state=ended") == (200, {"silences": []})
    assert await client.call("GET", "/v1/silences", f"unit:{OTHER}") == (200, {"silences": []})
    assert (await client.call("GET", path, f"unit:{OTHER}"))[0] == 404
    assert (await client.call("DELETE", path, f"unit:{OTHER}"))[0] == 404
    assert (await client.call("DELETE", path, "leader"))[0] == 403

    assert await client.call("DELETE", path, UNIT) == (204, None)
    assert await client.call("DELETE", path, UNIT) == (204, None)
    _, ended = await client.call("GET", path)
    assert (ended["state"], ended["ended_at"]) == ("ended", "2026-11-22T01:30:00Z")
    _, history = await client.call("GET", f"{path}/history")
    assert [(one["work"], one["done_by"]) for one in history["history"]] == [
        ("silenced", UNIT),
        ("silence-ended", UNIT),
    ]


async def test_who_may_silence_what(bench: Bench, client: Client) -> None:
    now = bench.clock.now()
    for caller, wanted, expected in (
        (None, quiet(bench, area=COMMUNE), 401),
        (SOURCE, quiet(bench, area=COMMUNE), 403),
        ("leader", quiet(bench, area=COMMUNE), 403),
        (UNIT, quiet(bench, area=PROVINCE), 403),
        (UNIT, quiet(bench, severity="info"), 403),  # of no unit: of all
        (f"unit:{PROVINCE}", quiet(bench, area=COMMUNE), 201),
        ("operator", quiet(bench, severity="info"), 201),
        ("operator", quiet(bench), 422),
        ("operator", quiet(bench, area="2025:99999"), 422),
        ("operator", quiet(bench, set="digital-cats"), 422),
        ("operator", quiet(bench, colour="red"), 422),
        ("operator", quiet(bench, area=COMMUNE) | {"ends_at": now.isoformat()}, 422),
        (
            "operator",
            quiet(bench, area=COMMUNE) | {"starts_at": (now + 3 * DAY).isoformat()},
            422,
        ),
        ("operator", quiet(bench, area=COMMUNE) | {"comment": ""}, 422),
    ):
        status, _ = await client.call("POST", "/v1/silences", caller, wanted)
        assert status == expected, (caller, wanted)
    # A commune sees what reaches it from above, and cannot end it.
    _, found = await client.call("GET", "/v1/silences", UNIT)
    assert len(found["silences"]) == 2
    (of_all,) = [one for one in found["silences"] if one["matchers"]["area"] is None]
    status, problem = await client.call("DELETE", f"/v1/silences/{of_all['id']}", UNIT)
    assert (status, "beyond" in problem["detail"]) == (403, True)


async def test_the_description_names_the_routes(client: Client) -> None:
    _, described = await client.call("GET", "/openapi.json", None)
    assert "AcknowledgementRequest" in described["components"]["schemas"]
    assert described["paths"].keys() >= {
        "/v1/alerts/{alert_id}/acknowledgement",
        "/v1/alerts/{alert_id}/history",
        "/v1/silences",
        "/v1/silences/{silence_id}",
        "/v1/silences/{silence_id}/history",
    }
