"""Feeds the line: a seeded stream of hard events without end, partly through ingest over HTTP.

The rest is written to the topic as ingest would write it, by ingest's own verdict. A little of what
is written there is nothing that anybody could read.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts import areas, catalogue
from contracts.tokens import principal
from contracts.topics import CLOUDEVENTS_JSON, CONTENT_TYPE_HEADER, SUBJECT_EVENTS
from deploy.embedded.tokens import local_callers
from services.ingest.core.check import Knowledge, check
from services.ingest.core.partition import partition_of
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import Accepted
from tests.e2e.hard.stream import Item, hard_stream
from tests.e2e.sending import Sender, batches
from tests.fault.topics import PARTITIONS

#: Of all events, what goes through ingest.
_OVER_HTTP: Final = 0.25
_HTTP_BATCH: Final = 25
_FAULTY: Final = 0.02
_UNREADABLE: Final = 0.003
_STOP_SECONDS: Final = 3.0
_HEADERS: Final = [(CONTENT_TYPE_HEADER, CLOUDEVENTS_JSON.encode())]

_encode: Final = msgspec.json.Encoder().encode


class Feed:
    """Sends portions of the stream and remembers all of it."""

    def __init__(
        self,
        *,
        seed: int,
        size: int,
        now: datetime,
        bootstrap: str,
        pseudonym_key: bytes,
        sender: Sender,
    ) -> None:
        """Say what is sent, and to whom; nothing is sent yet.

        Args:
            seed: the same one gives the same stream for one moment.
            size: how many events are made at a time.
            now: the moment that the stream turns around.
            bootstrap: the broker.
            pseudonym_key: ingest's.
            sender: speaks to ingest.
        """
        self._rng = Random(seed)
        self._now = now
        self._bootstrap = bootstrap
        self._sender = sender
        self._stream = _endless(seed, size, now)
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._knowledge = Knowledge(
            areas=areas.load(),
            indicators=frozenset(catalogue.load().by_id),
            pseudonymiser=Pseudonymiser(pseudonym_key),
        )
        self._callers = {name: principal(claims) for name, claims in local_callers(()).items()}
        self.sent: list[Item] = []
        """All that the line must have accepted in the end."""
        self.unreadable = 0
        """Records of which nobody can make an event, as they were written at least once."""

    @property
    def retries(self) -> int:
        """Requests to ingest that had to be tried again."""
        return self._sender.retries

    async def stop(self) -> None:
        """Let go of the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # It would wait for a broker that is away.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await producer.stop()

    async def portion(self, size: int) -> None:
        """Send so many acceptable events, and return when all have been acknowledged."""
        items = []
        while size > 0:
            items.append(next(self._stream))
            size -= items[-1].reason is None
        over_http = [
            item for item in items if item.reason is not None or self._rng.random() < _OVER_HTTP
        ]
        chosen = set(map(id, over_http))
        direct = [item for item in items if id(item) not in chosen]
        self.sent += [item for item in items if item.reason is None]
        async with asyncio.TaskGroup() as group:
            parcels = batches(over_http, lambda: _HTTP_BATCH)
            group.create_task(self._sender.send(parcels, mode=self._rng))
            group.create_task(self._write(direct))

    def missing(self, values: Sequence[bytes | None]) -> int:
        """How many of the different events that were sent are not among a topic's values."""
        found = Counter(_canonical(value) for value in values if value)
        return sum(_canonical(self._inside(item)[1]) not in found for item in self.sent)

    async def _write(self, items: Sequence[Item]) -> None:
        """Write records; what the broker does not acknowledge is written again."""
        records = [self._inside(item) for item in items]
        for _ in items:
            if self._rng.random() < _UNREADABLE:
                self.unreadable += 1
                records.append((b"unreadable", b"unreadable %d" % self.unreadable))
        while True:
            try:
                producer = await self._connected()
                sent = [
                    await producer.send(
                        SUBJECT_EVENTS,
                        value,
                        key,
                        partition=partition_of(key, PARTITIONS),
                        headers=_HEADERS,
                    )
                    for key, value in records
                ]
                await asyncio.gather(*sent)
            except KafkaError:
                await self.stop()
            else:
                return

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                self._producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    acks="all",
                    enable_idempotence=True,
                    compression_type="lz4",
                    linger_ms=5,
                )
                await self._producer.start()
            return self._producer

    def _inside(self, item: Item) -> tuple[bytes, bytes]:
        """Key and value of an event's record, as ingest makes them."""
        verdict = check(item.event, self._callers[item.sender], self._now, self._knowledge)
        assert isinstance(verdict, Accepted), verdict
        return verdict.subject.encode(), _encode(verdict.record)


def _endless(seed: int, size: int, now: datetime) -> Iterator[Item]:
    while True:
        yield from hard_stream(seed, size, now, faults=round(size * _FAULTY))
        # The next one's ids end in another number, so it invents other people.
        seed += 1_000_003


def _canonical(value: bytes) -> str:
    try:
        content: Any = json.loads(value)
    except ValueError:
        return repr(value)
    return json.dumps(content, sort_keys=True)
