"""Alerts reach an Alertmanager as its API v2 wants them, again and again while they fire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import aiohttp
import jsonschema
import pytest
from aiohttp import web

from contracts.times import parse_rfc3339
from services.notifier.links import Links
from services.notifier.pipeline.mirroring import Mirroring
from services.notifier.receivers.alertmanager.sending import (
    AlertmanagerReceiver,
    AlertmanagerSender,
)
from services.notifier.receivers.reading import Receivers
from services.notifier.store import receivers
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, Bench, told
from tests.integration.notifier.test_fairness import fire

LABEL_SET: Final = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
    "additionalProperties": {"type": "string", "minLength": 1},
}
#: `postableAlerts` of Alertmanager's api/v2/openapi.yaml, with what its code checks beside it.
POSTABLE_ALERTS: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["labels"],
        "additionalProperties": False,
        "properties": {
            "labels": LABEL_SET | {"required": ["alertname"]},
            "annotations": LABEL_SET,
            "startsAt": {"type": "string", "format": "date-time"},
            "endsAt": {"type": "string", "format": "date-time"},
            "generatorURL": {"type": "string", "format": "uri"},
        },
    },
}


@dataclass
class Alertmanager:
    """A server that takes what Alertmanager takes, and knows an alert by its labels as it does."""

    url: str = ""
    status: int = 200
    refused: list[str] = field(default_factory=list)
    rounds: int = 0
    known: dict[frozenset[tuple[str, str]], dict[str, Any]] = field(default_factory=dict)
    hanging: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.set()
        if self.hanging is not None:
            await self.hanging.wait()
        if self.status != 200:
            return web.Response(status=self.status)
        posted = await request.json()
        try:
            jsonschema.validate(posted, POSTABLE_ALERTS)
            for one in posted:
                assert parse_rfc3339(one["startsAt"]) <= parse_rfc3339(one["endsAt"])
        except (jsonschema.ValidationError, ValueError, AssertionError) as error:
            self.refused.append(str(error))
            return web.Response(status=400, text=str(error))
        self.rounds += 1
        for one in posted:
            self.known[frozenset(one["labels"].items())] = one
        self.told.set()
        return web.Response()

    def firing(self, now: datetime) -> int:
        return sum(parse_rfc3339(one["endsAt"]) > now for one in self.known.values())


@asynccontextmanager
async def serving() -> AsyncIterator[Alertmanager]:
    server = Alertmanager()
    app = web.Application()
    app.router.add_post("/api/v2/alerts", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Alertmanager]:
    async with serving() as one:
        yield one


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


def entry(
    server: Alertmanager, area: str | None = COMMUNE, *, below: bool = False
) -> AlertmanagerReceiver:
    return AlertmanagerReceiver(f"alertmanager:{server.url}:{area}", server.url, area, below)


def mirroring(
    bench: Bench, session: aiohttp.ClientSession, *entries: AlertmanagerReceiver
) -> Mirroring:
    return Mirroring(
        AlertmanagerSender(session, timeout=30, clock=bench.clock),
        pool=bench.pool,
        receivers=Receivers(mirrors=entries),
        domain=bench.domain,
        metrics=bench.metrics,
        clock=bench.clock,
        every=timedelta(seconds=60),
        links=Links(dashboard_url="https://nhipso.example.vn"),
    )


async def tell(bench: Bench, one: Mirroring, after: float = 0) -> None:
    bench.clock.advance(timedelta(seconds=after))
    await one.step(bench.clock.now())
    await one.settle()


async def test_values_are_annotations_and_labels_are_what_it_is(
    bench: Bench, server: Alertmanager, session: aiohttp.ClientSession
) -> None:
    await fire(bench)
    one = mirroring(bench, session, entry(server))
    await tell(bench, one)
    (posted,) = server.known.values()
    assert posted["labels"] == {
        "alertname": "IndicatorBehindPace",
        "area": COMMUNE,
        "indicator": "ds.smartphone",
        "basis": "events",
        "severity": posted["labels"]["severity"],
    }
    assert posted["annotations"]["value"] == "60.00"
    assert posted["annotations"]["numerator"] == "600"
    assert "Phường Lào Cai" in posted["annotations"]["summary"]
    await bench.take(told(601, version=2, fresh_at=bench.clock.now() + timedelta(days=1)))
    await bench.evaluate()
    await tell(bench, one, after=60)
    (again,) = server.known.values()  # the same labels: the same alert
    assert (again["annotations"]["numerator"], again["startsAt"]) == ("601", posted["startsAt"])
    assert posted["generatorURL"] == f"https://nhipso.example.vn/areas/{COMMUNE}"
    assert server.refused == []


async def test_what_fires_is_sent_again_before_it_ends(
    bench: Bench, server: Alertmanager, session: aiohttp.ClientSession
) -> None:
    await fire(bench)
    one = mirroring(bench, session, entry(server))
    for round_number in range(1, 6):
        await tell(bench, one, after=30)
        await tell(bench, one, after=30)
        assert server.firing(bench.clock.now()) == 1
        assert server.rounds in (round_number, round_number + 1)
    # The notifier is away: Alertmanager lets it end by itself.
    bench.clock.advance(timedelta(minutes=5))
    assert server.firing(bench.clock.now()) == 0


async def test_what_has_ended_is_told_with_its_end(
    bench: Bench, server: Alertmanager, session: aiohttp.ClientSession
) -> None:
    await fire(bench)
    one = mirroring(bench, session, entry(server))
    await tell(bench, one)
    await bench.take(told(995, version=2, fresh_at=bench.clock.now() + timedelta(days=1)))
    await bench.evaluate(timedelta(seconds=1))
    assert await bench.states() == [("ds.smartphone", "resolved", "recovered")]
    resolved_at = bench.clock.now()
    await tell(bench, one, after=60)
    (posted,) = server.known.values()
    assert parse_rfc3339(posted["endsAt"]) == resolved_at
    rounds = server.rounds
    await tell(bench, one, after=16 * 60)
    assert server.rounds == rounds  # old news


async def test_one_that_hangs_or_fails_holds_up_no_other(
    bench: Bench, server: Alertmanager, session: aiohttp.ClientSession
) -> None:
    await fire(bench)
    async with serving() as dead, serving() as broken:
        dead.hanging, broken.status = asyncio.Event(), 500
        one = mirroring(bench, session, entry(dead), entry(broken), entry(server))
        await one.step(bench.clock.now())
        await asyncio.gather(dead.asked.wait(), broken.asked.wait(), server.told.wait())
        bench.clock.advance(timedelta(seconds=60))
        await one.step(bench.clock.now())
        dead.hanging.set()
        await one.settle()
        broken.status = 200
        await tell(bench, one, after=60)
        assert [each.firing(bench.clock.now()) for each in (dead, broken, server)] == [1, 1, 1]
    counter = bench.metrics.notifications.labels("alertmanager", "retry", "server-error")
    assert counter._value.get() >= 1


async def test_of_two_processes_one_has_the_round(
    bench: Bench, server: Alertmanager, session: aiohttp.ClientSession
) -> None:
    await fire(bench)
    first, second = (mirroring(bench, session, entry(server)) for _ in range(2))
    await asyncio.gather(tell(bench, first), tell(bench, second))
    assert server.rounds == 1


async def test_a_province_may_hear_of_the_units_below_it(
    bench: Bench, server: Alertmanager, session: aiohttp.ClientSession
) -> None:
    await fire(bench)
    one = mirroring(bench, session, entry(server, PROVINCE))
    await tell(bench, one)
    assert server.known == {}
    await tell(bench, mirroring(bench, session, entry(server, PROVINCE, below=True)), after=60)
    assert {one["labels"]["area"] for one in server.known.values()} == {COMMUNE}


async def test_of_few_people_no_figure_is_told(
    bench: Bench, server: Alertmanager, session: aiohttp.ClientSession
) -> None:
    far = bench.clock.now() + timedelta(days=60)
    await bench.take(told(5, 100, fresh_at=far))
    await bench.evaluate()
    await bench.evaluate(timedelta(days=3))
    await tell(bench, mirroring(bench, session, entry(server)))
    (posted,) = server.known.values()
    assert not {"value", "numerator", "denominator", "gap_people"} & posted["annotations"].keys()


async def test_one_that_is_gone_is_disabled(
    bench: Bench, server: Alertmanager, session: aiohttp.ClientSession
) -> None:
    await fire(bench)
    server.status = 410
    one = mirroring(bench, session, entry(server))
    await tell(bench, one)
    server.status = 200
    await tell(bench, one, after=60)
    assert server.rounds == 0
    async with bench.pool.acquire() as connection:
        (found,) = await receivers.listed(connection)
    assert found.disabled_at is not None
