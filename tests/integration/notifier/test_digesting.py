"""Digests on a real store, to a real SMTP server and a real HTTP receiver: once for each period."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import aiohttp
import pypdfium2
import pytest
from openpyxl import load_workbook

from services.chassis.clock import SystemClock
from services.notifier.core.digest import Digest
from services.notifier.core.occasion import Cadence, Timetable
from services.notifier.core.title import Title
from services.notifier.core.wording import Language
from services.notifier.pipeline.delivering import Delivering, Send
from services.notifier.pipeline.digesting import Digesting
from services.notifier.receivers.digest.rendering import as_text
from services.notifier.receivers.digest.sending import DigestMailer, DigestPoster
from services.notifier.receivers.digest.subscribing import DigestReceiver, Subscription
from services.notifier.receivers.email.sending import EmailReceiver, EmailSender
from services.notifier.receivers.reading import Receivers
from services.notifier.receivers.webhook.sending import WebhookReceiver, WebhookSender
from services.notifier.settings import SmtpSettings
from services.notifier.store import digests
from services.notifier.store.digests import Kept, Wanted
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, Bench, told
from tests.integration.notifier.test_delivering import (
    Hook,
    Mailroom,
    deliver,
    hook,
    mailroom,
    session,
    webhook,
)

__all__ = ["hook", "mailroom", "session"]

# Monday 23 November 2026, 08:00 in Viet Nam.
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = 7 * DAY
TIMETABLE = Timetable(weekday=1, hour=8, late=3 * DAY)
UNIT, LEADERS = f"unit:{COMMUNE}", f"leaders:{PROVINCE}"
AGENCY = "agency:so-khoa-hoc-va-cong-nghe"


def mailbox() -> EmailReceiver:
    return EmailReceiver("email:ubnd@example.vn", "ubnd@example.vn")


def subscribed(
    *audiences: str,
    cadence: Cadence = "weekly",
    to: EmailReceiver | WebhookReceiver | None = None,
) -> Receivers:
    receiver = DigestReceiver(to or mailbox())
    return Receivers((), [Subscription(one, cadence, receiver) for one in audiences])


def digesting(bench: Bench, receivers: Receivers) -> Digesting:
    return Digesting(bench.pool, bench.domain, receivers, TIMETABLE)


async def kept(bench: Bench) -> list[Kept]:
    async with bench.pool.acquire() as connection:
        return await digests.search(connection, Wanted())


async def periods(bench: Bench) -> list[tuple[str, str]]:
    return [(one.digest.period, one.digest.audience) for one in await kept(bench)]


async def measured(bench: Bench, *audiences: str) -> Digesting:
    """The first week has taken its measure, and a figure has moved since."""
    step = digesting(bench, subscribed(*audiences))
    await bench.take(told(500), told(5000, 10_000, area=PROVINCE))
    bench.clock.set(MONDAY)
    await step.step(MONDAY)
    await bench.take(told(620, version=2), told(5600, 10_000, version=2, area=PROVINCE))
    return step


def sender(bench: Bench, receivers: Receivers, kind: str, send: Send) -> Delivering:
    return Delivering(
        kind,
        send,
        pool=bench.pool,
        receivers=receivers,
        metrics=bench.metrics,
        clock=bench.clock,
        lease=timedelta(seconds=60),
        give_up=3 * DAY,
        claim=digests.claim,
    )


async def test_a_week_is_written_once_whoever_writes(bench: Bench) -> None:
    first = await measured(bench, UNIT)
    assert await periods(bench) == []
    second = digesting(bench, subscribed(UNIT))
    due = MONDAY + WEEK
    await first.step(due - timedelta(seconds=1))
    assert await periods(bench) == []
    await asyncio.gather(first.step(due), second.step(due))
    for each in (first, second):
        await each.step(due)
        await each.step(due + DAY)
    assert await periods(bench) == [("2026-11-29", UNIT)]
    (one,) = await kept(bench)
    (line,) = one.digest.better
    assert [line.before, line.value, line.change] == [Decimal(50), Decimal(62), Decimal(12)]
    assert [sent["state"] for sent in one.deliveries] == ["waiting"]


async def test_what_another_left_unwritten_is_written(bench: Bench) -> None:
    step = await measured(bench, UNIT, LEADERS)
    due = MONDAY + WEEK
    await step.step(due)
    async with bench.pool.acquire() as connection:
        # As if the process had died between the two.
        await connection.execute("DELETE FROM messages WHERE audience = $1", f"digest/{UNIT}")
        await connection.execute("UPDATE digest_periods SET finished_at = NULL")
    await bench.take(told(900, version=3))
    await digesting(bench, subscribed(UNIT, LEADERS)).step(due + DAY)
    found = await kept(bench)
    assert sorted(one.digest.audience for one in found) == [LEADERS, UNIT]
    mine = next(one.digest for one in found if one.digest.audience == UNIT)
    # What it says is of the measure, not of the day on which it was written.
    assert [line.value for line in mine.better] == [62]


async def test_what_was_left_unwritten_too_long_is_left_out(bench: Bench) -> None:
    step = await measured(bench, UNIT)
    due = MONDAY + WEEK
    await step.step(due)
    async with bench.pool.acquire() as connection:
        await connection.execute("DELETE FROM messages WHERE audience = $1", f"digest/{UNIT}")
        await connection.execute("UPDATE digest_periods SET finished_at = NULL")
    await step.step(due + 4 * DAY)
    assert await kept(bench) == []
    async with bench.pool.acquire() as connection:
        unfinished = await connection.fetchval(
            "SELECT count(*) FROM digest_periods WHERE is_told AND finished_at IS NULL"
            " AND cadence = 'weekly'"
        )
    assert unfinished == 0


@pytest.mark.parametrize(("late", "written"), [(3 * DAY, 1), (3 * DAY + timedelta(minutes=1), 0)])
async def test_late_once_or_left_out(bench: Bench, late: timedelta, written: int) -> None:
    step = await measured(bench, UNIT)
    # Two weeks of standstill: only the last week may be told.
    await step.step(MONDAY + 2 * WEEK + late)
    await step.step(MONDAY + 2 * WEEK + late)
    assert await periods(bench) == [("2026-12-06", UNIT)] * written
    await step.step(MONDAY + 3 * WEEK)
    assert (await periods(bench))[0] == ("2026-12-13", UNIT)


async def test_two_measures_are_kept(bench: Bench) -> None:
    step = await measured(bench, UNIT)
    for week in (1, 2, 3):
        await step.step(MONDAY + week * WEEK)
    async with bench.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT DISTINCT period FROM digest_marks WHERE cadence = 'weekly' ORDER BY 1"
        )
    assert [row["period"] for row in rows] == ["2026-12-06", "2026-12-13"]


async def test_a_digest_does_not_put_off_a_letter(bench: Bench) -> None:
    step = await measured(bench, UNIT)
    await step.step(MONDAY + WEEK)
    bench.clock.set(MONDAY + WEEK)
    fresh = MONDAY + WEEK + 3 * DAY
    await bench.take(told(100, version=9, fresh_at=fresh))
    await bench.evaluate()
    await bench.evaluate(3 * DAY)
    receivers = Receivers([(UNIT, mailbox())])
    await bench.tell(bench.telling(receivers, group_interval=30 * 86_400))
    async with bench.pool.acquire() as connection:
        letters = await connection.fetchval(
            "SELECT count(*) FROM messages WHERE audience = $1", UNIT
        )
    assert letters == 1


async def test_by_hand_once_a_day_and_not_in_place_of_the_week(bench: Bench) -> None:
    step = await measured(bench, UNIT, LEADERS)
    now = MONDAY + 2 * DAY
    assert len(await step.by_hand("weekly", None, "operator-1", now)) == 2
    assert await step.by_hand("weekly", COMMUNE, "operator-1", now) == []
    assert await step.by_hand("monthly", None, "operator-1", now) == []
    assert {one.asked_by for one in await kept(bench)} == {"operator-1"}
    await step.step(MONDAY + WEEK)
    assert len(await periods(bench)) == 4


async def test_an_agency_is_told_of_the_province_once(bench: Bench) -> None:
    step = await measured(bench, AGENCY)
    for each in (step, digesting(bench, subscribed(AGENCY))):
        await each.step(MONDAY + WEEK)
    (one,) = await kept(bench)
    assert (one.digest.audience, one.digest.area) == (AGENCY, PROVINCE)
    (line,) = one.digest.others
    assert (line.change, line.units_judged) == (Decimal(6), 1)
    assert [held.area for held in line.held_back] == [COMMUNE]


@pytest.mark.parametrize("audience", [UNIT, LEADERS, AGENCY])
async def test_a_digest_is_addressed_by_the_title_of_its_entry(bench: Bench, audience: str) -> None:
    title = Title(vi="Tổ công tác Đề án 06", en="Task force of Project 06")
    receivers = Receivers((), subscribed(audience).digests, titles={audience: title})
    await measured(bench, audience)
    await digesting(bench, receivers).step(MONDAY + WEEK)
    (one,) = await kept(bench)
    assert as_text(one.digest).startswith("Kính gửi: Tổ công tác Đề án 06")
    assert as_text(one.digest, "en").startswith("To: Task force of Project 06")


async def test_an_agency_hears_nothing_of_what_others_answer_for(bench: Bench) -> None:
    step = await measured(bench, "agency:so-y-te")
    await step.step(MONDAY + WEEK)
    assert await periods(bench) == []


async def test_a_mailbox_that_reads_english_gets_it(bench: Bench, mailroom: Mailroom) -> None:
    receivers = subscribed(UNIT, to=replace(mailbox(), language="en"))
    await measured(bench, UNIT)
    await digesting(bench, receivers).step(MONDAY + WEEK)
    bench.clock.set(MONDAY + WEEK)
    smtp = SmtpSettings(host="127.0.0.1", port=mailroom.port, sender="nhip-so@example.vn")
    mailer = DigestMailer(EmailSender(smtp, None), smtp)
    await deliver(bench, sender(bench, receivers, "digest-email", mailer.send))
    (mail,) = mailroom.taken
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().startswith("To: People's Committee of Lào Cai ward")
    assert mail["Content-Language"] == "en"


async def test_leaders_get_pages_and_workbook_by_mail(bench: Bench, mailroom: Mailroom) -> None:
    step = await measured(bench, LEADERS)
    await step.step(MONDAY + WEEK)
    bench.clock.set(MONDAY + WEEK)
    smtp = SmtpSettings(host="127.0.0.1", port=mailroom.port, sender="nhip-so@example.vn")
    mailer = DigestMailer(EmailSender(smtp, None), smtp)
    out = sender(bench, subscribed(LEADERS), "digest-email", mailer.send)
    await deliver(bench, out)
    await deliver(bench, out)
    (mail,) = mailroom.taken
    assert mail["Subject"].startswith("[Nhịp Số] Bản tin tuần 23/11 đến 29/11/2026. Tỉnh Lào Cai")
    text = mail.get_body(("plain",))
    assert text is not None
    assert "Phường Lào Cai" in text.get_content()
    page, workbook = (attached.get_content() for attached in mail.iter_attachments())
    with pypdfium2.PdfDocument(page) as document:
        assert "Tỉnh Lào Cai" in document[0].get_textpage().get_text_bounded()
    book = load_workbook(BytesIO(workbook))
    names = [row[0] for row in book["Đơn vị"].iter_rows(min_row=5, values_only=True)]
    assert "Phường Lào Cai" in names
    assert [sent["state"] for sent in (await kept(bench))[0].deliveries] == ["delivered"]


@pytest.mark.parametrize(
    ("language", "greeting"),
    [("vi", "Kính gửi: Ủy ban nhân dân"), ("en", "To: People's Committee of Lào Cai ward")],
)
async def test_a_webhook_gets_the_digest_as_json_in_its_language(
    bench: Bench,
    hook: Hook,
    session: aiohttp.ClientSession,
    language: Language,
    greeting: str,
) -> None:
    receivers = subscribed(UNIT, to=replace(webhook(hook), language=language))
    await measured(bench, UNIT)
    await digesting(bench, receivers).step(MONDAY + WEEK)
    bench.clock.set(MONDAY + WEEK)
    poster = DigestPoster(WebhookSender(session, timeout=5, clock=SystemClock()))
    await deliver(bench, sender(bench, receivers, "digest-webhook", poster.send))
    ((message, payload),) = hook.taken
    assert payload["type"] == "vn.nhipso.digest.v1"
    assert payload["data"]["text"].startswith(greeting)
    said = Digest.model_validate(payload["data"])
    assert (said.audience, said.period) == (UNIT, "2026-11-29")
    async with bench.pool.acquire() as connection:
        sent = await connection.fetchrow("SELECT id, message FROM deliveries")
    assert str(sent["id"]) == message
    assert json.loads(said.model_dump_json())["area"] == COMMUNE
