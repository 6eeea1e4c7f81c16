"""Rejections in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from contracts.rejected import Origin
from contracts.tokens import Principal
from contracts.topics import REJECTED_EVENTS, TOPIC_CONFIGS
from services.chassis.database import load_queries
from services.ingest.rejecting.filters import Cursor, Filter, State
from services.ingest.rejecting.rows import Row

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "rejections.sql")

#: As long as the topic keeps them.
KEPT: Final = timedelta(milliseconds=int(TOPIC_CONFIGS[REJECTED_EVENTS]["retention.ms"]))

_FORGET_AT_ONCE: Final = 1_000
_ANSWER_SECONDS: Final = 30.0

_ORIGIN: Final[TypeAdapter[Origin]] = TypeAdapter(Origin)

#: What is wrong with a row, and will be however often it is tried.
_UNFIT: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
)

Outcome = Literal["accepted", "refused", "dismissed"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """One rejection as it is listed; `reason` and `detail` are those of the last attempt."""

    id: UUID
    rejected_at: datetime
    stage: Literal["ingest", "scoring"]
    state: State
    reason: str
    detail: str
    first_reason: str
    caller: str | None
    source: str | None
    event_id: str | None
    event_type: str | None
    origin: Origin
    original_bytes: int
    attempts: int

    @property
    def cursor(self) -> Cursor:
        """Those refused before this one follow."""
        return Cursor(self.rejected_at, self.id)


@dataclass(frozen=True, slots=True)
class Whole:
    """One rejection with what it takes to work on it."""

    rejection: Rejection
    caller_sources: frozenset[str]
    caller_domains: frozenset[str]
    sealed: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many rejections there are of a source, a reason and a state."""

    source: str
    reason: str
    state: State
    count: int


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody did with a rejection. `note` says why it was refused again, or dismissed."""

    rejection: UUID
    done_at: datetime
    done_by: str
    outcome: Outcome
    reason: str | None
    note: str


class Store:
    """The rows of rejections, and of the work on them."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def insert(self, rows: Sequence[Row]) -> int:
        """Keep rejections; those that are known stay as they are.

        Returns:
            How many PostgreSQL would never take; the others are kept.
        """
        try:
            await self._insert(rows)
        except _UNFIT:
            if len(rows) == 1:
                return 1
            half = len(rows) // 2
            return await self.insert(rows[:half]) + await self.insert(rows[half:])
        return 0

    async def _insert(self, rows: Sequence[Row]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(_SQL["insert"], rows)

    async def find(
        self, matching: Filter, caller: Principal, *, after: Cursor | None, limit: int
    ) -> list[Rejection]:
        """Rejections that the caller may see, newest first."""
        beginning = (None, None) if after is None else (after.rejected_at, after.id)
        arguments = (*matching.arguments(caller), *beginning, limit)
        rows = await self._pool.fetch(_SQL["list"], *arguments, timeout=_ANSWER_SECONDS)
        return [_rejection(row) for row in rows]

    async def counts(self, matching: Filter, caller: Principal) -> list[Count]:
        """How many the caller may see, by source, reason and state."""
        arguments = matching.arguments(caller)
        rows = await self._pool.fetch(_SQL["counts"], *arguments, timeout=_ANSWER_SECONDS)
        return [Count(*row) for row in rows]

    async def open_counts(self) -> list[tuple[str, str, int]]:
        """How many are open, by source and reason."""
        return [tuple(row) for row in await self._pool.fetch(_SQL["open_counts"])]

    async def read(self, ids: Sequence[UUID]) -> list[Whole]:
        """The rejections of these ids that there are, in the order of the ids."""
        rows = await self._pool.fetch(_SQL["read"], ids)
        found = {
            row["id"]: Whole(
                _rejection(row),
                frozenset(row["caller_sources"]),
                frozenset(row["caller_domains"]),
                row["sealed"],
            )
            for row in rows
        }
        return [found[one] for one in ids if one in found]

    async def works(self, rejection: UUID) -> list[Work]:
        """What has been done with a rejection, oldest first."""
        rows = await self._pool.fetch(_SQL["works"], rejection)
        return [Work(rejection, **row) for row in rows]

    async def settle(self, works: Sequence[Work]) -> None:
        """Keep what became of retries: the rows' states and who did it, or nothing of it."""
        async with self._pool.acquire() as connection, connection.transaction():
            # In one order, so that two who settle the same do not wait for each other.
            for work in sorted(works, key=lambda work: work.rejection):
                if work.outcome == "accepted":
                    done = await connection.execute(_SQL["accept"], work.rejection)
                else:
                    changes = (work.rejection, work.reason, work.note)
                    done = await connection.execute(_SQL["refuse"], *changes)
                if not done.endswith(" 0"):
                    await _note(connection, work)

    async def dismiss(self, work: Work) -> bool:
        """Close an open rejection; False if it is not open."""
        async with self._pool.acquire() as connection, connection.transaction():
            done = await connection.execute(_SQL["dismiss"], work.rejection)
            if done.endswith(" 0"):
                return False
            await _note(connection, work)
            return True

    async def forget(self, now: datetime) -> None:
        """Delete what the topic keeps no longer, a piece at a time."""
        done = f"DELETE {_FORGET_AT_ONCE}"
        while done == f"DELETE {_FORGET_AT_ONCE}":
            done = await self._pool.execute(_SQL["forget"], now - KEPT, _FORGET_AT_ONCE)


async def _note(connection: asyncpg.Connection, work: Work) -> None:
    await connection.execute(
        _SQL["note_work"],
        work.rejection,
        work.done_at,
        work.done_by,
        work.outcome,
        work.reason,
        work.note,
    )


def _rejection(row: Any) -> Rejection:
    return Rejection(
        id=row["id"],
        rejected_at=row["rejected_at"],
        stage=row["stage"],
        state=row["state"],
        reason=row["reason"],
        detail=row["detail"],
        first_reason=row["first_reason"],
        caller=row["caller"],
        source=row["source"],
        event_id=row["event_id"],
        event_type=row["event_type"],
        origin=_ORIGIN.validate_json(row["origin"]),
        original_bytes=row["original_bytes"],
        attempts=row["attempts"],
    )
