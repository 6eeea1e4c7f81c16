"""An operator tries a receiver: the message says that it is a test, and goes the way of all."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from fastapi import FastAPI

from deploy.embedded.tokens import SigningKey, issue_all
from services.chassis import problems
from services.chassis.clock import SystemClock
from services.chassis.tokens import TokenVerifier
from services.notifier.callers import Sight
from services.notifier.core.trial import trial
from services.notifier.http import Api, add_routes
from services.notifier.http_receivers import add_receiver_routes
from services.notifier.pipeline.delivering import Delivering, Send
from services.notifier.receivers.chat.message import chat_message
from services.notifier.receivers.digest import trying
from services.notifier.receivers.digest.sending import DigestPoster
from services.notifier.receivers.digest.subscribing import DigestReceiver, Subscription
from services.notifier.receivers.email.sending import EmailReceiver, compose
from services.notifier.receivers.reading import Receivers
from services.notifier.receivers.webhook.sending import WebhookSender, body
from services.notifier.settings import SmtpSettings
from services.notifier.store import receivers
from services.notifier.store.deliveries import Delivery
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, Bench
from tests.integration.notifier.test_fairness import (
    Row,
    deliver,
    delivering,
    fire,
    letter,
    log,
    row,
    send,
)
from tests.integration.notifier.test_working import Client
from tests.serving import serving

__all__ = ["row", "send"]

NAME = "webhook:r0"
PATH = "/v1/receivers/test"


@pytest.fixture
def entries(row: Row) -> Receivers:
    digest = DigestReceiver(row.receiver("leader"))
    return Receivers(
        [(f"unit:{COMMUNE}", row.receiver("r0"))],
        [Subscription(f"leaders:{PROVINCE}", "monthly", digest)],
    )


@pytest.fixture
async def client(bench: Bench, entries: Receivers, tmp_path: Path) -> AsyncIterator[Client]:
    key = SigningKey.generate()
    (tmp_path / "jwks.json").write_text(json.dumps(key.jwks()), encoding="utf-8")
    verifier = TokenVerifier(tmp_path / "jwks.json", issuer="nhipso", audience="nhipso")
    app = FastAPI()
    problems.install(app)
    here = Api(bench.pool, bench.domain, bench.clock)
    add_routes(app, sight=Sight(verifier, bench.domain.areas), api=lambda: here)
    add_receiver_routes(app, verifier=verifier, api=lambda: here, known=entries)
    async with serving(app) as url:
        yield Client(url, issue_all(key, (PROVINCE, COMMUNE), datetime.now(UTC)))


async def asked(client: Client, name: str = NAME) -> str:
    status, answer = await client.call("POST", PATH, body={"name": name})
    assert status == 202
    return str(answer["delivery"])


async def test_a_test_goes_the_way_of_all_messages(
    bench: Bench, entries: Receivers, row: Row, send: Send, client: Client
) -> None:
    delivery = await asked(client)
    assert await log(bench) == [(NAME, "waiting", None)]  # logged before it is sent
    assert await asked(client) == delivery  # one at a time
    await deliver(bench, delivering(bench, entries, send))
    assert row.taken == [("r0", delivery)]
    status, answer = await client.call("GET", f"/v1/deliveries/{delivery}")
    assert (status, answer["state"], answer["alerts"]) == (200, "delivered", [])
    assert await bench.states() == []
    bench.clock.advance(timedelta(seconds=1))
    assert await asked(client) != delivery


async def test_it_puts_off_no_letter_and_does_not_wait_for_a_rest(
    bench: Bench, entries: Receivers, row: Row, send: Send, client: Client
) -> None:
    one = delivering(bench, entries, send)
    row.answers["r0"] = 500
    first = await asked(client)
    await deliver(bench, one)
    assert await log(bench) == [(NAME, "waiting", "server-error")]
    row.answers["r0"] = 204
    assert await asked(client) == first
    await deliver(bench, one)  # at the same moment: the clock stands
    assert row.taken == [("r0", first)]
    await fire(bench)
    await letter(bench, entries)
    await deliver(bench, one)
    assert len(row.taken) == 2


async def test_the_queue_of_digests_is_tried_the_way_digests_go(
    bench: Bench, entries: Receivers, row: Row, client: Client
) -> None:
    async with aiohttp.ClientSession() as session:
        webhook = WebhookSender(session, timeout=60, clock=SystemClock())
        one = Delivering(
            "digest-webhook",
            trying.either(DigestPoster(webhook).send, webhook.send),
            pool=bench.pool,
            receivers=entries,
            metrics=bench.metrics,
            clock=bench.clock,
            lease=timedelta(seconds=90),
            give_up=timedelta(days=3),
            claim=trying.claim,
        )
        delivery = await asked(client, "digest-webhook:leader")
        await deliver(bench, one)
    assert row.taken == [("leader", delivery)]


async def test_what_cannot_be_tried_is_refused(bench: Bench, client: Client) -> None:
    assert (await client.call("POST", PATH, body={"name": "webhook:r9"}))[0] == 404
    await asked(client)
    async with bench.pool.acquire() as connection:
        now = bench.clock.now()
        await receivers.disable(connection, NAME, now, reason="gone", fingerprint="")
    status, answer = await client.call("POST", PATH, body={"name": NAME})
    assert status == 409
    assert "enable" in answer["detail"]
    assert (await client.call("GET", f"/v1/deliveries/{'0' * 32}"))[0] == 404


@pytest.mark.parametrize("caller", ["leader", f"unit:{PROVINCE}"])
async def test_only_operators_try_and_see_it(client: Client, caller: str) -> None:
    assert (await client.call("POST", PATH, caller, {"name": NAME}))[0] == 403
    delivery = await asked(client)
    wanted = 200 if caller == "leader" else 404
    assert (await client.call("GET", f"/v1/deliveries/{delivery}", caller))[0] == wanted


async def test_receivers_are_listed_with_whom_they_are_for(bench: Bench, client: Client) -> None:
    await asked(client)
    status, answer = await client.call("GET", "/v1/receivers")
    assert status == 200
    (one,) = answer["receivers"]
    assert (one["name"], one["audiences"], one["waiting"]) == (NAME, [f"unit:{COMMUNE}"], 1)


async def test_each_kind_says_that_it_is_a_test(bench: Bench) -> None:
    said = trial(NAME, bench.domain.areas[PROVINCE], bench.clock.now())
    mailbox = EmailReceiver("email:a@example.vn", "a@example.vn")
    sent = Delivery(
        id=uuid4(),
        message=uuid4(),
        receiver=mailbox.name,
        attempts=1,
        created_at=bench.clock.now(),
        letter=said,
    )
    mail = compose(mailbox, sent, SmtpSettings(host="localhost"))
    subject = str(make_header(decode_header(str(mail["Subject"]))))
    assert subject == "[Nhịp Số] Thông báo thử, không cần xử lý"
    assert (mail["References"], str(sent.id) in mail["Message-ID"]) == (None, True)
    assert "thông báo thử" in chat_message(said, "vi").text
    assert "test message" in chat_message(said, "en").text
    posted = json.loads(body(said))
    assert (posted["type"], posted["data"]["alerts"]) == ("vn.nhipso.test.v1", [])
