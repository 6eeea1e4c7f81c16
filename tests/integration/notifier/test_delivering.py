"""From the log to real receivers: an SMTP server, and an HTTP server that checks signatures."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook

from deploy.embedded.ports import free_port
from services.chassis.clock import SystemClock
from services.notifier.pipeline.delivering import Delivering, Send
from services.notifier.receivers.email.sending import EmailReceiver, EmailSender
from services.notifier.receivers.outcome import Delivered, Outcome, Refused, Retry
from services.notifier.receivers.reading import Receiver, Receivers
from services.notifier.receivers.webhook.sending import WebhookReceiver, WebhookSender
from services.notifier.settings import SmtpSettings
from services.notifier.store import deliveries
from tests.integration.notifier.conftest import COMMUNE, Bench, told

SECRET = "whsec_" + base64.b64encode(b"invented-secret-of-32-bytes-here").decode()


@dataclass
class Mailroom:
    """A real SMTP server that keeps what it takes; `answer` is what it says to a message."""

    port: int = 0
    answer: str = "250 OK"
    to_sender: str = "250 OK"
    to_recipient: str = "250 OK"
    taken: list[EmailMessage] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.to_sender

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.taken.append(message_from_bytes(content, policy=default))
        return self.answer


@pytest.fixture
def mailroom() -> Iterator[Mailroom]:
    room = Mailroom(port=free_port())
    controller = Controller(room, hostname="127.0.0.1", port=room.port)
    controller.start()
    yield room
    controller.stop()


@dataclass
class Hook:
    """A real HTTP receiver that refuses what is not signed; it may hang or answer badly."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.hangs:
            await asyncio.sleep(30)
        payload = Webhook(SECRET).verify(await request.read(), dict(request.headers))
        if self.status < 300:
            self.taken.append((request.headers["webhook-id"], payload))
            self.told.set()
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def serving(hook: Hook) -> AsyncIterator[Hook]:
    app = web.Application()
    app.router.add_post("/{tail:.*}", hook.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    hook.url = f"http://{host}:{port}/hook"
    try:
        yield hook
    finally:
        await runner.cleanup()


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with serving(Hook()) as one:
        yield one


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


def webhook(hook: Hook) -> WebhookReceiver:
    return WebhookReceiver(f"webhook:{hook.url}", hook.url, Webhook(SECRET))


def mailbox() -> EmailReceiver:
    return EmailReceiver("email:ubnd@example.vn", "ubnd@example.vn")


async def logged(bench: Bench, *receivers: Receiver) -> Receivers:
    """Log a letter for these receivers: nothing has been sent yet."""
    known = Receivers((f"unit:{COMMUNE}", one) for one in receivers)
    await bench.take(told(600, fresh_at=bench.clock.now() + timedelta(days=3)))
    await bench.evaluate()
    await bench.evaluate(timedelta(days=3))
    await bench.tell(bench.telling(known))
    return known


def sender(bench: Bench, receivers: Receivers, kind: str, send: Send, **knobs: Any) -> Delivering:
    settings = {"lease": timedelta(seconds=60), "give_up": timedelta(days=3)} | knobs
    return Delivering(
        kind,
        send,
        pool=bench.pool,
        receivers=receivers,
        metrics=bench.metrics,
        clock=bench.clock,
        jitter=lambda: 1.0,
        **settings,
    )


def posting(session: aiohttp.ClientSession) -> Send:
    return WebhookSender(session, timeout=0.5, clock=SystemClock()).send


async def deliver(bench: Bench, delivering: Delivering) -> None:
    await delivering.step(bench.clock.now())
    await delivering.settle()


async def log(bench: Bench) -> list[tuple[str, int]]:
    async with bench.pool.acquire() as connection:
        rows = await deliveries.search(connection, alert=None, audiences=None, limit=100)
    return [(row.state, row.attempts) for row in rows]


async def test_a_letter_reaches_the_mailbox(bench: Bench, mailroom: Mailroom) -> None:
    receivers = await logged(bench, mailbox())
    smtp = SmtpSettings(host="127.0.0.1", port=mailroom.port, sender="nhip-so@example.vn")
    delivering = sender(bench, receivers, "email", EmailSender(smtp, None).send)
    await deliver(bench, delivering)
    await deliver(bench, delivering)
    (mail,) = mailroom.taken
    assert mail["To"] == "ubnd@example.vn"
    assert "Phường Lào Cai có 1 chỉ tiêu chậm tiến độ" in mail["Subject"]
    text = mail.get_body(("plain",))
    assert text is not None
    assert "còn thiếu 136 người" in text.get_content()
    assert await log(bench) == [("delivered", 1)]


@pytest.mark.parametrize(
    ("answer", "after"), [("451 later", ("waiting", 1)), ("550 never", ("failed", 1))]
)
async def test_a_mail_server_may_ask_for_patience_or_refuse(
    bench: Bench, mailroom: Mailroom, answer: str, after: tuple[str, int]
) -> None:
    mailroom.answer = answer
    receivers = await logged(bench, mailbox())
    smtp = SmtpSettings(host="127.0.0.1", port=mailroom.port)
    await deliver(bench, sender(bench, receivers, "email", EmailSender(smtp, None).send))
    assert await log(bench) == [after]


@pytest.mark.parametrize(
    ("to_sender", "to_recipient", "after"),
    [
        ("550 5.7.1 this sender may not", "250 OK", [("waiting", 1)]),  # ours to mend
        ("250 OK", "530 5.7.0 authentication required", [("waiting", 1)]),
        ("250 OK", "550 5.1.1 no such mailbox", [("failed", 1)]),
        ("250 OK", "450 4.2.1 greylisted", [("waiting", 1)]),
    ],
)
async def test_a_letter_is_not_lost_over_what_is_ours_to_mend(
    bench: Bench, mailroom: Mailroom, to_sender: str, to_recipient: str, after: list[object]
) -> None:
    mailroom.to_sender, mailroom.to_recipient = to_sender, to_recipient
    receivers = await logged(bench, mailbox())
    smtp = SmtpSettings(host="127.0.0.1", port=mailroom.port)
    await deliver(bench, sender(bench, receivers, "email", EmailSender(smtp, None).send))
    assert await log(bench) == after


async def test_a_mail_server_that_is_away_is_tried_again(bench: Bench) -> None:
    receivers = await logged(bench, mailbox())
    smtp = SmtpSettings(host="127.0.0.1", port=free_port(), timeout_seconds=2)
    await deliver(bench, sender(bench, receivers, "email", EmailSender(smtp, None).send))
    assert await log(bench) == [("waiting", 1)]


async def test_a_webhook_is_signed_and_holds_the_alerts(
    bench: Bench, hook: Hook, session: aiohttp.ClientSession
) -> None:
    receivers = await logged(bench, webhook(hook))
    await deliver(bench, sender(bench, receivers, "webhook", posting(session)))
    ((_, payload),) = hook.taken
    (alert,) = payload["data"]["alerts"]
    assert (alert["indicator"], alert["gap_people"]) == ("ds.smartphone", 136)
    assert payload["data"]["area"] == COMMUNE


async def test_a_webhook_that_reads_english_gets_it(
    bench: Bench, hook: Hook, session: aiohttp.ClientSession
) -> None:
    receivers = await logged(bench, replace(webhook(hook), language="en"))
    await deliver(bench, sender(bench, receivers, "webhook", posting(session)))
    ((_, payload),) = hook.taken
    assert payload["data"]["text"].startswith("To: People's Committee of Lào Cai ward")
    assert payload["data"]["subject"] == "[Nhịp Số] Lào Cai ward: indicators behind pace: 1"


async def test_a_failed_attempt_is_repeated_later_under_the_same_id(
    bench: Bench, hook: Hook, session: aiohttp.ClientSession
) -> None:
    receivers = await logged(bench, webhook(hook))
    delivering = sender(bench, receivers, "webhook", posting(session))
    hook.status = 500
    await deliver(bench, delivering)
    await deliver(bench, delivering)  # too early: 5 seconds have not passed
    assert (hook.asked, await log(bench)) == (1, [("waiting", 1)])
    hook.status = 204
    bench.clock.advance(timedelta(seconds=5))
    await deliver(bench, delivering)
    assert len(hook.taken) == 1
    assert await log(bench) == [("delivered", 2)]


async def test_retry_after_is_obeyed(
    bench: Bench, hook: Hook, session: aiohttp.ClientSession
) -> None:
    receivers = await logged(bench, webhook(hook))
    delivering = sender(bench, receivers, "webhook", posting(session))
    hook.status, hook.headers = 429, {"Retry-After": "120"}
    await deliver(bench, delivering)
    bench.clock.advance(timedelta(seconds=119))
    await deliver(bench, delivering)
    assert hook.asked == 1
    bench.clock.advance(timedelta(seconds=1))
    await deliver(bench, delivering)
    assert hook.asked == 2


@pytest.mark.parametrize(
    ("status", "days", "after"),
    [
        (410, 0, "failed"),
        (500, 3, "failed"),  # three days are enough
        (404, 0, "waiting"),
    ],
)
async def test_a_delivery_is_given_up(
    bench: Bench, hook: Hook, status: int, days: int, after: str
) -> None:
    receivers = await logged(bench, webhook(hook))
    hook.status = status
    bench.clock.advance(timedelta(days=days))
    async with aiohttp.ClientSession() as session:
        await deliver(bench, sender(bench, receivers, "webhook", posting(session)))
    assert await log(bench) == [(after, 1)]


async def test_a_receiver_that_hangs_holds_up_nobody_else(
    bench: Bench, hook: Hook, session: aiohttp.ClientSession
) -> None:
    async with serving(Hook(hangs=True)) as dead:
        receivers = await logged(bench, webhook(dead), webhook(hook))
        delivering = sender(bench, receivers, "webhook", posting(session))
        await delivering.step(bench.clock.now())
        async with asyncio.timeout(0.4):
            await hook.told.wait()
        await delivering.settle()
    assert sorted(await log(bench)) == [("delivered", 1), ("waiting", 1)]


async def test_after_a_death_between_sending_and_noting_it_is_sent_once_more_under_its_id(
    bench: Bench, hook: Hook, session: aiohttp.ClientSession
) -> None:
    receivers = await logged(bench, webhook(hook))
    send = posting(session)

    async def send_and_die(receiver: WebhookReceiver, delivery: deliveries.Delivery) -> Any:
        await send(receiver, delivery)
        await asyncio.sleep(30)

    first = sender(bench, receivers, "webhook", send_and_die)
    await first.step(bench.clock.now())
    await hook.told.wait()
    await first.close()

    second = sender(bench, receivers, "webhook", send)
    await deliver(bench, second)  # the lease of the dead still runs
    assert len(hook.taken) == 1
    bench.clock.advance(timedelta(seconds=60))
    await deliver(bench, second)
    await deliver(bench, second)
    ids = [identifier for identifier, _ in hook.taken]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert hook.taken[0][1] == hook.taken[1][1]


@pytest.mark.parametrize("late", [Refused("HTTP 413"), Retry("HTTP 500", timedelta(hours=9))])
async def test_who_slept_past_its_lease_does_not_decide_over_who_has_it_now(
    bench: Bench, hook: Hook, session: aiohttp.ClientSession, late: Outcome
) -> None:
    receivers = await logged(bench, webhook(hook))
    wakes, asked, goes_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
    send = posting(session)

    async def sleep(_receiver: WebhookReceiver, _delivery: deliveries.Delivery) -> Outcome:
        await wakes.wait()
        return late

    async def send_later(receiver: WebhookReceiver, delivery: deliveries.Delivery) -> Outcome:
        asked.set()
        await goes_on.wait()
        return await send(receiver, delivery)

    sleeper = sender(bench, receivers, "webhook", sleep)
    await sleeper.step(bench.clock.now())
    bench.clock.advance(timedelta(seconds=60))
    other = sender(bench, receivers, "webhook", send_later)
    await other.step(bench.clock.now())
    await asked.wait()
    wakes.set()
    await sleeper.settle()
    assert await log(bench) == [("waiting", 2)]
    async with bench.pool.acquire() as connection:
        again = await connection.fetchval("SELECT next_attempt_at FROM deliveries")
    assert again <= bench.clock.now()
    goes_on.set()
    await other.settle()
    assert await log(bench) == [("delivered", 2)]


@pytest.mark.parametrize("other", [Delivered(), Refused("HTTP 410")])
async def test_what_has_been_noted_is_not_noted_over_by_who_wakes_up_later(
    bench: Bench, hook: Hook, other: Outcome
) -> None:
    receivers = await logged(bench, webhook(hook))
    wakes = asyncio.Event()

    async def sleep(_receiver: WebhookReceiver, _delivery: deliveries.Delivery) -> Outcome:
        await wakes.wait()
        return Delivered()

    async def answer(_receiver: WebhookReceiver, _delivery: deliveries.Delivery) -> Outcome:
        return other

    async def noted() -> Any:
        async with bench.pool.acquire() as connection:
            return await connection.fetchrow("SELECT state, finished_at FROM deliveries")

    sleeper = sender(bench, receivers, "webhook", sleep)
    await sleeper.step(bench.clock.now())
    bench.clock.advance(timedelta(seconds=60))
    await deliver(bench, sender(bench, receivers, "webhook", answer))
    before = await noted()
    assert before["finished_at"] == bench.clock.now()
    bench.clock.advance(timedelta(seconds=5))
    wakes.set()
    await sleeper.settle()
    assert await noted() == before


async def test_a_receiver_that_is_no_longer_there_is_given_up_in_the_end(
    bench: Bench, hook: Hook, session: aiohttp.ClientSession
) -> None:
    await logged(bench, webhook(hook))
    delivering = sender(bench, Receivers(), "webhook", posting(session))
    await deliver(bench, delivering)
    assert await log(bench) == [("waiting", 1)]  # another process may have read a newer file
    bench.clock.advance(timedelta(days=3))
    await deliver(bench, delivering)
    assert await log(bench) == [("failed", 2)]
