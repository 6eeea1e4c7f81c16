"""PostgreSQL is away: events go on being accepted; connectors rest and come back by themselves."""

import asyncio
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from contracts.topics import SUBJECT_EVENTS
from deploy.embedded.ports import free_port
from deploy.embedded.postgres import Postgres
from tests.contract.ingest.service import BATCH, Keys
from tests.integration.ingest.connectors.conformance import Process, Setting, hearing, running
from tests.integration.ingest.connectors.test_lines import Lines


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A server of this test alone, which it may stop and start."""
    server = Postgres(tmp_path / "postgres", port=free_port(), password=uuid.uuid4().hex)
    server.start()
    server.wait_ready(60)
    try:
        yield server
    finally:
        server.stop()


async def post(process: Process, keys: Keys, source: str, first: int) -> int:
    """Send twenty events, some of them bad; returns the answer's status."""
    events = [
        {
            "specversion": "1.0",
            "id": f"posted-{number}",
            "source": source,
            "type": "vn.nhipso.identity.eid-changed.v1",
            "subject": f"citizen:{number:012}",
            "time": "2026-03-01T08:30:00+07:00",
            "data": {"level": 2, "activated": True} if number % 7 else {},
        }
        for number in range(first, first + 20)
    ]
    token = keys.token(sources=[source])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH}
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"http://127.0.0.1:{process.port}/v1/events",
            data=json.dumps(events),
            headers=headers,
        ) as answer,
    ):
        return answer.status


async def test_events_are_accepted_and_connectors_go_on_afterwards(
    kafka: str,
    own_postgres: Postgres,
    tmp_path: Path,
    topics: None,
) -> None:
    keys = Keys(tmp_path / "keys")
    keys.folder.mkdir()
    keys.write()
    file = tmp_path / "events.ndjson"
    file.touch()
    ground = Lines(file)
    setting = Setting(
        tmp_path, kafka, own_postgres.dsn, keys, ground.source, program="tests.fakes.lines"
    )
    setting.describe(ground)
    await ground.add(range(5))
    async with hearing(setting, SUBJECT_EVENTS) as heard, running(setting) as ingest:
        await heard.until(lambda found: len(found) >= 5)
        await asyncio.to_thread(own_postgres.stop)
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await asyncpg.connect(own_postgres.dsn, timeout=5)

        await ground.add(range(5, 10))
        for first in range(1_000, 1_100, 20):
            assert await post(ingest, keys, ground.source, first) == 207
        assert json.loads(await ingest.get("/readyz"))

        await asyncio.to_thread(own_postgres.before_start)
        own_postgres.start()
        await asyncio.to_thread(own_postgres.wait_ready, 60)
        wanted = {setting.subject(number) for number in range(10)}
        await heard.until(lambda found: {one["subject"] for one in found} >= wanted)
        await ingest.until("/v1/connectors", lambda text: '"running"' in text)
        assert ingest.child.poll() is None
