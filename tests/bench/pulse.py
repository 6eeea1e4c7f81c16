"""A steady stream with probes in it: how long from sending an event to seeing what it changes.

The stream keeps out of one commune. Each probe is a new subject there, so it adds one to the
denominator of an indicator that nothing else touches; five kinds of subject take turns, so that
probes of one kind are a second apart. A probe is seen when that denominator has reached its number,
over HTTP (asked again and again) and on the stream of server-sent events.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from statistics import quantiles
from typing import Any, Final

import aiohttp

from tests.e2e.hard.moments import local_day
from tests.e2e.hard.stream import Item, hard_stream
from tests.e2e.line import Line
from tests.e2e.sending import Sender, batches, sender
from tests.oracle.said import read
from tests.oracle.territory import Territory

PROBES_PER_SECOND: Final = 5
_BATCH: Final = 50
_SEED: Final = 101
_POLL_SECONDS: Final = 0.05
_LAST_PROBE_SECONDS: Final = 30.0

_BODY: Final = dict.fromkeys(("cashless", "platform", "e_invoice", "e_contract"), True)
_SCHOOL: Final = dict.fromkeys(("urban", "cashless_fees", "digital_model", "stem"), True)
#: Indicator → source, event type, subject and data of the probes that it counts.
_KINDS: Final[dict[str, tuple[str, str, str, dict[str, Any]]]] = {
    "nf.app": (
        "vneid",
        "identity.citizen-registered",
        "citizen:9990000{:05d}",
        {"birth_date": "1990-05-17"},
    ),
    "ds.fibre": (
        "telecom",
        "telecom.fibre-changed",
        "household:probe-{}",
        {"covered": True, "subscribed": True},
    ),
    "dt.soc.1": (
        "registry",
        "registry.organisation-changed",
        "organisation:{:010d}",
        {"size": "small", **_BODY},
    ),
    "ds.schools": (
        "registry",
        "registry.institution-changed",
        "institution:probe-{}",
        {"kind": "primary", **_SCHOOL},
    ),
    "dt.gov.2": (
        "dvc",
        "public-service.dossier-changed",
        "dossier:probe-{}",
        {"level": 4, "authenticated": True, "satisfied": None},
    ),
}


@dataclass(frozen=True)
class Latency:
    """Percentiles of how long it took, in seconds."""

    probes: int
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True)
class Pulse:
    """What the steady stream came to."""

    events: int
    seconds: float
    behind_plan: float
    """How late the last batch of the stream was sent, in seconds."""
    over_http: Latency
    on_stream: Latency


@dataclass
class _Watch:
    """When each probe was sent, and when it was first seen in either way."""

    sent: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _KINDS})
    seen: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _KINDS})

    def see(self, indicator: str, denominator: int) -> None:
        """Note that so many probes are counted now."""
        seen = self.seen[indicator]
        seen += [time.monotonic()] * (denominator - len(seen))

    def missing(self) -> int:
        """How many of the probes have not been seen yet."""
        return sum(len(self.sent[name]) - len(self.seen[name]) for name in _KINDS)

    def latency(self) -> Latency:
        """The percentiles."""
        took = sorted(
            seen - sent
            for name in _KINDS
            for sent, seen in zip(self.sent[name], self.seen[name], strict=True)
        )
        cuts = quantiles(took, n=100, method="inclusive")
        return Latency(len(took), cuts[49], cuts[94], cuts[98], took[-1])


async def pulse(line: Line, per_second: int, seconds: int) -> Pulse:
    """Send so many events a second for so long, with probes among them."""
    today = local_day(datetime.now(UTC))
    commune = Territory(today).communes[0]
    parcels = batches(_elsewhere(commune, per_second * seconds, today), lambda: _BATCH)
    polled = _Watch()
    pushed = _Watch(sent=polled.sent)
    async with sender(line) as to, aiohttp.ClientSession(headers=line.bearer("operator")) as http:
        url = line.endpoints()["scoring"]
        watching = [
            asyncio.create_task(_poll(http, f"{url}/v1/areas/{commune}/indicators", polled)),
            asyncio.create_task(_listen(http, f"{url}/v1/stream?area={commune}", pushed)),
        ]
        probing = asyncio.create_task(_probe(to, commune.partition(":")[2], seconds, polled))
        try:
            behind = await _stream(to, parcels, _BATCH / per_second)
            await probing
            async with asyncio.timeout(_LAST_PROBE_SECONDS):
                while polled.missing() or pushed.missing():  # noqa: ASYNC110  # two watchers fill it
                    await asyncio.sleep(_POLL_SECONDS)
        finally:
            for task in (*watching, probing):
                task.cancel()
    return Pulse(
        events=sum(map(len, parcels)),
        seconds=len(parcels) * _BATCH / per_second,
        behind_plan=behind,
        over_http=polled.latency(),
        on_stream=pushed.latency(),
    )


def _elsewhere(commune: str, events: int, today: date) -> list[Item]:
    """Events of subjects that never were in this commune."""
    territory = Territory(today)
    items = hard_stream(_SEED, events * 21 // 20, datetime.now(UTC))
    there = {
        item.event["subject"]
        for item in items
        if "area" in item.event["data"]
        and territory.unit(item.event["data"]["area"], read(item.event).day) == commune
    }
    return [item for item in items if item.event["subject"] not in there][:events]


async def _stream(to: Sender, parcels: Sequence[Sequence[Item]], interval: float) -> float:
    """Send a batch each interval, whether the one before is answered or not."""
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, parcel in enumerate(parcels):
            due = begun + number * interval
            await asyncio.sleep(max(due - time.monotonic(), 0))
            group.create_task(to.deliver(parcel))
        return time.monotonic() - due


async def _probe(to: Sender, code: str, seconds: int, watch: _Watch) -> None:
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(seconds * PROBES_PER_SECOND):
            await asyncio.sleep(max(begun + number / PROBES_PER_SECOND - time.monotonic(), 0))
            indicator = list(_KINDS)[number % len(_KINDS)]
            source, name, subject, data = _KINDS[indicator]
            event: dict[str, Any] = {
                "specversion": "1.0",
                "id": f"pulse-{number}",
                "source": f"urn:nhipso:source:{source}",
                "type": f"vn.nhipso.{name}.v1",
                "subject": subject.format(number),
                "time": datetime.now(UTC).isoformat(),
                "data": {"area": code, **data},
            }
            watch.sent[indicator].append(time.monotonic())
            group.create_task(to.deliver([Item(event["source"], event)]))


async def _poll(http: aiohttp.ClientSession, url: str, watch: _Watch) -> None:
    while True:
        async with http.get(url) as answer:
            figures = (await answer.json())["indicators"]
        for figure in figures:
            if figure["id"] in _KINDS:
                watch.see(figure["id"], figure["denominator"])
        await asyncio.sleep(_POLL_SECONDS)


async def _listen(http: aiohttp.ClientSession, url: str, watch: _Watch) -> None:
    async with http.get(url, timeout=aiohttp.ClientTimeout(total=None)) as answer:
        async for line in answer.content:
            with contextlib.suppress(KeyError):
                if line.startswith(b"data: "):
                    figure = json.loads(line.removeprefix(b"data: "))["data"]
                    watch.see(figure["indicator"], figure["denominator"])
