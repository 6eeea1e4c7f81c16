"""How each fault strikes; each returns once it has struck."""

import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from services.scoring.work import _LEADER_LOCK
from tests.fault.commits import Commits
from tests.fault.feeding import Feed
from tests.fault.plan import POINTS, Fault
from tests.fault.servers import Servers
from tests.fault.store import Store
from tests.fault.topics import Topics
from tests.fault.waiting import until
from tests.fault.workers import FEWEST, MOST, Worker, Workers

#: Of batches of events.
SCORING: Final = Commits("nhipso-scoring", "scoring.shards")

_POSITION: Final = "SELECT coalesce(sum(next_offset), 0)::bigint FROM shards"
_LEADERS: Final = """
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND granted
        AND (classid::bigint << 32 | objid::bigint) = $1
"""
_TERMINATE: Final = "SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid"
_GONE: Final = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ANY ($1::int[]))"
#: Somebody waits for a transaction whose process says nothing: it was stopped in the middle.
_WAITED_FOR: Final = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity waiting
        JOIN pg_stat_activity holder ON holder.pid = ANY (pg_blocking_pids(waiting.pid))
        WHERE waiting.application_name = 'nhipso-scoring'
            AND holder.wait_event = 'ClientRead'
            AND holder.state_change < now() - interval '3 s'
    )
"""


@dataclass(frozen=True)
class Stage:
    """Everything that a fault can be inflicted on, and by which it is seen to strike."""

    servers: Servers
    workers: Workers
    store: Store
    topics: Topics
    feed: Feed
    rng: Random
    portion: int

    async def taken(self) -> int:
        """How many records PostgreSQL holds, by its positions."""
        return int(await self.store.value(_POSITION))

    async def is_caught_up(self) -> bool:
        """Whether PostgreSQL holds all that is on the topic."""
        ends = await self.topics.ends()
        return await self.taken() >= sum(ends.values())

    async def caught_up(self) -> None:
        """Wait until PostgreSQL holds all that is on the topic."""
        await until(self.is_caught_up)


async def strike(fault: Fault, stage: Stage) -> None:
    """Inflict a fault, and return once it has struck; events must be flowing meanwhile."""
    match fault.action, fault.place:
        case "kill", point if point in POINTS:
            stage.workers.arm(point, "kill")
            await stage.workers.taken(point)
        case "kill", "worker":
            await _some_progress(stage)
            stage.workers.strike((await stage.workers.any_free(stage.rng)).child, signal.SIGKILL)
        case "kill", "ingest":
            await _some_progress(stage)
            stage.workers.strike(stage.workers.ingest, signal.SIGKILL)
        case "kill", "broker":
            await _some_progress(stage)
            await stage.servers.kill_kafka()
        case "stop", point:
            await _stop(point, stage)
        case "terminate", "leader":
            await _some_progress(stage)
            leaders = await until(lambda: stage.store.fetch(_LEADERS, _LEADER_LOCK))
            await _terminate([row["pid"] for row in leaders], stage)
        case "terminate", side:
            await _at_commit(side, stage, lambda pids: _terminate(pids, stage))
        case "crash-postgres", side:
            await _at_commit(side, stage, lambda _: stage.servers.crash_postgres())
        case "join", _:
            if len(stage.workers.working) >= MOST:
                await stage.workers.leave(stage.rng)
            stage.workers.join()
        case "leave", _:
            if len(stage.workers.working) <= FEWEST:
                stage.workers.join()
            await stage.workers.leave(stage.rng)
        case _:
            raise AssertionError(f"nobody knows how to {fault}")


async def _some_progress(stage: Stage) -> None:
    """Wait until some more records have been taken: a moment of the seed's choice."""
    begun = await stage.taken()
    enough = stage.rng.randint(1, max(1, stage.portion // 2))

    async def progressed() -> bool:
        return await stage.taken() >= begun + enough

    await until(progressed)


async def _stop(point: str, stage: Stage) -> None:
    """Stop a worker until others have taken over from it, and let it go on then.

    It goes on with records and state of before, and must do no harm.
    """
    worker = await _stopped(point, stage)
    worker.held = True
    # Every partition gets records, so that all are caught up only where others have them all.
    await stage.feed.portion(stage.portion)

    async def taken_over() -> bool:
        # The others may have left meanwhile.
        if len(stage.workers.working) < 2:
            stage.workers.join()
        return await stage.is_caught_up() or bool(await stage.store.value(_WAITED_FOR))

    await until(taken_over)
    worker.held = False
    stage.workers.strike(worker.child, signal.SIGCONT)


async def _stopped(point: str, stage: Stage) -> Worker:
    """The worker that has stopped itself at a point."""
    while True:
        stage.workers.arm(point, "stop")
        pid = await stage.workers.taken(point)
        worker = stage.workers.of(pid)
        if worker is not None:
            return worker
        # It was told to leave at the same moment.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def _at_commit(side: str, stage: Stage, then: Callable[[list[int]], Awaitable[None]]) -> None:
    async with SCORING.holding(side, stage.servers.postgres.dsn, stage.store) as held:
        await then(await held())


async def _terminate(pids: list[int], stage: Stage) -> None:
    await terminate(stage.rng.sample(pids, stage.rng.randint(1, len(pids))), stage.store)


async def terminate(pids: list[int], store: Store) -> None:
    """End these connections from the server's side, and wait until they are gone."""
    await store.fetch(_TERMINATE, pids)
    await until(lambda: store.value(_GONE, pids))
