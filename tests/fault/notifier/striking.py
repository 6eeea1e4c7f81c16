"""How the notifier is struck: killed at its points, stopped past its leases, cut off in COMMIT."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import Final

from tests.fault.commits import Commits
from tests.fault.notifier.report import Report
from tests.fault.notifier.stage import Stage
from tests.fault.strikes import terminate
from tests.fault.waiting import until

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

#: Two processes at a time sleep at these, one pair a round; they lie outside of transactions.
SLEEPS: Final = (
    ("delivery.before-send", "delivery.after-send"),
    ("figures.after-commit", "letter.after-commit"),
    ("alerts.after-commit", "delivery.after-mark"),
)

OUTCOMES: Final = Commits(
    "notifier", "notifier.deliveries", when="OLD.state <> NEW.state", strictly=True
)

_WAVES: Final = 10
_UNANSWERED: Final = 3
"""So many messages each way are taken without the sender's knowing."""

#: Longer than a lease (4 s) and than a session with Kafka (6 s). A process that was stopped in the
#: middle of a transaction holds up the others for as long as it sleeps.
_SLEEPS_IN_TRANSACTION: Final = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE application_name = 'notifier' AND state LIKE 'idle in transaction%'
            AND state_change < now() - interval '8 s'
    )
"""
_NOTED: Final = "SELECT id::text, state, attempts, finished_at FROM deliveries ORDER BY id"


async def kill(
    stage: Stage, points: Sequence[str], until_sent: int, report: Report, rng: Random | None
) -> None:
    """Kill at every point while waves of alerts come; with `rng` also what has no point.

    That is one process at random, and both servers.

    Raises:
        TimeoutError: naming the points to which no process came.
    """
    wave = max(1, (until_sent - stage.feed.sent) // _WAVES)
    for point in points:
        stage.processes.arm(point)
    blows = asyncio.create_task(_blows(stage, points, rng))

    def is_over() -> bool:
        return blows.done() and all(map(stage.processes.is_taken, points))

    async def calm_or_over() -> bool:
        return is_over() or await stage.is_calm()

    try:
        async with asyncio.timeout(stage.patience):
            while not is_over():
                # The last waves are for points that nobody has come to yet.
                if stage.feed.sent + 2 * wave < until_sent:
                    await stage.feed.wave(wave)
                else:
                    await stage.feed.nudge(wave)
                await until(calm_or_over)
            await blows
    except TimeoutError:
        left = [point for point in points if not stage.processes.is_taken(point)]
        raise TimeoutError(f"not struck after {stage.patience:.0f} s: {left}") from None
    finally:
        report.kills += sum(map(stage.processes.is_taken, points)) + (rng is not None)
        blows.cancel()
        await asyncio.gather(blows, return_exceptions=True)
    stage.processes.forget()
    await stage.feed.wave(until_sent - stage.feed.sent)


async def _blows(stage: Stage, points: Sequence[str], rng: Random | None) -> None:
    """Strike what has no point of its own, while points are struck."""
    if rng is None:
        return

    async def begun() -> bool:
        return any(map(stage.processes.is_taken, points))

    await until(begun)
    blows: list[Callable[[], Awaitable[None]]] = [
        stage.servers.crash_postgres,
        stage.servers.kill_kafka,
        partial(stage.processes.kill_any, rng),
    ]
    for blow in rng.sample(blows, len(blows)):
        await blow()


async def sleep(stage: Stage, points: Sequence[str], size: int, report: Report) -> None:
    """Stop a process at each point, past its lease and its session, and wake it up.

    Meanwhile the others do its work. It goes on with records and leases of before, and must not
    undo what they have noted.
    """
    for point in points:
        stage.processes.arm(point, "stop")
    await stage.feed.wave(size)
    stopping = asyncio.gather(*map(stage.processes.stopped_at, points))
    await stage.patiently(f"nobody came to {points}", stopping)
    sleepers = await stopping
    # What comes now is read once their partitions have gone to others.
    await stage.feed.nudge(stage.feed.sent)

    async def taken_over() -> bool:
        if await stage.store.value(_SLEEPS_IN_TRANSACTION):
            return True
        return await stage.is_read() and await stage.is_calm()

    await stage.patiently("nobody has taken over from those that sleep", until(taken_over))
    before = {tuple(row) for row in await stage.store.fetch(_NOTED) if row["state"] != "waiting"}
    for pid in sleepers:
        stage.processes.wake(pid)
    for pid in sleepers:
        await stage.patiently("who woke up does not serve", stage.processes.serving(pid))
    report.stops += len(sleepers)
    stage.processes.forget()
    await stage.feed.nudge(stage.feed.sent)
    await stage.all_told()
    after = {tuple(row) for row in await stage.store.fetch(_NOTED)}
    report.expect("outcomes undone by who woke up", sorted(before - after), [])


async def cut_off(stage: Stage, side: str, size: int, report: Report) -> None:
    """End the connections on which the outcome of a delivery is being committed."""

    async def asked() -> bool:
        return stage.received.held > 0

    async with asyncio.timeout(stage.patience):
        # Nothing else commits where all are held, so deliveries must be under way before.
        stage.received.holds = True
        await stage.feed.wave(size)
        await until(asked)
        async with OUTCOMES.holding(side, stage.servers.postgres.dsn, stage.store) as held:
            stage.received.holds = False
            pids = await held()
            await terminate(pids, stage.store)
    report.ended += len(pids)


def leave_unsure(stage: Stage) -> None:
    """Let the next messages each way be taken without the sender's knowing."""
    stage.received.late = stage.received.dying = _UNANSWERED
