"""`nhipso rejections` against a running ingest."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.integration.ingest.rejecting.desk import NUMBER, Desk, encoded, publish, refusal


async def _nhipso(endpoints: Path, *arguments: str) -> tuple[int | None, str]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *arguments, "--endpoints", str(endpoints)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    return child.returncode, out.decode()


def _endpoints(desk: Desk, folder: Path) -> Path:
    file = folder / "endpoints.json"
    file.write_text(json.dumps({"ingest": desk.ingest.url, "tokens": {"operator": desk.operator}}))
    return file


async def test_rejections_are_listed_shown_retried_and_dismissed(
    desk: Desk, kafka: str, tmp_path: Path
) -> None:
    file = _endpoints(desk, tmp_path)

    async def told(code: int, *arguments: str) -> Any:
        returned, out = await _nhipso(file, "rejections", *arguments, "--json")
        assert returned == code
        return json.loads(out)

    fit = [refusal(desk.ingest.keys, desk.source, encoded(desk.event())) for _ in range(150)]
    await publish(kafka, *(one.model_dump_json().encode() for one in fit))
    await desk.refused(desk.bad())
    await desk.listed(151, limit="500")
    mine = ("--source", desk.source)
    assert (await told(0, "counts", *mine))["total"] == 151
    outcomes = [one["outcome"] for one in (await told(1, "retry", *mine))["results"]]
    assert (outcomes.count("accepted"), outcomes.count("refused")) == (150, 1)
    [left] = (await told(0, "list", *mine))["rejections"]
    code, shown = await _nhipso(file, "rejections", "show", left["id"])
    assert code == 0
    assert "citizen:***" in shown
    assert NUMBER not in shown
    assert (await _nhipso(file, "rejections", "retry", left["id"]))[0] == 1
    dismissal = ("rejections", "dismiss", left["id"], "--note", "a test")
    assert (await _nhipso(file, *dismissal))[0] == 0
    code, listed = await _nhipso(file, "rejections", "list", *mine, "--state", "dismissed")
    assert code == 0
    assert left["id"] in listed
    assert (await _nhipso(file, *dismissal))[0] == 2


async def test_a_paused_source_is_resumed(desk: Desk, tmp_path: Path) -> None:
    for _ in range(2):
        await desk.refused(*(desk.bad() for _ in range(500)))
    assert (await desk.send(desk.event()))[0] == 429
    resume = ("sources", "resume", desk.source)
    file = _endpoints(desk, tmp_path)
    assert (await _nhipso(file, *resume))[0] == 0
    assert (await desk.send(desk.event()))[0] == 202
    assert (await _nhipso(file, *resume))[0] == 2
