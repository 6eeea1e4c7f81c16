"""Measures what a receiver that hangs costs the others; part of ``make bench-notifier``.

A real notifier process over a real broker and PostgreSQL tells a mailbox (aiosmtpd) and webhooks of
many units, one letter a unit, as their alerts come at a steady rate. Once all receivers are well;
then there are two more, one that takes the connection and never answers, and one whose connection
never comes about. A delivery's time runs from the commit that put it into the log to the moment at
which a receiver that is well has it.
"""

import asyncio
import json
import os
import signal
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg
from aiohttp import web
from aiokafka import AIOKafkaProducer
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from contracts.topics import INDICATOR_EVENTS
from contracts.updates import IndicatorUpdatedData, indicator_updated
from deploy.embedded.ports import LOOPBACK, free_port
from deploy.embedded.tokens import SigningKey
from tests.bench.ground import Country
from tests.bench.servers import Servers, machine, say, servers

BOUND_SECONDS: Final = 2.0
"""For 95 of 100 deliveries to receivers that are well."""

_WEBHOOKS: Final = 3
_SECRET: Final = "whsec_" + "bmhpcHNvLWJlbmNoLWludmVudGVkLXNlY3JldA=="
_HEADERS: Final = BytesHeaderParser()
_INDICATOR: Final = "ds.smartphone"
_CHECKOUT: Final = Path(__file__).parents[2]
_PATIENCE_SECONDS: Final = 180.0
_LOOK_SECONDS: Final = 0.1

#: Alerts fire at once and letters are not held back; the rest, such as how often the log is looked
#: through and how long a webhook may take, is as it ships.
_TUNING: Final = {
    "NHIPSO_KAFKA__PARTITIONS": "3",
    "NHIPSO_NOTIFIER__FOR_SECONDS": "0",
    "NHIPSO_NOTIFIER__GROUP_WAIT_SECONDS": "0",
    "NHIPSO_NOTIFIER__QUIET_HOURS": "false",
    "NHIPSO_NOTIFIER__SMTP__HOST": LOOPBACK,
    "NHIPSO_NOTIFIER__SMTP__TLS": "none",
}

_LOGGED: Final = """
    SELECT deliveries.id::text AS id, pg_xact_commit_timestamp(messages.xmin) AS logged_at
    FROM notifier.deliveries JOIN notifier.messages ON messages.id = deliveries.message
"""
_HUNG: Final = """
    SELECT count(*) AS waiting, coalesce(sum(attempts), 0) AS attempts
    FROM notifier.deliveries WHERE state = 'waiting'
"""


@dataclass(frozen=True, slots=True)
class Share:
    """How long deliveries to receivers that are well took, in seconds.

    `waiting` deliveries were still to be made to receivers that hang, after so many `attempts`.
    """

    name: str
    deliveries: int
    p50: float
    p95: float
    worst: float
    waiting: int
    attempts: int


@dataclass(slots=True)
class Room:
    """Receivers that are well, on a real HTTP and a real SMTP server: delivery → when it came."""

    taken: dict[str, float] = field(default_factory=dict)

    async def take_hook(self, request: web.Request) -> web.Response:
        """Take a message by webhook."""
        await request.read()
        self.taken.setdefault(request.headers["webhook-id"], time.time())
        return web.Response(status=204)

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a mail; its Message-ID begins with the delivery."""
        now = time.time()
        assert isinstance(envelope.content, bytes)
        name = str(_HEADERS.parsebytes(envelope.content)["Message-ID"])
        self.taken.setdefault(name.strip("<>").partition("@")[0], now)
        return "250 OK"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where receivers listen."""

    hooks: int
    mail: int
    mute: int
    hole: int


async def measure(alerts: int, rate: float) -> list[Share]:
    """Measure so many alerts without and with receivers that hang, so many a second."""
    with servers(0, track_commit_timestamp="on") as ground:
        Country(2 * alerts).write(ground.folder)
        (ground.folder / "jwks.json").write_text(
            json.dumps(SigningKey.generate().jwks()), encoding="utf-8"
        )
        (ground.folder / "hook.key").write_text(_SECRET, encoding="ascii")
        areas = [f"sim:{number:05d}" for number in range(1, 2 * alerts + 1)]
        async with _receivers() as (room, ports):
            return [
                await _share(name, ground, room, ports, some, rate)
                for name, some in (
                    ("all are well", areas[:alerts]),
                    ("two more hang", areas[alerts:]),
                )
            ]


async def _share(  # noqa: PLR0917 - one run has these parts
    name: str, ground: Servers, room: Room, ports: Ports, areas: Sequence[str], rate: float
) -> Share:
    room.taken.clear()
    is_hung = name != "all are well"
    _write_receivers(ground.folder / "receivers.yaml", ports, areas, is_hung=is_hung)
    wanted = len(areas) * (_WEBHOOKS + 1)
    async with _notifier(ground, ports):
        await _fire(f"{LOOPBACK}:{ground.kafka.port}", areas, rate)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(room.taken) < wanted:  # noqa: ASYNC110 - others tell of it
                await asyncio.sleep(_LOOK_SECONDS)
    connection = await asyncpg.connect(ground.postgres.dsn)
    try:
        rows = await connection.fetch(_LOGGED)
        hung = await connection.fetchrow(_HUNG)
    finally:
        await connection.close()
    logged = {row["id"]: row["logged_at"].timestamp() for row in rows}
    took = sorted(came - logged[delivery] for delivery, came in room.taken.items())
    cuts = statistics.quantiles(took, n=20)
    share = Share(
        name,
        len(took),
        p50=round(cuts[9], 3),
        p95=round(cuts[18], 3),
        worst=round(took[-1], 3),
        waiting=hung["waiting"],
        attempts=hung["attempts"],
    )
    say(f"{name}: p95 {share.p95:.2f} s of {share.deliveries} deliveries")
    return share


def table(found: Sequence[Share]) -> str:
    """The verdict in words."""
    head = f"{'deliveries to receivers that are well':<40}{'number':>8}{'p50 s':>8}{'p95 s':>8}"
    rows = [
        f"{one.name:<40}{one.deliveries:>8}{one.p50:>8.2f}{one.p95:>8.2f}{one.worst:>8.2f}"
        for one in found
    ]
    last = found[-1]
    hung = f"those that hang: {last.waiting} deliveries wait after {last.attempts} attempts"
    bar = f"bar: p95 under {BOUND_SECONDS:.0f} s while two hang; {machine()}"
    return "\n".join([f"{head}{'worst':>8}", *rows, "", hung, bar])


def _write_receivers(path: Path, ports: Ports, areas: Sequence[str], *, is_hung: bool) -> None:
    """The same receivers for every unit, so that each gets every letter."""
    urls = [f"http://{LOOPBACK}:{ports.hooks}/{number}" for number in range(_WEBHOOKS)]
    if is_hung:
        urls += [f"http://{LOOPBACK}:{port}/" for port in (ports.mute, ports.hole)]
    rows = ["receivers:"]
    for area in areas:
        rows.append(f'  - {{area: "{area}", email: "bench@example.vn", digest: none}}')
        rows += [
            f'  - {{area: "{area}", webhook: {{url: "{url}", secret_file: hook.key}}, digest: none}}'
            for url in urls
        ]
    path.write_text("\n".join(rows), encoding="utf-8")


async def _fire(bootstrap: str, areas: Sequence[str], rate: float) -> None:
    """One figure far under its pace a unit, at a steady rate."""
    begun = time.monotonic()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for number, area in enumerate(areas):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            now = datetime.now(UTC)
            data = IndicatorUpdatedData(
                area=area,
                indicator=_INDICATOR,
                basis="events",
                numerator=100,
                denominator=1_000,
                value=Decimal(10),
                version=1,
                updated_at=now,
                fresh_at=now,
            )
            event = indicator_updated(data).model_dump_json()
            await producer.send_and_wait(INDICATOR_EVENTS, event.encode(), key=area.encode())


@asynccontextmanager
async def _notifier(ground: Servers, ports: Ports) -> AsyncIterator[None]:
    """A notifier process that serves, until the context is left."""
    folder, port = ground.folder, free_port()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("NHIPSO_")}
    environment = {
        **kept,
        **_TUNING,
        "NHIPSO_HTTP__PORT": str(port),
        "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": f"{LOOPBACK}:{ground.kafka.port}",
        "NHIPSO_POSTGRES__DSN": ground.postgres.dsn,
        "NHIPSO_TOKENS__JWKS_FILE": str(folder / "jwks.json"),
        "NHIPSO_AREAS__FOLDER": str(folder),
        "NHIPSO_NOTIFIER__RECEIVERS_FILE": str(folder / "receivers.yaml"),
        "NHIPSO_NOTIFIER__SMTP__PORT": str(ports.mail),
    }
    log = folder / "notifier.log"
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.notifier"),
            env=environment,
            stdout=file,
            stderr=file,
            cwd=_CHECKOUT,
        )
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await _is_ready(port):
                if process.returncode is not None:
                    raise RuntimeError(log.read_text(encoding="utf-8")[-2_000:])
                await asyncio.sleep(_LOOK_SECONDS)
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _is_ready(port: int) -> bool:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{LOOPBACK}:{port}/readyz") as answer,
        ):
            return answer.ok
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def _receivers() -> AsyncIterator[tuple[Room, Ports]]:
    room, mail_port = Room(), free_port()
    app = web.Application()
    app.router.add_post("/{name}", room.take_hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    mail = Controller(room, hostname=LOOPBACK, port=mail_port)
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        mail.start()
        with _mute() as mute, _hole() as hole:
            yield room, Ports(runner.addresses[0][1], mail_port, mute, hole)
    finally:
        mail.stop(no_assert=True)
        await runner.cleanup()


@contextmanager
def _mute() -> Iterator[int]:
    """A server whose system takes connections, and that never answers."""
    with socket.create_server((LOOPBACK, 0), backlog=128) as server:
        yield server.getsockname()[1]


@contextmanager
def _hole() -> Iterator[int]:
    """A server whose queue is full: what comes gets no answer at all, as behind a dropping wall."""
    with socket.create_server((LOOPBACK, 0), backlog=0) as server:
        port: int = server.getsockname()[1]
        fill = [socket.socket() for _ in range(4)]
        try:
            for one in fill:
                one.setblocking(False)
                one.connect_ex((LOOPBACK, port))
            yield port
        finally:
            for one in fill:
                one.close()
