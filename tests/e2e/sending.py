"""Sends a stream as source systems do: mixed batches and modes, tried again until answered."""

import asyncio
import gzip
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final

import aiohttp

from tests.e2e.hard.stream import Item
from tests.e2e.line import Line

PATIENCE_SECONDS: Final = 60.0
_IN_FLIGHT: Final = 4
_LATER: Final = {429, 503}

Batch = Sequence[Item]


class Sender:
    """Sends batches to a line and checks each answer against what must be refused."""

    def __init__(self, line: Line, http: aiohttp.ClientSession) -> None:
        self._url = f"{line.endpoints()['ingest']}/v1/events"
        self._headers = {
            name: {"Authorization": f"Bearer {token}"}
            for name, token in line.endpoints()["tokens"].items()
        }
        self._http = http
        self._progress = asyncio.Condition()
        self.retries = 0
        self.answered = 0
        """Events in batches that have been answered."""

    async def send(self, batches: Iterable[Batch], *, mode: Random | None = None) -> None:
        """Send batches, a few at a time; their order is lost on the way.

        Args:
            batches: each of one sender.
            mode: chooses among the modes of CloudEvents; without it all are batches.
        """
        waiting = iter(batches)

        async def work() -> None:
            for batch in waiting:
                await self.deliver(batch, mode=mode)

        async with asyncio.TaskGroup() as group:
            for _ in range(_IN_FLIGHT):
                group.create_task(work())

    async def answered_at_least(self, events: int) -> None:
        """Wait until so many events have been answered."""
        async with self._progress:
            await self._progress.wait_for(lambda: self.answered >= events)

    async def deliver(self, batch: Batch, *, mode: Random | None = None) -> None:
        """Send one batch, until it is answered as it must be."""
        headers, body = _request(batch, mode)
        headers |= self._headers[batch[0].sender]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                async with self._http.post(self._url, data=body, headers=headers) as answer:
                    if answer.status not in _LATER:
                        _check(batch, answer.status, await answer.json(content_type=None))
                        await self._count(batch)
                        return
                    why = await answer.text()
            except (aiohttp.ClientError, ConnectionError) as error:
                why = repr(error)
            self.retries += 1
            assert time.monotonic() < deadline, f"gave up a batch: {why}"
            await asyncio.sleep(0.2)

    async def _count(self, batch: Batch) -> None:
        async with self._progress:
            self.answered += len(batch)
            self._progress.notify_all()


@asynccontextmanager
async def sender(line: Line) -> AsyncIterator[Sender]:
    """A sender with a session of its own."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        yield Sender(line, http)


def batches(items: Iterable[Item], size: Callable[[], int]) -> list[Batch]:
    """Items as batches of one sender each, of sizes that are asked for anew each time."""
    filling: defaultdict[str, list[Item]] = defaultdict(list)
    wanted: defaultdict[str, int] = defaultdict(size)
    full: list[Batch] = []
    for item in items:
        batch = filling[item.sender]
        batch.append(item)
        if len(batch) == wanted[item.sender]:
            full.append(filling.pop(item.sender))
            del wanted[item.sender]
    return full + list(filling.values())


def _request(batch: Batch, mode: Random | None) -> tuple[dict[str, str], bytes]:
    events = [item.event for item in batch]
    if len(events) == 1 and mode is not None:
        (event,) = events
        # Header values of binary mode are percent-encoded outside printable ASCII.
        fit = event["specversion"] == "1.0" and event["id"].isascii() and "data" in event
        if fit and event["id"] and mode.random() < 0.5:
            return _binary(event)
        return {"Content-Type": "application/cloudevents+json"}, _json(event)
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    if mode is not None and mode.random() < 0.2:
        return {**headers, "Content-Encoding": "gzip"}, gzip.compress(_json(events))
    return headers, _json(events)


def _binary(event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    attributes = {name: value for name, value in event.items() if name != "data"}
    attributes.pop("datacontenttype", None)
    headers = {f"ce-{name}": str(value) for name, value in attributes.items()}
    return {**headers, "Content-Type": "application/json"}, _json(event["data"])


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _check(batch: Batch, status: int, answer: Any) -> None:
    """Hold an answer against what the batch holds."""
    faulty = {place: item.reason for place, item in enumerate(batch) if item.reason is not None}
    refused = {rejection["index"]: rejection["reason"] for rejection in answer.get("rejected", ())}
    assert refused == faulty, f"{status}: refused {refused}, but faulty are {faulty}: {answer}"
    assert answer["accepted"] == len(batch) - len(faulty)
    expected = 202 if not faulty else 422 if len(faulty) == len(batch) else 207
    assert status == expected, f"{status} instead of {expected}: {answer}"
