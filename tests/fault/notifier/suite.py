"""The notifier struck down at every stage: nothing is lost, and nothing is told twice.

Two processes share the work; each unit lags in one indicator and so has one alert, and is told by
webhook and by mail. Whatever dies, in the end each unit has got one message each way, under one id
that may have come more than once; and a replay of the whole topic tells nobody anything.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from contracts.topics import ALERT_EVENTS, INDICATOR_EVENTS
from contracts.updates import ALERT_OPENED, AlertChanged
from deploy.embedded.layout import Layout, Ports
from deploy.embedded.ports import LOOPBACK
from services.notifier.pipeline.consuming import GROUP
from tests.bench.ground import Country
from tests.e2e.line import _free_base
from tests.fault.notifier.feeding import Feed
from tests.fault.notifier.processes import Processes
from tests.fault.notifier.receiving import Receiving, receiving
from tests.fault.servers import Servers
from tests.fault.store import Store
from tests.fault.topics import PARTITIONS, Topics
from tests.fault.waiting import until

Say = Callable[[str], None]

#: In the order in which a figure becomes a message.
POINTS: Final = (
    "figures.before-commit",
    "figures.after-commit",
    "alerts.before-commit",
    "alerts.after-commit",
    "letter.before-commit",
    "letter.after-commit",
    "alert-events.before-send",
    "alert-events.after-acknowledgement",
    "delivery.before-send",
    "delivery.after-send",
    "delivery.after-mark",
)
_PROCESSES: Final = 2
_PATIENCE_SECONDS: Final = 180.0
_WAVES: Final = 10
_SHARED_PART: Final = 5
"""The first part of so many is told without a fault, to see that two do not double the work."""

#: Nothing is held back, so that whatever would be told twice is told twice.
_TUNING: Final = {
    "NHIPSO_KAFKA__PARTITIONS": str(PARTITIONS),
    "NHIPSO_NOTIFIER__FOR_SECONDS": "0",
    "NHIPSO_NOTIFIER__GROUP_WAIT_SECONDS": "0",
    "NHIPSO_NOTIFIER__GROUP_INTERVAL_SECONDS": "0",
    "NHIPSO_NOTIFIER__QUIET_HOURS": "false",
    "NHIPSO_NOTIFIER__EVALUATE_EVERY_SECONDS": "0.1",
    "NHIPSO_NOTIFIER__FULL_PASS_EVERY_SECONDS": "3",
    "NHIPSO_NOTIFIER__DELIVER_EVERY_SECONDS": "0.1",
    "NHIPSO_NOTIFIER__LEASE_SECONDS": "4",
    "NHIPSO_NOTIFIER__WEBHOOK_TIMEOUT_SECONDS": "3",
    "NHIPSO_NOTIFIER__SMTP__TIMEOUT_SECONDS": "3",
}

_LEFT: Final = """
    SELECT (SELECT count(*) FROM deliveries WHERE state = 'waiting')
        + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM figures WHERE is_changed)
        + (SELECT (coalesce(max(version), 0) < $1)::int FROM figures)
"""
_QUEUE: Final = "SELECT id::text FROM deliveries WHERE state = 'waiting' ORDER BY id"
_MESSAGES: Final = "SELECT count(*) FROM messages"
_FAILED: Final = "SELECT count(*) FROM deliveries WHERE state = 'failed'"


@dataclass(slots=True)
class Report:
    """What a run came to."""

    seed: int
    alerts: int
    kills: int = 0
    repeats: int = 0
    """Messages that came again under the same id, as at-least-once allows."""
    starts: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Note what is not as it must be."""
        if found != wanted:
            self.wrong.append(f"{what}: {found} instead of {wanted}")

    def table(self) -> str:
        """The verdict."""
        rows = [
            ("alerts", self.alerts),
            ("processes killed", self.kills),
            ("processes started", self.starts),
            ("messages repeated under their id", self.repeats),
        ]
        lines = [f"{what:<40}{number:>8}" for what, number in rows]
        said = "0 lost, 0 told twice" if not self.wrong else f"{len(self.wrong)} differences:"
        shown = [f"  {one}" for one in self.wrong[:20]]
        return "\n".join([*lines, "", f"seed {self.seed}, {self.seconds:.0f} s: {said}", *shown])


@dataclass(frozen=True)
class Stage:
    """Everything that is struck, and by which it is seen."""

    servers: Servers
    processes: Processes
    received: Receiving
    store: Store
    topics: Topics
    feed: Feed
    codes: tuple[str, ...]

    async def all_told(self) -> None:
        """Wait until there is nothing left to tell."""
        await _patiently("not all units have been told", until(self.is_calm))

    async def is_calm(self) -> bool:
        """Whether each unit of which a figure was sent has been told, and nothing is left."""
        if not all(self.received.has_told(code) for code in self.codes[: self.feed.sent]):
            return False
        left: int = await self.store.value(_LEFT, self.feed.newest)
        return left == 0


async def run(root: Path, seed: int, alerts: int, rounds: int, say: Say) -> Report:
    """Start everything in a folder, strike in rounds, replay the topic, and judge.

    Args:
        root: an empty folder, which other accounts may enter.
        seed: decides what chance decides.
        alerts: how many units lag.
        rounds: in each every point is struck once, one process at random, and both servers; with
            more than one, the queue is also held against a restart of everything.
        say: is told how far it is.

    Raises:
        TimeoutError: a fault did not strike, or units were not told.
    """
    report = Report(seed, alerts)
    rng = Random(seed)
    begun = time.monotonic()

    def tell(what: str) -> None:
        say(f"{time.monotonic() - begun:6.1f} s  {what}")

    # One unit more, which is told after the replay.
    async with _stage(root, alerts + 1) as stage:
        await stage.processes.start(_PROCESSES)
        tell("started")
        await _share(stage, alerts // _SHARED_PART, report)
        tell("two processes have shared the work")
        if rounds > 1:
            await _queue(stage, alerts // _SHARED_PART, report)
            tell("the queue has survived a restart of everything")
        for number in range(rounds):
            until_sent = alerts - (alerts - stage.feed.sent) * (rounds - number - 1) // rounds
            await _strike(stage, until_sent, rng, report, tell)
            await stage.all_told()
        tell("all have been told")
        await _replay(stage)
        tell("the topic has been read again")
        await _judge(stage, report)
        report.starts = stage.processes.starts
        report.wrong += map(str, stage.processes.surprises.items())
    report.repeats = stage.received.repeats
    report.seconds = time.monotonic() - begun
    return report


async def _share(stage: Stage, size: int, report: Report) -> None:
    """Without a fault nothing comes twice, and both processes have a part in it."""
    await stage.feed.wave(size)
    await stage.all_told()
    report.expect("repeats without a fault", stage.received.repeats, 0)
    shares = await stage.processes.delivered()
    report.expect("deliveries without a fault", sum(shares), 2.0 * size)
    report.expect("processes that delivered nothing", sum(not one for one in shares), 0)


async def _queue(stage: Stage, size: int, report: Report) -> None:
    """What waits for receivers that are down is there after everything has been struck down."""
    stage.received.is_down = True
    await stage.feed.wave(size)

    async def queued() -> bool:
        return len(await stage.store.fetch(_QUEUE)) >= 2 * size

    await _patiently("deliveries are not in the queue", until(queued))
    before = [row[0] for row in await stage.store.fetch(_QUEUE)]
    await stage.processes.stop()
    await stage.servers.crash_postgres()
    await stage.servers.kill_kafka()
    after = [row[0] for row in await stage.store.fetch(_QUEUE)]
    report.expect("the queue after a restart", after, before)
    stage.received.is_down = False
    await stage.processes.start(_PROCESSES)
    await stage.all_told()


async def _strike(stage: Stage, until_sent: int, rng: Random, report: Report, tell: Say) -> None:
    """Every point, one process at random and both servers, all while waves of alerts come."""
    wave = max(1, (until_sent - stage.feed.sent) // _WAVES)
    for point in POINTS:
        stage.processes.arm(point)
    blows = asyncio.create_task(_blows(stage, rng))
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not (_is_over(stage) and blows.done()):
                # The last waves are for points that nobody has come to yet.
                if stage.feed.sent + 2 * wave < until_sent:
                    await stage.feed.wave(wave)
                else:
                    await stage.feed.nudge(wave)
                await until(lambda: _calm_or_over(stage, blows))
            await blows
    except TimeoutError:
        left = [point for point in POINTS if not stage.processes.is_taken(point)]
        raise TimeoutError(f"these points have not been struck: {left}") from None
    finally:
        blows.cancel()
        await asyncio.gather(blows, return_exceptions=True)
    report.kills += len(POINTS) + 1
    stage.processes.forget()
    await stage.feed.wave(until_sent - stage.feed.sent)
    tell("every point, a process, PostgreSQL and the broker have been struck")


async def _blows(stage: Stage, rng: Random) -> None:
    """Strike what has no point of its own, each when about half of the points are over."""

    async def half() -> bool:
        return 2 * sum(map(stage.processes.is_taken, POINTS)) >= len(POINTS)

    await until(half)
    blows: list[Callable[[], Awaitable[None]]] = [
        stage.servers.crash_postgres,
        stage.servers.kill_kafka,
        partial(stage.processes.kill_any, rng),
    ]
    for blow in rng.sample(blows, len(blows)):
        await blow()


def _is_over(stage: Stage) -> bool:
    return all(map(stage.processes.is_taken, POINTS))


async def _calm_or_over(stage: Stage, blows: "asyncio.Task[None]") -> bool:
    return (_is_over(stage) and blows.done()) or await stage.is_calm()


async def _replay(stage: Stage) -> None:
    """Read the whole topic again, and tell one more unit to see when it is over."""
    await stage.processes.stop()
    await stage.feed.begin_again()
    await stage.processes.start(_PROCESSES)
    ends = await stage.topics.ends(INDICATOR_EVENTS)

    async def read_again() -> bool:
        held = await stage.topics.committed(GROUP, INDICATOR_EVENTS)
        return all(held.get(partition, 0) >= end for partition, end in ends.items())

    await _patiently("the topic has not been read again", until(read_again))
    await stage.feed.wave(1)
    await stage.all_told()


async def _judge(stage: Stage, report: Report) -> None:
    for way, taken in (("webhook", stage.received.hooks), ("mail", stage.received.mails)):
        lost = [code for code in stage.codes if code not in taken]
        twice = [code for code, ids in taken.items() if len(ids) > 1]
        report.expect(f"units that got no {way}", lost, [])
        report.expect(f"units with a second {way} under a new id", twice, [])
    report.expect("messages in the log", await stage.store.value(_MESSAGES), len(stage.codes))
    report.expect("deliveries given up", await stage.store.value(_FAILED), 0)
    records = await stage.topics.read(ALERT_EVENTS, {})
    events = {
        event.id: event
        for event in (AlertChanged.model_validate_json(one.value or b"") for one in records)
    }
    opened = [event for event in events.values() if event.type == ALERT_OPENED]
    report.expect("alerts told of on alert-events.v1", len(opened), len(stage.codes))
    report.expect("other events about alerts", len(events) - len(opened), 0)


async def _patiently(what: str, work: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await work
    except TimeoutError:
        raise TimeoutError(f"{what} after {_PATIENCE_SECONDS:.0f} s") from None


@asynccontextmanager
async def _stage(root: Path, units: int) -> AsyncIterator[Stage]:
    ports, layout, country = Ports(_free_base()), Layout(root), Country(units)
    country.write(root)
    servers = Servers(
        root, kafka=ports.kafka, controller=ports.kafka_controller, postgres=ports.postgres
    )
    codes = tuple(f"{number:05d}" for number in range(1, units + 1))
    areas = {code: f"sim:{code}" for code in codes}
    async with AsyncExitStack() as opened:
        received = await opened.enter_async_context(receiving())
        received.write(layout.receivers, areas)
        opened.callback(servers.stop)
        servers.start()
        store = Store(servers.postgres.dsn, schema="notifier")
        opened.push_async_callback(store.close)
        topics = Topics(servers.kafka.bootstrap)
        opened.push_async_callback(topics.close)
        processes = Processes(
            root,
            {
                "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": servers.kafka.bootstrap,
                "NHIPSO_POSTGRES__DSN_FILE": str(layout.secrets.postgres_dsn),
                "NHIPSO_TOKENS__JWKS_FILE": str(layout.secrets.jwks),
                "NHIPSO_AREAS__FOLDER": str(root),
                "NHIPSO_NOTIFIER__RECEIVERS_FILE": str(layout.receivers),
                "NHIPSO_NOTIFIER__SMTP__HOST": LOOPBACK,
                "NHIPSO_NOTIFIER__SMTP__PORT": str(received.mail_port),
                "NHIPSO_NOTIFIER__SMTP__TLS": "none",
                **_TUNING,
            },
        )
        opened.push_async_callback(processes.stop)
        yield Stage(
            servers=servers,
            processes=processes,
            received=received,
            store=store,
            topics=topics,
            feed=Feed(servers.kafka.bootstrap, list(areas.values())),
            codes=codes,
        )
