"""`nhipso indicators` beside a notifier that judges a unit by targets of its own."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.cli.__main__ import main
from services.notifier.rules import Rules
from tests.fakes.http_stack import Answer, FakeStack, fake_stack
from tests.integration.notifier.conftest import COMMUNE, Bench, bench, migrated, told
from tests.integration.notifier.test_targets import client
from tests.integration.notifier.test_working import Client
from tests.provincial_files import rules_with

__all__ = ["bench", "client", "migrated"]

OWN = """
units:
  "2025:02647":
    indicators:
      ds.smartphone:
        targets: {"2025": 60, "2030": 85}
"""

FIGURE = {
    "id": "ds.smartphone",
    "numerator": 550,
    "denominator": 1000,
    "value": 55,
    "basis": "events",
    "target": 90,
    "pace": 73.57,
    "gap_people": 186,
    "projected_on": None,
    "projection": None,
    "updated_at": "2026-11-22T01:30:00Z",
}


@pytest.fixture
def in_force(tmp_path: Path) -> Rules:
    return rules_with(tmp_path, OWN)


@pytest.fixture
def scoring() -> Iterator[FakeStack]:
    answer = {"area": COMMUNE, "as_of": "2026-11-22T01:30:00Z", "indicators": [FIGURE]}
    with fake_stack() as running:
        running.answers[f"/v1/areas/{COMMUNE}/indicators"] = lambda _: Answer(200, answer)
        yield running


def endpoints(folder: Path, scoring: FakeStack, client: Client, *, notifier: str) -> Path:
    file = folder / "endpoints.json"
    content = {"scoring": scoring.url, "notifier": notifier, "tokens": client.tokens}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


async def shown(file: Path, capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    """What the command prints; the services run in this process meanwhile."""
    capsys.readouterr()
    arguments = ["indicators", COMMUNE, "--endpoints", str(file), *more]
    assert await asyncio.to_thread(main, arguments) == 0
    return capsys.readouterr()


async def test_the_units_own_target_stands_beside_its_figure(
    bench: Bench,
    client: Client,
    scoring: FakeStack,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await bench.take(told(550))
    file = endpoints(tmp_path, scoring, client, notifier=client.url)
    said = await shown(file, capsys)
    assert "own 85.00 %" in said.out
    assert (
        "ds.smartphone: judged by the unit's own target 85.00 % (pace 64.46 %); "
        "the province's target 90.00 % (pace 73.57 %)"
    ) in said.out
    (figure,) = json.loads((await shown(file, capsys, "--json")).out)["indicators"]
    assert {name: figure[name] for name in FIGURE} == FIGURE
    assert figure["measured"] == {
        "aim": "own",
        "target": 85,
        "pace": 64.46,
        "gap_people": 95,
        "projected_on": None,
        "projection": None,
    }


async def test_without_the_notifier_a_line_says_that_targets_are_the_provinces(
    client: Client,
    scoring: FakeStack,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = endpoints(tmp_path, scoring, client, notifier="http://127.0.0.1:9")
    said = await shown(file, capsys)
    assert "targets are the province's: what the unit is judged by is not known" in said.out
    assert "own" not in said.out.partition("Id")[2]
    assert json.loads((await shown(file, capsys, "--json")).out)["measured_by"] == "scoring"
