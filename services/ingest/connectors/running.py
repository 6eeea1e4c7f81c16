"""Runs connectors: read, map, take in, and only then keep the cursor.

Each connector runs in one process at a time, whoever holds its advisory lock in PostgreSQL; when
that process dies, another goes on from the checkpoint. What was taken in and not yet kept as a
cursor is read again: repeats are harmless. Nothing is read before what was read is with the broker,
so a source is never read faster than events are taken.
"""

import asyncio
import random
import traceback
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
import structlog

from contracts.rejected import ConnectorOrigin
from contracts.tokens import Principal, Role
from services.chassis.clock import Clock
from services.chassis.database import is_transient, load_queries
from services.chassis.failpoints import failpoint
from services.ingest.connectors import checkpoints
from services.ingest.connectors.checkpoints import Checkpoint, OvertakenError, State
from services.ingest.connectors.connector import (
    Configured,
    Connector,
    Event,
    Hears,
    Kind,
    Page,
    RecordMapping,
    SourceError,
    Surroundings,
    UnmappableError,
)
from services.ingest.connectors.metrics import ConnectorMetrics
from services.ingest.core.identifiers import redact
from services.ingest.core.verdicts import ObjectionError
from services.ingest.pauses import Pauses
from services.ingest.pipeline import Outcome, Pipeline
from services.ingest.publisher import BrokerAwayError
from services.ingest.wire import Received

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "connectors.sql")

Result = TypeVar("Result")

#: First key of the advisory locks; the second is the connector's name, hashed.
_LOCKS: Final = 0x6E68_6963
_CHANNEL: Final = "nhipso_ingest_wake"

_TURN_SECONDS: Final = 3.0
_ANSWER_SECONDS: Final = 10.0
_PAUSED_SECONDS: Final = 5.0
_FIRST_DELAY_SECONDS: Final = 0.5
_LONGEST_DELAY_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 5.0
#: Other work gets its turn after so many records are mapped.
_AT_ONCE: Final = 500


@dataclass(slots=True)
class _Delays:
    """How long to wait before the next try: twice as long each time, and a random share of it."""

    failures: int = 0

    def next(self, at_least: float | None) -> float:
        self.failures += 1
        bound = min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0 ** min(self.failures, 10))
        delay = bound * random.uniform(0.5, 1)  # noqa: S311 - spreads load, protects nothing
        return max(delay, at_least or 0)


@dataclass(slots=True)
class _Running:
    """One connector while it runs here."""

    configured: Configured[Any]
    caller: Principal
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    delays: _Delays = field(default_factory=_Delays)
    state: tuple[State, str] | None = None


class Connectors:
    """The connectors of a process."""

    def __init__(
        self,
        configured: Sequence[Configured[Any]],
        kinds: Mapping[str, Kind[Any]],
        surroundings: Mapping[str, Surroundings],
        *,
        pool: asyncpg.Pool,
        pipeline: Pipeline,
        pauses: Pauses,
        metrics: ConnectorMetrics,
        clock: Clock,
    ) -> None:
        """Prepare; `run` does the work.

        Args:
            configured: which connectors there are.
            kinds: the table of connectors.
            surroundings: what each is given to open it, by its name.
            pool: of ingest's schema; one connection of it is held for the locks.
            pipeline: where events go.
            pauses: which sources rest.
            metrics: where is counted.
            clock: for when a checkpoint was moved.
        """
        self._all = {
            one.name: _Running(
                one,
                Principal(
                    sub=f"connector:{one.name}",
                    role=Role.SOURCE,
                    sources=frozenset({one.source}),
                    domains=one.domains,
                ),
            )
            for one in configured
        }
        self._kinds = kinds
        self._surroundings = surroundings
        self._pool = pool
        self._pipeline = pipeline
        self._pauses = pauses
        self._metrics = metrics
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Run every connector whose turn is free, until cancelled."""
        if not self._all:
            return
        delays = _Delays()
        while True:
            try:
                await self._hold()
                delays.failures = 0
            except Exception as error:
                if not is_transient(error):
                    raise
                self._log.warning("connectors rest", error=type(error).__name__)
            await asyncio.sleep(delays.next(None))

    async def wake(self, connector: str) -> None:
        """Let a connector read at once, in whichever process it runs."""
        await self._pool.execute(_SQL["wake"], _CHANNEL, connector)

    async def _hold(self) -> None:
        """Take the turns that are free, and run their connectors while the connection lasts."""
        lost = asyncio.Event()
        tasks: dict[str, asyncio.Task[None]] = {}

        def heard(_: object, __: int, ___: str, connector: object) -> None:
            if connector in tasks:
                self._all[str(connector)].woken.set()

        async with self._pool.acquire() as connection:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(_CHANNEL, heard)
            try:
                while not lost.is_set():
                    await self._take_turns(connection, tasks)
                    for task in tasks.values():
                        if task.done():
                            task.result()
                    await _until(lost, _TURN_SECONDS)
            finally:
                for task in tasks.values():
                    task.cancel()
                await asyncio.gather(*tasks.values(), return_exceptions=True)
                if not connection.is_closed():
                    await connection.remove_listener(_CHANNEL, heard)

    async def _take_turns(
        self, connection: asyncpg.Connection, tasks: dict[str, asyncio.Task[None]]
    ) -> None:
        for name, one in self._all.items():
            if name in tasks:
                continue
            if await connection.fetchval(_SQL["lock"], _LOCKS, name, timeout=_ANSWER_SECONDS):
                tasks[name] = asyncio.create_task(self._run(one), name=f"connector {name}")
        # Asked for nothing else, so that a connection that is gone is noticed.
        await connection.fetchval("SELECT 1", timeout=_ANSWER_SECONDS)

    async def _run(self, one: _Running) -> None:
        name, kind = one.configured.name, self._kinds[one.configured.kind]
        try:
            while True:
                asked_for = None
                try:
                    connector = await kind.open(one.configured.config, self._surroundings[name])
                    try:
                        await self._pump(one, connector)
                    finally:
                        await self._close(name, connector)
                except Exception as error:  # noqa: BLE001 - one connector's fault is not another's
                    asked_for = getattr(error, "retry_after_seconds", None)
                    await self._failed(one, error)
                await asyncio.sleep(one.delays.next(asked_for))
        finally:
            self._metrics.set_state(name, "stopped")

    async def _close(self, name: str, connector: Connector) -> None:
        # A task of its own: a client may raise a cancellation that nobody has asked for.
        closing = asyncio.ensure_future(connector.close())
        _, stuck = await asyncio.wait([closing], timeout=_GRACE_SECONDS)
        for one in stuck:
            one.cancel()
        error = None if stuck or closing.cancelled() else closing.exception()
        if stuck or error is not None:
            why = "no end" if stuck else type(error).__name__
            self._log.warning("a connector could not be closed", connector=name, why=why)

    async def _pump(self, one: _Running, connector: Connector) -> None:
        checkpoint = await checkpoints.read(self._pool, one.configured.name)
        while True:
            while why := self._pauses.paused([one.configured.source]):
                await self._tell(one, "paused", why)
                await asyncio.sleep(_PAUSED_SECONDS)
            one.woken.clear()
            page = await connector.read(checkpoint.cursor)
            failpoint("connector.after-read")
            checkpoint = await _to_its_end(self._settle(one, connector, page, checkpoint))
            one.delays.failures = 0
            await self._tell(one, "running", "")
            if page.is_last:
                await _until(one.woken, one.configured.interval_seconds)

    async def _settle(
        self, one: _Running, connector: Connector, page: Page, checkpoint: Checkpoint
    ) -> Checkpoint:
        """Take in what a page brought, then keep its cursor."""
        name = one.configured.name
        if page.records:
            await self._take(one, connector, page)
        failpoint("connector.before-checkpoint")
        if page.cursor != checkpoint.cursor:
            now = self._clock.now()
            checkpoint = await checkpoints.move(self._pool, name, checkpoint, page.cursor, now)
        failpoint("connector.after-checkpoint")
        self._metrics.last_read.labels(name).set(self._clock.now().timestamp())
        if page.lost:
            self._metrics.lost.labels(name).inc(page.lost)
        if page.behind is not None:
            self._metrics.behind.labels(name).set(page.behind)
        return checkpoint

    async def _take(self, one: _Running, connector: Connector, page: Page) -> None:
        name, source = one.configured.name, one.configured.source
        events: list[Received] = []
        silent = 0
        for index, record in enumerate(page.records):
            mapped = received(connector.map, record.original, index, source)
            silent += not mapped
            events += mapped
            if index % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)

        def origin(event: Received) -> ConnectorOrigin:
            return ConnectorOrigin(connector=name, place=redact(page.records[event.index].place))

        outcome: Outcome = await self._pipeline.take(events, origin, one.caller)
        if outcome.refusals and isinstance(connector, Hears):
            await connector.heard([(one.index, one.verdict) for one in outcome.refusals])
        refused = len({refusal.index for refusal in outcome.refusals})
        counts = {
            "accepted": len(page.records) - refused - silent,
            "refused": refused,
            "without events": silent,
        }
        for result, count in counts.items():
            self._metrics.records.labels(name, result).inc(count)

    async def _failed(self, one: _Running, error: Exception) -> None:
        name = one.configured.name
        self._metrics.errors.labels(name, type(error).__name__).inc()
        if isinstance(error, OvertakenError):
            detail = "another process has taken over"
        elif isinstance(error, SourceError):
            detail = str(error)
        elif isinstance(error, BrokerAwayError):
            detail = "the broker is away"
        else:
            # What the error says may be a record, so it is not repeated.
            detail = f"{type(error).__name__} at {_where(error)}"
        self._log.warning("a connector failed and tries again", connector=name, why=detail)
        await self._tell(one, "failing", detail)

    async def _tell(self, one: _Running, state: State, detail: str) -> None:
        if one.state == (state, detail):
            return
        name = one.configured.name
        self._metrics.set_state(name, state)
        try:
            await checkpoints.tell(self._pool, name, state, detail, self._clock.now())
        except Exception as error:
            if not is_transient(error):
                raise
            return
        one.state = (state, detail)


def received(mapping: RecordMapping, original: bytes, index: int, source: str) -> list[Received]:
    """The events of a record, or the objection that none can be made of it."""
    try:
        events: Sequence[Event] = mapping(original)
    except ObjectionError as objection:
        return [_unmapped(original, index, source, objection)]
    except Exception as error:  # noqa: BLE001 - a mapping is pure: it would fail for ever
        detail = f"the mapping fails with {type(error).__name__} at {_where(error)}; mend it, retry"
        return [_unmapped(original, index, source, UnmappableError(detail))]
    return [Received(index, event, original) for event in events]


def _unmapped(original: bytes, index: int, source: str, objection: ObjectionError) -> Received:
    return Received(index, {"source": source}, original, objection)


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"


async def _to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Await; when cancelled meanwhile, let the work end first, for a few seconds."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        _, stuck = await asyncio.wait([task], timeout=_GRACE_SECONDS)
        for one in stuck:
            one.cancel()
        raise


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
