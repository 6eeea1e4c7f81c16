"""A process that dies between publishing a retry and closing its rejection does no harm."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from contracts.topics import SUBJECT_EVENTS
from deploy.embedded.ports import free_port
from services.chassis.failpoints import VARIABLE
from tests.contract.ingest.service import Ingest, Keys
from tests.integration.ingest.rejecting.desk import (
    Desk,
    encoded,
    ids_on,
    new_source,
    publish,
    refusal,
    soon,
)


def _start(env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "services.ingest"], env=env)


@asynccontextmanager
async def _process(
    keys: Keys, kafka: str, database: str, failpoints: Path
) -> AsyncIterator[tuple[Ingest, subprocess.Popen[bytes]]]:
    port = free_port()
    env = os.environ | {
        "NHIPSO_HTTP__HOST": "127.0.0.1",
        "NHIPSO_HTTP__PORT": str(port),
        "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": kafka,
        "NHIPSO_TOKENS__JWKS_FILE": str(keys.folder / "jwks.json"),
        "NHIPSO_PSEUDONYM__KEY_FILE": str(keys.folder / "pseudonym.key"),
        "NHIPSO_REJECTIONS__KEY_FILE": str(keys.folder / "rejections.jwk"),
        "NHIPSO_REJECTIONS__GROUP_ID": f"killed-{secrets.token_hex(4)}",
        "NHIPSO_POSTGRES__DSN": database,
        VARIABLE: str(failpoints),
    }
    child = _start(env)
    try:
        async with aiohttp.ClientSession() as http:
            ingest = Ingest(f"http://127.0.0.1:{port}", http, keys)

            async def ready() -> bool:
                assert child.poll() is None
                try:
                    return (await ingest.get("/readyz"))[0] == 200
                except aiohttp.ClientError:
                    return False

            await soon(ready)
            yield ingest, child
    finally:
        child.kill()
        await asyncio.to_thread(child.wait)


@pytest.mark.parametrize("point", ["rejections.before-close", "rejections.before-kafka-commit"])
async def test_killed_at_any_point_it_goes_on(
    keys: Keys, kafka: str, database: str, tmp_path: Path, point: str
) -> None:
    failpoints = tmp_path / "failpoints"
    failpoints.mkdir()
    source = new_source()
    async with _process(keys, kafka, database, failpoints) as (ingest, child):
        desk = Desk(ingest, source)
        event = desk.event()
        rejection = refusal(keys, source, encoded(event))
        if point == "rejections.before-kafka-commit":
            (failpoints / point).write_text("kill", encoding="ascii")
        await publish(kafka, rejection.model_dump_json().encode())
        if point == "rejections.before-close":
            await desk.listed()
            (failpoints / point).write_text("kill", encoding="ascii")
            with pytest.raises(aiohttp.ClientError):
                await desk.do(f"/v1/rejections/{rejection.id}/retry")
        assert await asyncio.to_thread(child.wait, 60) == -signal.SIGKILL
    async with _process(keys, kafka, database, failpoints) as (ingest, _):
        desk = Desk(ingest, source)
        [found] = await desk.listed()
        assert (found["state"], found["attempts"]) == ("open", 0)
        _, answer = await desk.do(f"/v1/rejections/{rejection.id}/retry")
        assert answer["outcome"] == "accepted"
        assert (await desk.state(str(rejection.id)))["state"] == "accepted"
    # Published before it was closed: the killed one's event is there, and the same one again.
    published = (await ids_on(SUBJECT_EVENTS, kafka)).count(event["id"])
    assert published == (2 if point == "rejections.before-close" else 1)
