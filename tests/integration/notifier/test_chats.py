"""Letters reach chats: a Slack-compatible webhook, and an Official Account of Zalo with its tokens."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from services.notifier.pipeline.delivering import Delivering, Send
from services.notifier.receivers.chat.message import ChatMessage
from services.notifier.receivers.chat.sending import ChatSender
from services.notifier.receivers.chat.slack import LONGEST, SlackChat, SlackReceiver
from services.notifier.receivers.chat.tokens import ZaloSecrets, ZaloTokens
from services.notifier.receivers.chat.zalo import ZaloChat, ZaloReceiver
from services.notifier.receivers.reading import Receiver, Receivers
from services.notifier.store import deliveries
from tests.integration.notifier.conftest import COMMUNE, Bench
from tests.integration.notifier.test_fairness import deliver, fire, letter, standing

KEY = bytes(range(32))
USER = "1234567890123456789"


@dataclass
class Slack:
    """An incoming webhook; `answers` are given in turn, then ``ok``."""

    url: str = ""
    answers: deque[tuple[int, str]] = field(default_factory=deque)
    headers: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert set(body) == {"text"}
        if self.answers:
            status, word = self.answers.popleft()
            return web.Response(status=status, text=word, headers=self.headers)
        self.texts.append(body["text"])
        return web.Response(text="ok")


@dataclass
class Zalo:
    """The Open API and the tokens' address: each refresh token is good once, as there."""

    url: str = ""
    refresh: str = "refresh-0"
    access: str = ""
    issued: int = 0
    codes: deque[int] = field(default_factory=deque)
    status: int = 200
    texts: list[tuple[str, str]] = field(default_factory=list)

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert request.headers["secret_key"] == "app-secret"
        assert (form["app_id"], form["grant_type"]) == ("42", "refresh_token")
        if form["refresh_token"] != self.refresh:
            # Its own words for it, beside a number or without one, under 200.
            return web.json_response(
                {
                    "error_name": "Invalid refresh token",
                    "error_reason": "The refresh token has been used",
                    "error": -14014,
                }
            )
        self.issued += 1
        self.refresh, self.access = f"refresh-{self.issued}", f"access-{self.issued}"
        await asyncio.sleep(0)  # whoever comes now must not use the old one
        return web.json_response(
            {
                "access_token": self.access,
                "refresh_token": self.refresh,
                "expires_in": "90000",
            }
        )

    async def message(self, request: web.Request) -> web.Response:
        if self.status != 200:
            return web.Response(status=self.status)
        if request.headers.get("access_token") != self.access:
            return self._said(-216, "Access token is invalid")
        if self.codes:
            return self._said(self.codes.popleft(), "no")
        body = await request.json()
        assert len(body["message"]["text"]) <= 2000
        self.texts.append((body["recipient"]["user_id"], body["message"]["text"]))
        return self._said(0, "Success")

    def _said(self, code: int, message: str) -> web.Response:
        return web.json_response({"error": code, "message": message})


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    one, app = Slack(), web.Application()
    app.router.add_post("/services/T/B/secret", one.handle)
    async with serving(app) as url:
        one.url = f"{url}/services/T/B/secret"
        yield one


@pytest.fixture
async def zalo() -> AsyncIterator[Zalo]:
    one, app = Zalo(), web.Application()
    app.router.add_post("/v4/oa/access_token", one.token)
    app.router.add_post("/v3.0/oa/message/cs", one.message)
    async with serving(app) as url:
        one.url = url
        yield one


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


def delivering(bench: Bench, receiver: Receiver, send: Send) -> tuple[Delivering, Receivers]:
    known = Receivers([(f"unit:{COMMUNE}", receiver)])
    one = Delivering(
        receiver.kind,
        send,
        pool=bench.pool,
        receivers=known,
        metrics=bench.metrics,
        clock=bench.clock,
        lease=timedelta(seconds=60),
        give_up=timedelta(days=3),
        jitter=lambda: 1.0,
    )
    return one, known


def to_slack(bench: Bench, slack: Slack, session: aiohttp.ClientSession) -> Send:
    return ChatSender(SlackChat(session, timeout=30, clock=bench.clock)).send


def tokens(
    bench: Bench,
    zalo: Zalo,
    session: aiohttp.ClientSession,
    *,
    first: str = "refresh-0",
    key: bytes = KEY,
) -> ZaloTokens:
    secrets = ZaloSecrets(app_id="42", app_secret="app-secret", first_refresh=first, key=key)
    return ZaloTokens(session, bench.pool, secrets, clock=bench.clock, oauth=zalo.url)


def to_zalo(
    bench: Bench, zalo: Zalo, session: aiohttp.ClientSession, first: str = "refresh-0"
) -> Send:
    chat = ZaloChat(
        session,
        tokens(bench, zalo, session, first=first),
        timeout=30,
        clock=bench.clock,
        api=zalo.url,
    )
    return ChatSender(chat).send


async def reasons(bench: Bench) -> list[tuple[str, str | None]]:
    async with bench.pool.acquire() as connection:
        rows = await deliveries.search(connection, alert=None, audiences=None, limit=100)
    return [(row.state, row.reason) for row in rows]


async def test_slack_shows_the_letter(
    bench: Bench, slack: Slack, session: aiohttp.ClientSession
) -> None:
    receiver = SlackReceiver("slack:example.vn#1", slack.url)
    one, known = delivering(bench, receiver, to_slack(bench, slack, session))
    await fire(bench)
    await letter(bench, known)
    await deliver(bench, one)
    (text,) = slack.texts
    assert text.startswith("[Nhịp Số]")
    assert "còn thiếu 136 người" in text
    assert await reasons(bench) == [("delivered", "taken")]


@pytest.mark.parametrize(
    ("answer", "after", "disabled"),
    [
        ((400, "invalid_payload"), ("failed", "rejected"), False),
        ((400, "user_not_found"), ("failed", "gone"), True),
        ((404, "channel_not_found"), ("failed", "gone"), True),
        ((404, "<html>a proxy</html>"), ("waiting", "rejected"), False),
        ((403, "invalid_token"), ("waiting", "credentials"), False),
        ((404, "no_service"), ("failed", "gone"), True),
        ((410, "channel_is_archived"), ("failed", "gone"), True),
        ((403, "action_prohibited"), ("waiting", "credentials"), False),
        ((429, "rate_limited"), ("waiting", "busy"), False),
        ((500, "rollup_error"), ("waiting", "server-error"), False),
    ],
)
async def test_what_slack_answers_is_understood(
    bench: Bench,
    slack: Slack,
    session: aiohttp.ClientSession,
    answer: tuple[int, str],
    after: tuple[str, str],
    *,
    disabled: bool,
) -> None:
    receiver = SlackReceiver("slack:example.vn#1", slack.url)
    one, known = delivering(bench, receiver, to_slack(bench, slack, session))
    await fire(bench)
    await letter(bench, known)
    slack.answers.append(answer)
    await deliver(bench, one)
    assert await reasons(bench) == [after]
    found = await standing(bench, receiver.name)
    assert (found.disabled_at is not None) == disabled


async def test_a_text_stays_within_the_bound_as_it_is_sent(
    slack: Slack, session: aiohttp.ClientSession, bench: Bench
) -> None:
    chat = SlackChat(session, timeout=30, clock=bench.clock)
    message = ChatMessage("A & B", tuple(f"<{number}> & " * 200 for number in range(40)))
    await chat.post(SlackReceiver("slack:example.vn#1", slack.url), message)
    (text,) = slack.texts
    assert len(text) <= LONGEST
    assert text.startswith("A &amp; B\n\n&lt;0&gt; &amp; ")
    assert text.endswith("…")


async def test_zalo_is_sent_the_letter_with_a_token_that_is_kept_sealed(
    bench: Bench, zalo: Zalo, session: aiohttp.ClientSession
) -> None:
    receiver = ZaloReceiver(f"zalo:{USER}", USER)
    one, known = delivering(bench, receiver, to_zalo(bench, zalo, session))
    await fire(bench)
    await letter(bench, known)
    await deliver(bench, one)
    ((user, text),) = zalo.texts
    assert user == USER
    assert "Phường Lào Cai" in text
    async with bench.pool.acquire() as connection:
        row = await connection.fetchrow("SELECT access, refresh FROM tokens")
    assert b"access-1" not in row["access"]
    assert b"refresh-1" not in row["refresh"]


@pytest.mark.parametrize(
    ("code", "after", "disabled"),
    [
        (-32, ("waiting", "busy"), False),
        (-223, ("waiting", "credentials"), False),
        (-230, ("failed", "rejected"), False),
        (-213, ("failed", "rejected"), False),
        (-204, ("failed", "gone"), True),
        (-9999, ("waiting", "server-error"), False),
    ],
)
async def test_what_zalo_answers_is_understood(
    bench: Bench,
    zalo: Zalo,
    session: aiohttp.ClientSession,
    code: int,
    after: tuple[str, str],
    *,
    disabled: bool,
) -> None:
    receiver = ZaloReceiver(f"zalo:{USER}", USER)
    one, known = delivering(bench, receiver, to_zalo(bench, zalo, session))
    await fire(bench)
    await letter(bench, known)
    zalo.codes.append(code)
    await deliver(bench, one)
    assert await reasons(bench) == [after]
    found = await standing(bench, receiver.name)
    assert (found.disabled_at is not None) == disabled


async def test_an_access_token_that_zalo_takes_back_is_replaced_at_once(
    bench: Bench, zalo: Zalo, session: aiohttp.ClientSession
) -> None:
    receiver = ZaloReceiver(f"zalo:{USER}", USER)
    one, known = delivering(bench, receiver, to_zalo(bench, zalo, session))
    assert await tokens(bench, zalo, session).access() == "access-1"
    zalo.access = "taken back"
    await fire(bench)
    await letter(bench, known)
    await deliver(bench, one)
    assert await reasons(bench) == [("delivered", "taken")]
    assert zalo.issued == 2


async def test_many_senders_of_two_processes_use_one_chain(
    bench: Bench, zalo: Zalo, session: aiohttp.ClientSession
) -> None:
    first, second = (tokens(bench, zalo, session) for _ in range(2))
    got = await asyncio.gather(*(one.access() for one in (first, second) * 10))
    assert set(got) == {"access-1"}
    bench.clock.advance(timedelta(hours=25))  # ended
    got = await asyncio.gather(*(one.access() for one in (second, first) * 10))
    assert set(got) == {"access-2"}
    assert zalo.issued == 2


async def test_a_refresh_whose_asker_is_cancelled_is_kept(
    bench: Bench, zalo: Zalo, session: aiohttp.ClientSession
) -> None:
    one = tokens(bench, zalo, session)
    asking = asyncio.create_task(one.access())
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert await one.access() == "access-1"
    assert zalo.issued == 1


async def test_a_chain_does_not_break_for_want_of_letters(
    bench: Bench, zalo: Zalo, session: aiohttp.ClientSession
) -> None:
    one = tokens(bench, zalo, session)
    for _ in range(100):  # a refresh token is good for three months
        await one.step(bench.clock.now())
        bench.clock.advance(timedelta(hours=26))
    assert zalo.issued == 100
    zalo.refresh = "lost"
    await one.step(bench.clock.now())  # logged, and tried again


async def test_a_broken_chain_waits_for_another_first_token(
    bench: Bench, zalo: Zalo, session: aiohttp.ClientSession
) -> None:
    receiver = ZaloReceiver(f"zalo:{USER}", USER)
    zalo.refresh = "authorised-anew"
    one, known = delivering(bench, receiver, to_zalo(bench, zalo, session))
    await fire(bench)
    await letter(bench, known)
    await deliver(bench, one)
    assert await reasons(bench) == [("waiting", "credentials")]
    error = (await standing(bench, receiver.name)).last_error
    assert error is not None
    assert "The refresh token has been used" in error
    send = to_zalo(bench, zalo, session, first="authorised-anew")
    one, _ = delivering(bench, receiver, send)
    bench.clock.advance(timedelta(seconds=5))
    await deliver(bench, one)
    assert await reasons(bench) == [("delivered", "taken")]


async def test_tokens_under_another_key_are_not_thrown_away(
    bench: Bench, zalo: Zalo, session: aiohttp.ClientSession
) -> None:
    assert await tokens(bench, zalo, session).access() == "access-1"
    with pytest.raises(Exception, match="sealed under another key"):
        await tokens(bench, zalo, session, key=bytes(32)).access()
    assert await tokens(bench, zalo, session).access() == "access-1"
