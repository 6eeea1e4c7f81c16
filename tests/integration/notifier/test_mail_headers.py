"""Letters by a real SMTP server stand in threads and say how to be told no more."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller

from deploy.embedded.ports import free_port
from services.notifier.receivers.email.sending import EmailSender, address_headers
from services.notifier.receivers.reading import Receivers
from services.notifier.settings import SmtpSettings
from tests.integration.notifier.conftest import COMMUNE, Bench, told
from tests.integration.notifier.test_delivering import Mailroom, mailbox, sender
from tests.integration.notifier.test_fairness import deliver, fire, letter


@pytest.fixture
def mailroom() -> Iterator[Mailroom]:
    room = Mailroom(port=free_port())
    controller = Controller(room, hostname="127.0.0.1", port=room.port)
    controller.start()
    yield room
    controller.stop()


def settings(room: Mailroom, **more: str) -> SmtpSettings:
    given = {"host": "127.0.0.1", "port": room.port, "sender": "nhip-so@example.vn"} | more
    return SmtpSettings.model_validate(given)


async def sent(bench: Bench, room: Mailroom, smtp: SmtpSettings) -> EmailMessage:
    receivers = Receivers([(f"unit:{COMMUNE}", mailbox())])
    await letter(bench, receivers)
    await deliver(bench, sender(bench, receivers, "email", EmailSender(smtp, None).send))
    return room.taken[-1]


async def test_letters_about_one_alert_are_one_thread(bench: Bench, mailroom: Mailroom) -> None:
    smtp = settings(mailroom)
    await fire(bench)
    first = await sent(bench, mailroom, smtp)
    far = bench.clock.now() + timedelta(days=60)
    await bench.take(told(600, indicator="ds.fibre", fresh_at=far))
    await bench.evaluate(timedelta(days=1))
    await bench.evaluate(timedelta(days=3))
    second = await sent(bench, mailroom, smtp)
    assert first["Message-ID"] != second["Message-ID"]
    assert first["In-Reply-To"] == second["In-Reply-To"]
    assert first["References"].split() == second["References"].split()[:1]
    assert re.fullmatch(r"<[0-9a-f-]{36}\.thread@example\.vn>", first["In-Reply-To"])
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["List-Unsubscribe"] is None


async def test_a_letter_says_how_to_be_told_no_more(bench: Bench, mailroom: Mailroom) -> None:
    smtp = settings(
        mailroom,
        unsubscribe_url="https://example.vn/thoi?ai={receiver}",
        unsubscribe_mailto="van-hanh@example.vn",
    )
    await fire(bench)
    mail = await sent(bench, mailroom, smtp)
    assert mail["List-Unsubscribe"].replace("\n", "").split(", ") == [
        "<https://example.vn/thoi?ai=email%3Aubnd%40example.vn>",
        "<mailto:van-hanh@example.vn?subject=unsubscribe>",
    ]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_without_an_address_of_https_nothing_is_said_of_one_press(
    bench: Bench, mailroom: Mailroom
) -> None:
    smtp = settings(mailroom, unsubscribe_mailto="van-hanh@example.vn")
    await fire(bench)
    mail = await sent(bench, mailroom, smtp)
    assert mail["List-Unsubscribe"] == "<mailto:van-hanh@example.vn?subject=unsubscribe>"
    assert mail["List-Unsubscribe-Post"] is None


def test_a_digest_says_it_too() -> None:
    smtp = SmtpSettings(host="localhost", unsubscribe_url="https://example.vn/thoi?ai={receiver}")
    message = MIMEMultipart()
    address_headers(
        message,
        to="ubnd@example.vn",
        subject="Tuần",
        delivery=uuid4(),
        at=datetime(2026, 11, 23, 1, tzinfo=UTC),
        settings=smtp,
    )
    assert message["List-Unsubscribe"] == "<https://example.vn/thoi?ai=email%3Aubnd%40example.vn>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
