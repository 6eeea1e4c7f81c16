"""A running ingest over a real broker, and what a source system needs to speak to it."""

import io
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import SecretStr

from services.chassis.clock import Clock
from services.chassis.settings import HttpSettings, KafkaSettings, PostgresSettings, TokenSettings
from services.ingest.app import build
from services.ingest.settings import (
    IngestSettings,
    LimitSettings,
    PseudonymSettings,
    RejectionSettings,
)
from tests.serving import serving

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
        private = self.rejections.as_dict(private=True)
        (self.folder / "rejections.jwk").write_text(json.dumps(private))
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
            f"{self.url}/v1/events", data=io.BytesIO(data), headers=sent, skip_auto_headers=skip
        ) as answer:
            return answer.status, await answer.json(content_type=None), dict(answer.headers)

    async def get(self, path: str, *, token: str | None = None) -> tuple[int, Any]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with self.http.get(f"{self.url}{path}", headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text[:1] in "{[" else text


def settings_for(keys: Keys, bootstrap: str, database: str, **limits: Any) -> IngestSettings:
    return IngestSettings(
        http=HttpSettings(port=0),
        kafka=KafkaSettings(bootstrap_servers=bootstrap, partitions=4),
        tokens=TokenSettings(jwks_file=keys.folder / "jwks.json"),
        pseudonym=PseudonymSettings(key_file=keys.folder / "pseudonym.key"),
        # Each database has rejections of its own, also of what older tests have refused.
        rejections=RejectionSettings(
            key_file=keys.folder / "rejections.jwk", group_id=f"rejections-{secrets.token_hex(4)}"
        ),
        postgres=PostgresSettings(dsn=SecretStr(database)),
        ingest=LimitSettings(**limits),
    )


@asynccontextmanager
async def running(
    settings: IngestSettings, keys: Keys, clock: Clock | None = None
) -> AsyncIterator[Ingest]:
    """Run ingest on a free port of loopback in this event loop."""
    async with serving(build(settings, clock)) as url, aiohttp.ClientSession() as http:
        yield Ingest(url, http, keys)


class Topic:
    """What arrives on a topic from now on."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    @property
    def partitions(self) -> int:
        """How many partitions the topic has."""
        return len(self._consumer.assignment())

    async def take(self, count: int) -> list[ConsumerRecord[bytes, bytes]]:
        """Wait for so many records, and see that no more come at once."""
        found: list[ConsumerRecord[bytes, bytes]] = []
        deadline = time.monotonic() + 10
        while len(found) < count and time.monotonic() < deadline:
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                found.extend(records)
        for records in (await self._consumer.getmany(timeout_ms=100)).values():
            found.extend(records)
        assert len(found) == count
        return found


@asynccontextmanager
async def tail(topic: str, bootstrap: str) -> AsyncIterator[Topic]:
    """Follow a topic from its present end."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        await consumer.seek_to_end()
        for partition in consumer.assignment():
            await consumer.position(partition)
        yield Topic(consumer)
    finally:
        await consumer.stop()
