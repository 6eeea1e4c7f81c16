"""The notifier struck down at every stage: nothing is lost, and nothing is told twice.

Two processes share the work; each unit lags in one indicator and so has one alert, and is told by
webhook and by mail. Whatever dies, in the end each unit has got one message each way, under one id
that may have come more than once; and a replay of the whole topic tells nobody anything.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from contracts.topics import ALERT_EVENTS
from contracts.updates import ALERT_OPENED, AlertChanged
from tests.fault.notifier.report import Report
from tests.fault.notifier.stage import Stage, staged
from tests.fault.notifier.striking import (
    OUTCOMES,
    POINTS,
    SLEEPS,
    cut_off,
    kill,
    leave_unsure,
    sleep,
)
from tests.fault.plan import COMMIT_SIDES
from tests.fault.waiting import until

Say = Callable[[str], None]

_PROCESSES: Final = 2
_MORE: Final = 2
"""So many more while they are struck: what dies at one point leaves others to come to the next."""
_SHARED_PART: Final = 5
"""The first part of so many is told without a fault, to see that two do not double the work."""
_SLEPT_PART: Final = 10
_CUT_PART: Final = 20

_QUEUE: Final = "SELECT id::text FROM deliveries WHERE state = 'waiting' ORDER BY id"
_MESSAGES: Final = "SELECT count(*) FROM messages"
_FAILED: Final = "SELECT count(*) FROM deliveries WHERE state = 'failed'"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is to do.

    `alerts` is how many units lag. In each of `rounds` every one of `points` is struck once; and,
    unless only some are asked for, processes sleep past their leases, connections end during
    COMMIT, receivers take without answering, and one process at random and both servers die. With
    more than one round the queue is also held against a restart of everything. Nothing is waited
    for longer than `patience` seconds.
    """

    seed: int
    alerts: int
    rounds: int = 1
    points: Sequence[str] = POINTS
    patience: float = 180.0

    @property
    def is_whole(self) -> bool:
        """Whether all is struck, and not some points alone."""
        return tuple(self.points) == POINTS


async def run(root: Path, asked: Asked, say: Say) -> Report:
    """Start everything in a folder, strike in rounds, replay the topic, and judge.

    What takes too long is a difference too.

    Args:
        root: an empty folder, which other accounts may enter.
        asked: what is struck, and how often.
        say: is told how far it is.
    """
    report = Report(asked.seed, asked.alerts)
    begun = time.monotonic()

    def tell(what: str) -> None:
        say(f"{time.monotonic() - begun:6.1f} s  {what}")

    # One unit more, which is told after the replay.
    async with staged(root, asked.alerts + 1, asked.patience) as stage:
        try:
            await _play(stage, asked, report, tell)
        except TimeoutError as error:
            report.wrong.append(str(error))
        await _judge(stage, report)
        report.starts = stage.processes.starts
        report.wrong += map(str, stage.processes.surprises.items())
    report.repeats = stage.received.repeats
    report.seconds = time.monotonic() - begun
    return report


async def _play(stage: Stage, asked: Asked, report: Report, tell: Say) -> None:
    rng = Random(asked.seed)
    alerts, rounds = asked.alerts, asked.rounds
    await stage.processes.start(_PROCESSES)
    await OUTCOMES.prepare(stage.servers.postgres.dsn, stage.store)
    tell("started")
    await _share(stage, alerts // _SHARED_PART, report)
    tell("two processes have shared the work")
    if rounds > 1:
        await _queue(stage, alerts // _SHARED_PART, report)
        tell("the queue has survived a restart of everything")
    await stage.processes.start(_MORE)
    for number in range(rounds):
        until_sent = alerts - (alerts - stage.feed.sent) * (rounds - number - 1) // rounds
        if asked.is_whole:
            await _disturb(stage, SLEEPS[number % len(SLEEPS)], until_sent, report)
            tell("slept past leases and sessions, and cut off in COMMIT")
        await kill(stage, asked.points, until_sent, report, rng if asked.is_whole else None)
        tell("every point has been struck")
        await stage.all_told()
    tell("all have been told")
    await _replay(stage)
    tell("the topic has been read again")


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

    await stage.patiently("deliveries are not in the queue", until(queued))
    before = [row[0] for row in await stage.store.fetch(_QUEUE)]
    await stage.processes.stop()
    await stage.servers.crash_postgres()
    await stage.servers.kill_kafka()
    after = [row[0] for row in await stage.store.fetch(_QUEUE)]
    report.expect("the queue after a restart", after, before)
    stage.received.is_down = False
    await stage.processes.start(_PROCESSES)
    await stage.all_told()


async def _disturb(stage: Stage, points: Sequence[str], until_sent: int, report: Report) -> None:
    """What leaves a sender in doubt of what has become of its message."""
    left = until_sent - stage.feed.sent
    leave_unsure(stage)
    await sleep(stage, points, left // _SLEPT_PART, report)
    for side in COMMIT_SIDES:
        await cut_off(stage, side, left // _CUT_PART, report)
    # The kills come while these are made up for.


async def _replay(stage: Stage) -> None:
    """Read the whole topic again, and tell one more unit to see when it is over."""
    await stage.processes.stop()
    await stage.feed.begin_again()
    await stage.processes.start(_PROCESSES)
    await stage.patiently("the topic has not been read again", until(stage.is_read))
    await stage.feed.wave(1)
    await stage.all_told()


async def _judge(stage: Stage, report: Report) -> None:
    codes = stage.codes[: stage.feed.sent]
    for way, taken in (("webhook", stage.received.hooks), ("mail", stage.received.mails)):
        lost = [code for code in codes if code not in taken]
        twice = [code for code, ids in taken.items() if len(ids) > 1]
        report.expect(f"units that got no {way}", lost, [])
        report.expect(f"units with a second {way} under a new id", twice, [])
    report.unsure = len(stage.received.unsure)
    once = [code for taken, code in stage.received.unsure if taken[code].total() < 2]
    report.expect("units not told again though the answer was lost", once, [])
    report.expect("messages in the log", await stage.store.value(_MESSAGES), len(codes))
    report.expect("deliveries given up", await stage.store.value(_FAILED), 0)
    records = await stage.topics.read(ALERT_EVENTS, {})
    events = {
        event.id: event
        for event in (AlertChanged.model_validate_json(one.value or b"") for one in records)
    }
    opened = [event for event in events.values() if event.type == ALERT_OPENED]
    report.expect("alerts told of on alert-events.v1", len(opened), len(codes))
    report.expect("other events about alerts", len(events) - len(opened), 0)
