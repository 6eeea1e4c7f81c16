"""A report is neither lost nor doubled, whatever dies between the database and the broker."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer

from contracts.topics import SUBJECT_EVENTS
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from services.chassis.failpoints import VARIABLE
from tests.contract.ingest.service import Keys, running, settings_for
from tests.integration.ingest.test_process import environment, start

UNIT = "2025:04252"
REPORT = {
    "area": UNIT,
    "period": "2026-10",
    "rows": [
        {"indicator": "nf.community-teams", "numerator": 12, "denominator": 14},
        {"indicator": "dt.soc.5", "numerator": 3, "denominator": 4},
    ],
}
WAIT_SECONDS = 90.0


@contextmanager
def serving(env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Ingest as a process; whatever happens, it does not stay."""
    process = start(env | {"NHIPSO_LOG__LEVEL": "error"})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def send(url: str, token: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/v1/reports", data=json.dumps(REPORT), headers=headers) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def ready(url: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            assert time.monotonic() < deadline, "ingest did not become ready"
            await asyncio.sleep(0.1)


async def settled(database: str) -> list[tuple[Any, ...]]:
    """Version, state and waiting events of all reports, once none is pending any more."""
    connection = await asyncpg.connect(database, server_settings={"search_path": "ingest"})
    query = (
        "SELECT version, state, (SELECT count(*) FROM report_events WHERE report = id) "
        "FROM reports ORDER BY version"
    )
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            rows = [tuple(row) for row in await connection.fetch(query)]
            if all(state != "pending" for _, state, _ in rows):
                return rows
            assert time.monotonic() < deadline, "a report stays pending"
            await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def published(bootstrap: str, since: dict[int, int]) -> list[dict[str, Any]]:
    """All events of the unit on the topic from these offsets to its end."""
    consumer = AIOKafkaConsumer(
        SUBJECT_EVENTS, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = consumer.assignment()
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, since.get(partition.partition, 0))
        found = []
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [record for record in records if record.key == f"area:{UNIT}".encode()]
        return [json.loads(record.value) for record in found]
    finally:
        await consumer.stop()


async def ends(bootstrap: str) -> dict[int, int]:
    consumer = AIOKafkaConsumer(SUBJECT_EVENTS, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        offsets = await consumer.end_offsets(consumer.assignment())
        return {partition.partition: offset for partition, offset in offsets.items()}
    finally:
        await consumer.stop()


@pytest.mark.parametrize(
    "point", ["reports.kept", "ingest.after-acknowledgement", "reports.published"]
)
async def test_a_killed_process_neither_loses_nor_doubles_a_report(
    kafka: str, topics: None, database: str, tmp_path: Path, point: str
) -> None:
    keys = Keys(tmp_path)
    keys.write()
    faults = tmp_path / "faults"
    faults.mkdir()
    (faults / point).write_text("kill", encoding="ascii")
    port = free_port()
    url, token = f"http://127.0.0.1:{port}", keys.token(sub="operator", role="operator")
    env = environment(keys, kafka, port, database)
    since = await ends(kafka)

    with serving(env | {VARIABLE: os.fspath(faults)}) as process:
        await ready(url)
        with pytest.raises(aiohttp.ClientError):
            await send(url, token)
        assert await asyncio.to_thread(process.wait, 30) == -9

    with serving(env):
        await ready(url)
        assert await settled(database) == [(1, "accepted", 0)]
        # Who has lost the answer sends once more, and is told of the version that there is.
        status, answer = await send(url, token)
        assert (status, answer["version"], answer["state"]) == (200, 1, "accepted")

    events = await published(kafka, since)
    ids = {f"{UNIT}|2026-10|{row['indicator']}|1" for row in REPORT["rows"]}  # type: ignore[index]
    assert {event["id"] for event in events} == ids
    # What came twice is the same to the letter, so that it counts once.
    assert len({json.dumps(event, sort_keys=True) for event in events}) == len(ids)


async def test_a_report_that_comes_while_the_broker_is_away_is_accepted_when_it_is_back(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "keys").mkdir()
    keys = Keys(tmp_path / "keys")
    keys.write()
    broker = Kafka(tmp_path / "kafka", port=free_port(), controller_port=free_port(), heap="256m")
    broker.start()
    try:
        broker.wait_ready(60)
        settings = settings_for(keys, broker.bootstrap, database, delivery_timeout_seconds=2.0)
        async with running(settings, keys) as ingest:
            token = keys.token(sub="operator", role="operator")
            await asyncio.to_thread(broker.stop)
            status, answer = await send(ingest.url, token)
            assert status == 503
            assert "is kept" in answer["detail"]
            headers = {"Authorization": f"Bearer {token}"}
            async with ingest.http.get(f"{ingest.url}/v1/reports", headers=headers) as listed:
                [kept] = (await listed.json())["reports"]
            assert (kept["state"], kept["accepted_at"]) == ("pending", None)

            broker.start()
            await asyncio.to_thread(broker.wait_ready, 60)
            assert await settled(database) == [(1, "accepted", 0)]
            assert (await send(ingest.url, token))[0] == 200
        assert len({event["id"] for event in await published(broker.bootstrap, {})}) == 2
    finally:
        broker.stop()


async def test_a_kept_report_that_a_later_build_does_not_take_is_refused_and_says_why(
    kafka: str, database: str, tmp_path: Path
) -> None:
    keys = Keys(tmp_path)
    keys.write()
    settings = settings_for(keys, kafka, database)
    async with running(settings, keys) as ingest:
        connection = await asyncpg.connect(database, server_settings={"search_path": "ingest"})
        report = uuid4()
        event = {
            "specversion": "1.0",
            "id": "old|1",
            "source": "urn:nhipso:source:report",
            "type": "vn.nhipso.report.figures-submitted.v1",
            "subject": f"area:{UNIT}",
            "time": "2026-11-03T02:00:00Z",
            "data": {"indicator": "dt.gone", "period": "2026-10", "value": 1},
        }
        try:
            await connection.execute(
                "INSERT INTO reports (id, reporter, period, version, state, submitted_at, sub, role, "
                "media_type, sha256, file) VALUES ($1, $2, '2026-10', 1, 'pending', $3, 'unit', "
                "'unit', 'application/json', '', '')",
                report,
                f"area:{UNIT}",
                datetime(2026, 11, 3, 2, tzinfo=UTC),
            )
            await connection.execute(
                "INSERT INTO report_events VALUES ($1, 1, $2)", report, json.dumps(event)
            )
        finally:
            await connection.close()

        assert await settled(database) == [(1, "refused", 0)]

        token = keys.token(sub="operator", role="operator")
        headers = {"Authorization": f"Bearer {token}"}
        async with ingest.http.get(f"{ingest.url}/v1/reports/{report}", headers=headers) as answer:
            assert "not in the catalogue" in (await answer.json())["detail"]
        # Its number is taken, but what it said does not count as reported before.
        status, sent = await send(ingest.url, token)
        assert (status, sent["version"]) == (201, 2)
        assert {figure["change"] for figure in sent["figures"]} == {"new"}
