"""Who is told: a real HTTP server and a real SMTP server, which keep the ids of what they take."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook

from deploy.embedded.ports import LOOPBACK, free_port
from tests.fault.waiting import until

#: Invented, and of the length that the specification asks for.
_SECRET: Final = "whsec_" + "bmhpcHNvLWZhdWx0LXN1aXRlLWludmVudGVk"
_HEADERS: Final = BytesHeaderParser()

#: Code of a unit → how often each id has come.
Taken = dict[str, Counter[str]]


@dataclass(slots=True)
class Receiving:
    """What both servers have taken, by the code of the unit that was addressed."""

    hook_port: int
    mail_port: int
    hooks: Taken = field(default_factory=dict)
    mails: Taken = field(default_factory=dict)
    is_down: bool = False
    """Whether both refuse for the moment whatever comes."""
    holds: bool = False
    """Whether webhooks wait for their answer until this is over."""
    held: int = 0
    """How many wait at the moment."""
    late: int = 0
    """So many webhooks that come next are taken, and answered when the sender has hung up."""
    dying: int = 0
    """So many mails that come next are taken, and the connection ends before the answer."""
    unsure: list[tuple[Taken, str]] = field(default_factory=list)
    """Of which messages the sender could not know: where they are kept, and the unit's code."""

    @property
    def repeats(self) -> int:
        """How often a message came again under its id."""
        every = [*self.hooks.values(), *self.mails.values()]
        return sum(ids.total() - len(ids) for ids in every)

    def has_told(self, code: str) -> bool:
        """Whether a unit has been told both ways."""
        return code in self.hooks and code in self.mails

    def write(self, path: Path, areas: dict[str, str]) -> None:
        """Write the receivers file: a webhook and a mailbox for each unit.

        Args:
            path: of the file; the webhooks' secret stands beside it.
            areas: code → area id.
        """
        (path.parent / "hook.key").write_text(_SECRET, encoding="ascii")
        rows = ["receivers:"]
        for code, area in areas.items():
            url = f"http://{LOOPBACK}:{self.hook_port}/{code}"
            hook = f'{{url: "{url}", secret_file: hook.key}}'
            rows += [
                f'  - {{area: "{area}", email: "{code}@example.vn", digest: none}}',
                f'  - {{area: "{area}", webhook: {hook}, digest: none}}',
            ]
        path.write_text("\n".join(rows), encoding="utf-8")

    async def take_hook(self, request: web.Request) -> web.Response:
        """Take a message; one whose signature is wrong is refused."""
        if self.is_down:
            return web.Response(status=503, headers={"retry-after": "1"})
        self.held += 1
        await until(self._lets_go)
        self.held -= 1
        Webhook(_SECRET).verify(await request.read(), dict(request.headers))
        code = request.match_info["code"]
        self.hooks.setdefault(code, Counter())[request.headers["webhook-id"]] += 1
        if self.late > 0:
            self.late -= 1
            self.unsure.append((self.hooks, code))
            await until(partial(_has_hung_up, request))
        return web.Response(status=204)

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a mail."""
        if self.is_down:
            return "451 later"
        assert isinstance(envelope.content, bytes)
        headers = _HEADERS.parsebytes(envelope.content)
        (address,) = envelope.rcpt_tos
        code = address.partition("@")[0]
        self.mails.setdefault(code, Counter())[str(headers["Message-ID"])] += 1
        if self.dying > 0:
            self.dying -= 1
            self.unsure.append((self.mails, code))
            # The answer goes nowhere.
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return "250 OK"

    async def _lets_go(self) -> bool:
        return not self.holds


async def _has_hung_up(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiving]:
    """Both servers, listening until the context is left."""
    room = Receiving(hook_port=free_port(), mail_port=free_port())
    app = web.Application()
    app.router.add_post("/{code}", room.take_hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    mail = Controller(room, hostname=LOOPBACK, port=room.mail_port)
    try:
        await web.TCPSite(runner, LOOPBACK, room.hook_port).start()
        mail.start()
        yield room
    finally:
        mail.stop(no_assert=True)
        await runner.cleanup()
