"""A running ingest over a real broker, and what a source system needs to speak to it."""

import asyncio
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from joserfc import jwt
from joserfc.jwk import ECKey

from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS
from services.chassis.settings import HttpSettings, KafkaSettings, TokenSettings
from services.ingest.app import build
from services.ingest.settings import (
    IngestSettings,
    LimitSettings,
    PseudonymSettings,
    RejectionSettings,
)

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


@dataclass(frozen=True)
class Keys:
    """Keys as the embedded stack would make them."""

    folder: Path
    tokens: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "test"}))
    rejections: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    pseudonym: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def write(self) -> None:
        public = self.tokens.as_dict(private=False)
        (self.folder / "jwks.json").write_text(json.dumps({"keys": [public]}))
        (self.folder / "rejections.jwk").write_text(json.dumps(self.rejections.as_dict()))
        (self.folder / "pseudonym.key").write_text(self.pseudonym.hex())

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        held = {
            "iss": "nhipso",
            "aud": "nhipso",
            "sub": "vneid",
            "role": "source",
            "sources": ["urn:nhipso:source:vneid"],
            "domains": ["identity"],
            "iat": now,
            "exp": now + 600,
        } | claims
        return jwt.encode({"alg": "ES256", "kid": "test"}, held, self.tokens)


@dataclass(frozen=True)
class Ingest:
    """A running ingest, as a source system sees it."""

    url: str
    http: aiohttp.ClientSession
    keys: Keys

    async def post(
        self,
        body: Any,
        *,
        content_type: str | None = STRUCTURED,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any, dict[str, str]]:
        """Send a body (bytes as they are, else as JSON): status, decoded answer, headers."""
        sent = {"Authorization": f"Bearer {token or self.keys.token()}"} | (headers or {})
        if content_type is not None:
            sent["Content-Type"] = content_type
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        skip = ["Content-Type"] if content_type is None else None
        async with self.http.post(
            f"{self.url}/v1/events", data=data, headers=sent, skip_auto_headers=skip
        ) as answer:
            return answer.status, await answer.json(content_type=None), dict(answer.headers)

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(f"{self.url}{path}") as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text[:1] in "{[" else text


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    made = Keys(tmp_path_factory.mktemp("keys"))
    made.write()
    return made


def settings_for(keys: Keys, bootstrap: str, **limits: Any) -> IngestSettings:
    return IngestSettings(
        http=HttpSettings(port=0),
        kafka=KafkaSettings(bootstrap_servers=bootstrap, partitions=4),
        tokens=TokenSettings(jwks_file=keys.folder / "jwks.json"),
        pseudonym=PseudonymSettings(key_file=keys.folder / "pseudonym.key"),
        rejections=RejectionSettings(key_file=keys.folder / "rejections.jwk"),
        ingest=LimitSettings(**limits),
    )


@asynccontextmanager
async def running(settings: IngestSettings, keys: Keys) -> AsyncIterator[Ingest]:
    """Run ingest on a free port of loopback in this event loop."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(build(settings), lifespan="on", log_config=None, access_log=False)
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("ingest did not start")
            await asyncio.sleep(0.02)
        async with aiohttp.ClientSession() as http:
            port = listener.getsockname()[1]
            yield Ingest(f"http://127.0.0.1:{port}", http, keys)
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest.fixture(scope="session")
async def ingest(kafka: str, keys: Keys) -> AsyncIterator[Ingest]:
    """An ingest with limits small enough to reach."""
    limits = {"max_body_bytes": 300_000, "max_event_bytes": 20_000}
    async with running(settings_for(keys, kafka, **limits), keys) as service:
        yield service


class Topic:
    """What arrives on a topic from now on."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def take(self, count: int) -> list[ConsumerRecord[bytes, bytes]]:
        """Wait for so many records (and see that no more have come)."""
        found: list[ConsumerRecord[bytes, bytes]] = []
        deadline = time.monotonic() + 10
        while len(found) < count and time.monotonic() < deadline:
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                found.extend(records)
        assert len(found) == count
        return found


@asynccontextmanager
async def _tail(topic: str, bootstrap: str) -> AsyncIterator[Topic]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in await _partitions(consumer, topic)]
        consumer.assign(partitions)
        for partition, end in (await consumer.end_offsets(partitions)).items():
            consumer.seek(partition, end)
        yield Topic(consumer)
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer.topics()
    return consumer.partitions_for_topic(topic) or set()


@pytest.fixture
async def subject_events(ingest: Ingest, kafka: str) -> AsyncIterator[Topic]:
    async with _tail(SUBJECT_EVENTS, kafka) as topic:
        yield topic


@pytest.fixture
async def rejected_events(ingest: Ingest, kafka: str) -> AsyncIterator[Topic]:
    async with _tail(REJECTED_EVENTS, kafka) as topic:
        yield topic


@pytest.fixture
def event() -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes events that are fit for acceptance, each with an id of its own."""
    run = secrets.token_hex(4)
    count = 0

    def make(**changes: Any) -> dict[str, Any]:
        nonlocal count
        count += 1
        fit = {
            "specversion": "1.0",
            "id": f"{run}-{count}",
            "source": "urn:nhipso:source:vneid",
            "type": "vn.nhipso.identity.eid-changed.v1",
            "subject": "citizen:000123456789",
            "time": "2026-03-01T08:30:00+07:00",
            "datacontenttype": "application/json",
            "data": {"level": 2, "activated": True},
        } | changes
        return {name: value for name, value in fit.items() if value is not ...}

    yield make
