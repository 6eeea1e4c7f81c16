"""A dead receiver delays nobody, keeps its order, and is disabled when it wants no more."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from services.chassis.clock import SystemClock
from services.notifier.pipeline.delivering import Delivering, Send
from services.notifier.receivers.outcome import Delivered, Outcome
from services.notifier.receivers.reading import Receiver, Receivers
from services.notifier.receivers.webhook.sending import WebhookReceiver, WebhookSender
from services.notifier.store import deliveries, receivers
from services.notifier.store.deliveries import Delivery
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, Bench, told

SECRET = "whsec_" + base64.b64encode(b"invented-secret-of-32-bytes-here").decode()
DAY = timedelta(days=1)
OTHER = "2025:02671"


@dataclass
class Row:
    """Many receivers on one server, each with its path; some wait until the others are served."""

    answers: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    expected: int = 0
    url: str = ""
    taken: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    others_done: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked.append(name)
        if name in self.hanging:
            self.begun.set()
            await self.others_done.wait()
        status = self.answers.get(name, 204)
        if status < 300:
            self.taken.append((name, request.headers["webhook-id"]))
            if len({one for one, _ in self.taken} - self.hanging) >= self.expected:
                self.others_done.set()
        return web.Response(status=status, headers=self.headers)

    def receiver(self, name: str, fingerprint: str = "") -> WebhookReceiver:
        return WebhookReceiver(
            f"webhook:{name}", f"{self.url}/{name}", Webhook(SECRET), fingerprint=fingerprint
        )


@asynccontextmanager
async def serving() -> AsyncIterator[Row]:
    row = Row()
    app = web.Application()
    app.router.add_post("/{name}", row.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    row.url = f"http://{host}:{port}"
    try:
        yield row
    finally:
        await runner.cleanup()


@pytest.fixture
async def row() -> AsyncIterator[Row]:
    async with serving() as one:
        yield one


@pytest.fixture
async def send() -> AsyncIterator[Send]:
    async with aiohttp.ClientSession() as session:
        yield WebhookSender(session, timeout=60, clock=SystemClock()).send


def known(*entries: Receiver, audience: str = f"unit:{COMMUNE}") -> Receivers:
    return Receivers((audience, one) for one in entries)


async def fire(bench: Bench, area: str = COMMUNE) -> None:
    """Let one indicator of a unit fall behind and fire."""
    far = bench.clock.now() + timedelta(days=60)
    await bench.take(told(600, fresh_at=far, area=area))
    await bench.evaluate()
    await bench.evaluate(timedelta(days=3))


async def letter(bench: Bench, receivers: Receivers) -> None:
    await bench.tell(bench.telling(receivers, repeat_interval=0.001))


def delivering(bench: Bench, receivers: Receivers, send: Send, **knobs: Any) -> Delivering:
    settings = {"lease": timedelta(seconds=90), "give_up": 3 * DAY} | knobs
    return Delivering(
        "webhook",
        send,
        pool=bench.pool,
        receivers=receivers,
        metrics=bench.metrics,
        clock=bench.clock,
        jitter=lambda: 1.0,
        **settings,
    )


async def deliver(bench: Bench, one: Delivering) -> None:
    await one.step(bench.clock.now())
    await one.settle()


async def log(bench: Bench) -> list[tuple[str, str, str | None]]:
    async with bench.pool.acquire() as connection:
        rows = await deliveries.search(connection, alert=None, audiences=None, limit=100)
    return sorted((row.receiver, row.state, row.reason) for row in rows)


async def standing(bench: Bench, name: str) -> receivers.Standing:
    async with bench.pool.acquire() as connection:
        (found,) = [one for one in await receivers.listed(connection) if one.name == name]
    return found


async def test_others_are_served_while_one_hangs(bench: Bench, row: Row, send: Send) -> None:
    names = [f"r{index}" for index in range(12)]
    row.hanging, row.expected = {"r0"}, len(names) - 1
    entries = known(*(row.receiver(name) for name in names))
    await fire(bench)
    await letter(bench, entries)
    one = delivering(bench, entries, send)
    await one.step(bench.clock.now())
    await one.settle()  # would not end if the others waited for r0: r0 waits for them
    assert row.taken[-1][0] == "r0"
    assert {name for name, _ in row.taken} == set(names)


async def test_letters_of_one_moment_go_in_the_order_in_which_they_were_written(
    bench: Bench, row: Row, send: Send
) -> None:
    communes = [one.area_id for one in bench.domain.areas if one.parent_id == PROVINCE][:6]
    entries = Receivers((f"unit:{area}", row.receiver("r0")) for area in communes)
    far = bench.clock.now() + timedelta(days=60)
    await bench.take(*(told(600, fresh_at=far, area=area) for area in communes))
    await bench.evaluate()
    await bench.evaluate(timedelta(days=3))
    await letter(bench, entries)
    await deliver(bench, delivering(bench, entries, send))
    async with bench.pool.acquire() as connection:
        written = await connection.fetch(
            "SELECT deliveries.id::text FROM deliveries "
            "JOIN messages ON messages.id = deliveries.message ORDER BY messages.area"
        )
    assert len(written) == 6
    assert [delivery for _, delivery in row.taken] == [one["id"] for one in written]


async def test_who_answers_gets_all_at_once_while_nobody_waits_for_a_place(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = known(row.receiver("r0"))
    await fire(bench)
    for _ in range(25):
        await letter_later(bench, entries)
    await deliver(bench, delivering(bench, entries, send))
    assert len(row.taken) == 25


async def test_who_answers_makes_room_for_those_that_wait_for_a_place(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = known(row.receiver("r0"), row.receiver("r1"))
    await fire(bench)
    for _ in range(25):
        await letter_later(bench, entries)
    one = delivering(bench, entries, send, at_once=1)
    for _ in range(4):
        await deliver(bench, one)
    first, second = row.taken[0][0], row.taken[20][0]
    assert [name for name, _ in row.taken[:40]] == [first] * 20 + [second] * 20
    assert first != second


async def test_a_second_process_serves_others_while_one_hangs_in_the_first(
    bench: Bench, row: Row, send: Send
) -> None:
    row.hanging, row.expected = {"r0"}, 1
    only_dead = known(row.receiver("r0"))
    both = known(row.receiver("r0"), row.receiver("r1"))
    await fire(bench)
    await letter(bench, both)
    first = delivering(bench, only_dead, send, at_once=1)
    second = delivering(bench, both, send)
    async with bench.pool.acquire() as connection:
        # r0 is next: whoever was never served comes first.
        await connection.execute("UPDATE receivers SET served_at = now() WHERE name = 'webhook:r1'")
    await first.step(bench.clock.now())
    await row.begun.wait()
    await deliver(bench, second)
    await first.settle()
    assert [name for name, _ in row.taken] == ["r1", "r0"]
    assert sorted(row.asked) == ["r0", "r1"]


async def test_a_receiver_that_fails_rests_and_then_gets_all_in_order(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = known(row.receiver("r0"))
    row.answers["r0"] = 500
    await fire(bench)
    one = delivering(bench, entries, send)
    for _ in range(3):
        await letter(bench, entries)
        bench.clock.advance(timedelta(milliseconds=1))
    await deliver(bench, one)
    assert row.asked == ["r0"]  # the others wait while it rests
    row.answers["r0"] = 204
    bench.clock.advance(timedelta(seconds=5))
    await deliver(bench, one)
    async with bench.pool.acquire() as connection:
        rows = await deliveries.search(connection, alert=None, audiences=None, limit=100)
    assert [identifier for _, identifier in row.taken] == [str(one.id) for one in reversed(rows)]
    assert (await standing(bench, "webhook:r0")).failures == 0


async def test_what_cannot_be_taken_holds_up_only_its_own_unit(
    bench: Bench, row: Row, send: Send
) -> None:
    entry = row.receiver("r0")
    entries = Receivers((f"unit:{area}", entry) for area in (COMMUNE, OTHER))
    await fire(bench)
    await fire(bench, OTHER)
    await letter(bench, entries)
    row.answers["r0"] = 500
    one = delivering(bench, entries, send)
    await deliver(bench, one)
    bench.clock.advance(timedelta(seconds=4))
    await letter(bench, entries)
    row.answers["r0"] = 204
    await deliver(bench, one)
    assert row.taken == []
    bench.clock.advance(timedelta(seconds=1))
    await deliver(bench, one)
    assert len(row.taken) == 4


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_rests_the_receiver(
    bench: Bench, row: Row, send: Send, form: str
) -> None:
    entries = known(row.receiver("r0"))
    await fire(bench)
    await letter(bench, entries)
    row.answers["r0"] = 429
    now = SystemClock().now()
    asked = now.replace(microsecond=0) + timedelta(seconds=7200)
    row.headers = {"Retry-After": "7200" if form == "seconds" else _http_date(asked)}
    one = delivering(bench, entries, send)
    await deliver(bench, one)
    found = await standing(bench, "webhook:r0")
    assert found.resting_until is not None
    waits = found.resting_until - bench.clock.now()
    assert timedelta(seconds=7200) >= waits > timedelta(seconds=7000)
    assert await log(bench) == [("webhook:r0", "waiting", "busy")]


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


async def test_410_disables_until_the_configuration_changes(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = known(row.receiver("r0", "old"))
    await fire(bench)
    await letter(bench, entries)
    row.answers["r0"] = 410
    await deliver(bench, delivering(bench, entries, send))
    assert await log(bench) == [("webhook:r0", "failed", "gone")]
    row.answers["r0"] = 204
    bench.clock.advance(DAY)
    await letter(bench, entries)
    await deliver(bench, delivering(bench, entries, send))
    assert row.taken == []  # started again with the same configuration
    assert (await standing(bench, "webhook:r0")).disabled_at is not None
    gauge = bench.metrics.receivers_disabled.labels("webhook")
    assert gauge._value.get() == 1
    await deliver(bench, delivering(bench, known(row.receiver("r0", "new")), send))
    assert len(row.taken) == 1
    assert (await standing(bench, "webhook:r0")).enabled_by == "configuration"


async def test_what_waits_for_a_disabled_receiver_goes_when_an_operator_enables_it(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = known(row.receiver("r0"))
    await fire(bench)
    await letter(bench, entries)
    row.answers["r0"] = 410
    one = delivering(bench, entries, send)
    await deliver(bench, one)
    await letter_later(bench, entries)
    row.answers["r0"] = 204
    async with bench.pool.acquire() as connection:
        assert await receivers.enable(connection, "webhook:r0", bench.clock.now(), "lan")
        assert not await receivers.enable(connection, "webhook:r0", bench.clock.now(), "lan")
    await deliver(bench, one)
    assert len(row.taken) == 1


async def test_what_waits_too_long_for_a_disabled_receiver_is_given_up(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = known(row.receiver("r0"))
    await fire(bench)
    await letter(bench, entries)
    row.answers["r0"] = 410
    one = delivering(bench, entries, send)
    await deliver(bench, one)
    await letter_later(bench, entries)
    bench.clock.advance(3 * DAY)
    await deliver(bench, one)
    assert await log(bench) == [
        ("webhook:r0", "failed", "disabled"),
        ("webhook:r0", "failed", "gone"),
    ]


async def letter_later(bench: Bench, entries: Receivers) -> None:
    bench.clock.advance(timedelta(seconds=1))
    await letter(bench, entries)


@pytest.mark.parametrize("status", [413, 422])
async def test_what_will_never_be_taken_fails_at_once(
    bench: Bench, row: Row, send: Send, status: int
) -> None:
    entries = known(row.receiver("r0"))
    await fire(bench)
    await letter(bench, entries)
    row.answers["r0"] = status
    await deliver(bench, delivering(bench, entries, send))
    assert await log(bench) == [("webhook:r0", "failed", "rejected")]
    counter = bench.metrics.notifications.labels("webhook", "refused", "rejected")
    assert counter._value.get() == 1


async def test_a_mistake_of_ours_in_one_delivery_stops_no_other(bench: Bench, row: Row) -> None:
    entries = known(row.receiver("r0"), row.receiver("r1"))
    await fire(bench)
    await letter(bench, entries)

    async def send(receiver: WebhookReceiver, _: Delivery) -> Outcome:
        if receiver.name == "webhook:r0":
            raise KeyError
        return Delivered()

    one = delivering(bench, entries, send)
    await deliver(bench, one)
    await one.step(bench.clock.now())
    assert await log(bench) == [
        ("webhook:r0", "waiting", "fault"),
        ("webhook:r1", "delivered", "taken"),
    ]


async def test_a_message_that_cannot_be_read_stops_no_other(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = Receivers(
        (f"unit:{area}", row.receiver(name)) for area, name in ((COMMUNE, "r0"), (OTHER, "r1"))
    )
    await fire(bench)
    await fire(bench, OTHER)
    await letter(bench, entries)
    async with bench.pool.acquire() as connection:
        await connection.execute("UPDATE messages SET letter = '{}' WHERE area = $1", COMMUNE)
    one = delivering(bench, entries, send)
    await deliver(bench, one)
    await deliver(bench, one)
    assert await log(bench) == [
        ("webhook:r0", "failed", "fault"),
        ("webhook:r1", "delivered", "taken"),
    ]


async def test_a_sender_that_never_ends_is_ended(bench: Bench, row: Row) -> None:
    entries = known(row.receiver("r0"))
    await fire(bench)
    await letter(bench, entries)

    async def send(_: WebhookReceiver, __: Delivery) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    await deliver(bench, delivering(bench, entries, send, lease=timedelta(seconds=0.1)))
    assert await log(bench) == [("webhook:r0", "waiting", "timeout")]
