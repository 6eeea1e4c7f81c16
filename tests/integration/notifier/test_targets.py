"""What units are measured against: alerts that say whose target it is, and the same over HTTP."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from deploy.embedded.tokens import SigningKey, issue_all
from services.chassis import problems
from services.chassis.tokens import TokenVerifier
from services.notifier.callers import Sight
from services.notifier.http import Api, add_routes
from services.notifier.http_targets import add_target_routes
from services.notifier.pipeline.evaluating import Evaluating
from services.notifier.rules import Rules
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, Bench, told
from tests.integration.notifier.test_working import Client
from tests.provincial_files import rules_with
from tests.serving import serving

OTHER = "2025:02671"
SOURCE = "urn:nhipso:source:vneid"

OWN = """
units:
  "2025:02647":
    indicators:
      ds.smartphone:
        targets: {"2025": 60, "2030": 85}
        baseline: {on: 2024-12-31, percent: 41.5}
national:
  source: Invented for this test
  levels: [province, commune]
  targets:
    ds.smartphone: {"2025": 80, "2030": 95}
"""


@pytest.fixture
def in_force(tmp_path: Path) -> Rules:
    return rules_with(tmp_path, OWN)


@pytest.fixture
async def client(bench: Bench, in_force: Rules, tmp_path: Path) -> AsyncIterator[Client]:
    key = SigningKey.generate()
    (tmp_path / "jwks.json").write_text(json.dumps(key.jwks()), encoding="utf-8")
    verifier = TokenVerifier(tmp_path / "jwks.json", issuer="nhipso", audience="nhipso")
    app = FastAPI()
    problems.install(app)
    domain = replace(bench.domain, aims=in_force.aims)
    sight = Sight(verifier, domain.areas)
    here = Api(bench.pool, domain, bench.clock)
    add_routes(app, sight=sight, api=lambda: here)
    add_target_routes(app, sight=sight, api=lambda: here)
    async with serving(app) as url:
        yield Client(url, issue_all(key, (PROVINCE, COMMUNE, OTHER), datetime.now(UTC)))


async def targets(client: Client, query: str, caller: str = "operator") -> list[dict[str, Any]]:
    status, answer = await client.call("GET", f"/v1/targets?{query}", caller)
    assert (status, answer["on"]) == (200, "2026-11-22")
    found: list[dict[str, Any]] = answer["targets"]
    return found


async def test_an_alert_and_the_route_tell_of_the_same_lines(
    bench: Bench, in_force: Rules, client: Client
) -> None:
    evaluating = Evaluating(
        bench.pool, bench.domain, in_force, bench.metrics, full_pass_every=timedelta(hours=1)
    )
    await bench.take(told(550))
    await evaluating.step(bench.clock.now())
    _, answer = await client.call("GET", "/v1/alerts")
    (alert,) = answer["alerts"]
    (target,) = await targets(client, f"area={COMMUNE}&indicator=ds.smartphone")
    national, own = target["lines"]
    assert target["minimum_denominator"] == in_force.minimum_denominator("ds.smartphone")
    assert (alert["aim"], alert["pace"], alert["target"]) == ("national", 82.68, 95)
    assert (national["aim"], national["pace"], national["target"]) == ("national", 82.68, 95)
    assert (alert["other_pace"], alert["other_target"]) == (own["pace"], own["target"])
    assert own == {
        "aim": "own",
        "target": 85,
        "target_on": "2030-12-31",
        "pace": 64.46,
        "targets": [{"on": "2025-12-31", "percent": 60}, {"on": "2030-12-31", "percent": 85}],
        "baseline": {"on": "2024-12-31", "percent": 41.5},
    }


async def test_all_that_is_judged_of_a_unit(bench: Bench, client: Client) -> None:
    found = {one["indicator"]: one["lines"] for one in await targets(client, f"area={OTHER}")}
    aims = {name: [line["aim"] for line in of_one] for name, of_one in found.items()}
    assert aims["ds.fibre"] == ["provincial"]
    assert aims["ds.smartphone"] == ["provincial", "national"]  # with no figure, as they stand
    with_targets = {one.id for one in bench.domain.catalogue if one.targets.dated()}
    assert found.keys() == with_targets


async def test_all_units_in_one_indicator(client: Client) -> None:
    found = await targets(client, "indicator=ds.smartphone")
    assert len(found) == 100
    own = [one["area"] for one in found if "own" in {line["aim"] for line in one["lines"]}]
    assert own == [COMMUNE]


@pytest.mark.parametrize(
    ("caller", "query", "status"),
    [
        ("leader", f"area={COMMUNE}", 200),
        (f"unit:{COMMUNE}", f"area={COMMUNE}", 200),
        (f"unit:{PROVINCE}", f"area={COMMUNE}", 200),
        (f"unit:{COMMUNE}", f"area={OTHER}", 403),
        (SOURCE, f"area={COMMUNE}", 403),
        (None, f"area={COMMUNE}", 401),
        ("operator", "", 422),
        ("operator", "area=2025:99999", 404),
        ("operator", f"area={COMMUNE}&indicator=ds.x", 404),
    ],
)
async def test_who_may_ask_for_what(
    client: Client, caller: str | None, query: str, status: int
) -> None:
    assert (await client.call("GET", f"/v1/targets?{query}", caller))[0] == status


async def test_a_unit_sees_itself_among_all(client: Client) -> None:
    found = await targets(client, "indicator=ds.smartphone", f"unit:{COMMUNE}")
    assert [one["area"] for one in found] == [COMMUNE]
