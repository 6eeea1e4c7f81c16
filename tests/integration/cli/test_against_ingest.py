"""The command against the real ingest and a real broker."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import SUBJECT_EVENTS
from deploy.embedded.ports import free_port
from deploy.embedded.secret_files import SecretFiles
from deploy.embedded.tokens import issue_all
from services.cli.__main__ import main
from services.simulator.disturbance import spoil

READY_SECONDS = 60
PROVINCE = ("simulate", "--citizens", "150", "--seed", "8", "--started-at", "2026-01-15T09:00:00Z")


@pytest.fixture(scope="module")
def endpoints(
    kafka: str, postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A running ingest, in a file as `nhipso up` writes it."""
    root = tmp_path_factory.mktemp("stack")
    secrets = SecretFiles(root / "secrets")
    tokens = issue_all(secrets.make(), [], datetime.now(UTC))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "NHIPSO_HTTP__HOST": "127.0.0.1",
        "NHIPSO_HTTP__PORT": str(port),
        "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": kafka,
        "NHIPSO_TOKENS__JWKS_FILE": str(secrets.jwks),
        "NHIPSO_PSEUDONYM__KEY_FILE": str(secrets.pseudonym_key),
        "NHIPSO_REJECTIONS__KEY_FILE": str(secrets.rejections_private),
        "NHIPSO_POSTGRES__DSN": postgres,
    }
    file = root / "endpoints.json"
    file.write_text(json.dumps({"ingest": url, "tokens": tokens}), encoding="utf-8")
    log = root / "ingest.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.ingest"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            if not asyncio.run(_is_ready(url, process)):
                pytest.fail(f"ingest is not ready: {log.read_text(encoding='utf-8')[-2000:]}")
            yield file
        finally:
            process.terminate()
            process.wait(20)


async def _is_ready(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                async with session.get(f"{url}/readyz") as response:
                    if response.status == 200:
                        return True
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
    return False


async def _ends(bootstrap: str) -> dict[TopicPartition, int]:
    """Where each partition of subject-events.v1 ends now."""
    consumer = AIOKafkaConsumer(SUBJECT_EVENTS, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
        return ends
    finally:
        await consumer.stop()


async def _published(bootstrap: str, since: Mapping[TopicPartition, int]) -> list[dict[str, Any]]:
    """Everything on subject-events.v1 up to now; the topic may have other tests' records before."""
    consumer = AIOKafkaConsumer(SUBJECT_EVENTS, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        for partition in ends:
            consumer.seek(partition, since[partition])
        found: list[dict[str, Any]] = []
        while len(found) < sum(ends.values()) - sum(since.values()):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found.extend(json.loads(record.value) for record in records)
        return found
    finally:
        await consumer.stop()


def _filling(tmp_path: Path) -> list[dict[str, Any]]:
    file = tmp_path / "filling.jsonl"
    assert main([*PROVINCE, "--out", str(file)]) == 0
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_simulated_province_is_accepted_as_a_whole(
    endpoints: Path, kafka: str, tmp_path: Path
) -> None:
    arguments = ["--rate", "0", "--live-rate", "0", "--events", "3000"]
    since = asyncio.run(_ends(kafka))
    assert main([*PROVINCE, *arguments, "--endpoints", str(endpoints)]) == 0
    published = asyncio.run(_published(kafka, since))
    ids = {event["id"] for event in published}
    assert len(ids) >= 3000
    assert {event["id"] for event in _filling(tmp_path)} <= ids
    assert not any(re.fullmatch(r"citizen:\d{12}", event["subject"]) for event in published)


def test_what_ingest_refuses_is_shown(
    endpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = _filling(tmp_path)
    rng = Random(2)
    expected = set()
    for at in range(0, len(events), 40):
        reason, events[at] = spoil(events[at], rng)
        expected.add(reason.value)
    file = tmp_path / "mixed.jsonl"
    file.write_text("\n".join(json.dumps(event) for event in events), encoding="utf-8")
    capsys.readouterr()
    assert main(["send", str(file), "--endpoints", str(endpoints)]) == 1
    out = capsys.readouterr().out
    bad = len(range(0, len(events), 40))
    assert f"{len(events) - bad:,} accepted, {bad:,} refused" in out
    assert all(reason in out for reason in expected)
    numbers = [event["subject"].partition(":")[2] for event in events]
    assert not any(number in out for number in numbers if len(number) == 12)


def test_status_tells_what_is_missing(endpoints: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--endpoints", str(endpoints)]) == 1
    out = capsys.readouterr().out
    assert "ready" in out
    assert "not in endpoints.json" in out
