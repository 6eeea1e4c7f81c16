"""Limits of what callers may send at once and in a row."""

import asyncio
from pathlib import Path
from typing import Any

from tests.contract.ingest.service import BATCH, Keys, running, settings_for


def batch(count: int) -> list[dict[str, Any]]:
    return [
        {
            "specversion": "1.0",
            "id": f"limits-{number}",
            "source": "urn:nhipso:source:vneid",
            "type": "vn.nhipso.identity.eid-changed.v1",
            "subject": f"citizen:{number:012}",
            "time": "2026-03-01T08:30:00+07:00",
            "data": {"level": 2, "activated": True},
        }
        for number in range(count)
    ]


async def test_a_caller_that_is_too_fast_is_told_to_wait(
    kafka: str, database: str, tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    keys.write()
    async with running(settings_for(keys, kafka, database, rate=100, burst=100), keys) as ingest:
        assert (await ingest.post(batch(250), content_type=BATCH))[0] == 202
        status, problem, headers = await ingest.post(batch(1), content_type=BATCH)
        assert (status, problem["status"], headers["Retry-After"]) == (429, 429, "2")
        somebody_else = keys.token(sub="another")
        assert (await ingest.post(batch(1), content_type=BATCH, token=somebody_else))[0] == 202
        await asyncio.sleep(2)
        assert (await ingest.post(batch(1), content_type=BATCH))[0] == 202


async def test_bodies_beyond_what_the_process_may_hold_are_told_to_come_again(
    kafka: str, database: str, tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    keys.write()
    limits = {"max_body_bytes": 2 << 20, "max_bytes_in_flight": 1 << 20}
    async with running(settings_for(keys, kafka, database, **limits), keys) as ingest:
        body = batch(1)
        body[0]["data"]["padding"] = "x" * (1 << 20)
        status, _, headers = await ingest.post(body, content_type=BATCH)
        assert (status, headers["Retry-After"]) == (429, "1")
        # What was held is free again.
        assert (await ingest.post(batch(1000), content_type=BATCH))[0] == 202
