"""An operator's desk over a running ingest: asks for rejections, and works on them."""

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.rejected import RejectedEvent, public_part, seal
from contracts.topics import REJECTED_EVENTS
from tests.consumers import patience
from tests.contract.ingest.service import BATCH, Ingest, Keys
from tests.fault.waiting import until

PATIENCE_SECONDS = 60
#: An invented citizen, of a province that does not exist.
NUMBER = "000987654321"


async def soon(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until there is an answer."""
    async with patience(PATIENCE_SECONDS):
        return await until(ask)


def new_source() -> str:
    """A source that no other test uses; too short a number to be taken for a citizen's."""
    return f"urn:nhipso:source:{secrets.randbelow(10**9)}"


@dataclass
class Desk:
    """What an operator and a source do."""

    ingest: Ingest
    source: str = field(default_factory=new_source)

    @property
    def operator(self) -> str:
        return self.ingest.keys.token(sub="an operator", role="operator", sources=[], domains=[])

    def sender(self, *sources: str, **claims: Any) -> str:
        """A token of the source, or of these."""
        return self.ingest.keys.token(
            **{"sub": "a source", "sources": sources or [self.source]} | claims
        )

    def event(self, **changes: Any) -> dict[str, Any]:
        """A fit event of the source, unless it is changed."""
        return {
            "specversion": "1.0",
            "id": secrets.token_hex(8),
            "source": self.source,
            "type": "vn.nhipso.identity.eid-changed.v1",
            "subject": f"citizen:{NUMBER}",
            "time": "2026-03-01T08:30:00+07:00",
            "data": {"level": 2, "activated": True},
        } | changes

    def bad(self, **changes: Any) -> dict[str, Any]:
        """An event that is refused."""
        return self.event(**{"data": {"level": 7, "activated": True}} | changes)

    async def send(self, *events: Any, token: str | None = None) -> tuple[int, Any, Any]:
        """Send a batch."""
        return await self.ingest.post(
            list(events), content_type=BATCH, token=token or self.sender()
        )

    async def refused(self, *events: Any, token: str | None = None) -> None:
        """Send a batch of which nothing is accepted."""
        status, answer, _ = await self.send(*events, token=token)
        assert status == 422, answer

    async def get(self, path: str, token: str | None = None, **query: str) -> tuple[int, Any]:
        """Ask as an operator, or with a token."""
        headers = {"Authorization": f"Bearer {token or self.operator}"}
        url = f"{self.ingest.url}{path}"
        async with self.ingest.http.get(url, headers=headers, params=query) as answer:
            return answer.status, await answer.json(content_type=None)

    async def do(self, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """Post as an operator, or with a token."""
        headers = {"Authorization": f"Bearer {token or self.operator}"}
        url = f"{self.ingest.url}{path}"
        async with self.ingest.http.post(url, headers=headers, json=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def listed(self, count: int = 1, **query: str) -> list[dict[str, Any]]:
        """The source's rejections, once there are so many."""

        async def ask() -> Any:
            status, answer = await self.get("/v1/rejections", **{"source": self.source} | query)
            assert status == 200
            found = answer["rejections"]
            return (found,) if len(found) >= count else None

        found: list[dict[str, Any]]
        (found,) = await soon(ask)
        assert len(found) == count
        return found

    async def state(self, rejection: str) -> dict[str, Any]:
        """One rejection with its original."""
        status, answer = await self.get(f"/v1/rejections/{rejection}")
        assert status == 200
        assert isinstance(answer, dict)
        return answer


def refusal(keys: Keys, source: str, original: bytes, **changes: Any) -> RejectedEvent:
    """A rejection as an older build would have written it."""
    return RejectedEvent.model_validate(
        {
            "id": uuid4(),
            "reason": "bad-data",
            "detail": "data.level: unheard of",
            "rejected_at": "2026-11-22T03:00:00Z",
            "stage": "ingest",
            "caller": "a source",
            "caller_sources": [source],
            "caller_domains": ["identity"],
            "source": source,
            "event_id": "e-1",
            "event_type": "vn.nhipso.identity.eid-changed.v1",
            "origin": {"via": "http", "mode": "batch", "index": 0},
            "original_bytes": len(original),
            "sealed": seal(public_part(keys.rejections), original),
        }
        | changes
    )


async def publish(bootstrap: str, *values: bytes | None) -> None:
    """Write records to rejected-events.v1, whatever they are."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(REJECTED_EVENTS, value, key=b"any")
    finally:
        await producer.stop()


def encoded(event: Any) -> bytes:
    """As a sender writes it."""
    return json.dumps(event).encode()


async def ids_on(topic: str, bootstrap: str) -> list[str]:
    """The ids of all events that a topic holds."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        found: list[str] = []
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [json.loads(record.value)["id"] for record in records if record.value]
        return found
    finally:
        await consumer.stop()
