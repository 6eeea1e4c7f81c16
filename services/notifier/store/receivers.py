"""How receivers fare: who is at work for them, until when they rest, which are disabled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from services.chassis.database import load_queries
from services.notifier.core.faring import Faring
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("receivers"))

LONGEST_ERROR: Final = 500
"""So many characters of an error are kept."""


@dataclass(frozen=True, slots=True)
class Known:
    """A receiver of the file; `fingerprint` changes with its configuration."""

    kind: str
    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How one receiver fares; `failures` are those in a row, until which it rests each time longer.

    `failing_since` is the first attempt since the last that was taken.
    """

    name: str
    kind: str
    failures: int
    failing_since: datetime | None
    last_error: str | None
    resting_until: datetime | None
    served_at: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None
    enabled_at: datetime | None
    enabled_by: str | None
    waiting: int


async def meet(connection: asyncpg.Connection, known: Iterable[Known], at: datetime) -> list[str]:
    """Make the receivers of the file known, and name those that are enabled by it.

    These were disabled with another configuration.
    """
    rows = sorted({(one.name, one.kind, one.fingerprint) for one in known})
    names = [name for name, _, _ in rows]
    async with connection.transaction():
        await connection.execute(_SQL["meet"], names, [kind for _, kind, _ in rows])
        enabled = await connection.fetch(
            _SQL["enable_changed"], names, [fingerprint for *_, fingerprint in rows], at
        )
    return [row["name"] for row in enabled]


async def enable(connection: asyncpg.Connection, name: str, at: datetime, by: str) -> bool:
    """End that a receiver is disabled; False where it was not."""
    return await connection.fetchval(_SQL["enable"], name, at, by) is not None


async def disable(
    connection: asyncpg.Connection, name: str, at: datetime, *, reason: str, fingerprint: str
) -> None:
    """Send nothing more until an operator or another configuration enables it."""
    await connection.execute(_SQL["disable"], name, at, reason, fingerprint)


async def release(
    connection: asyncpg.Connection,
    name: str,
    leased_until: datetime,
    *,
    failures: int,
    resting_until: datetime | None,
    error: str | None = None,
    at: datetime | None = None,
) -> None:
    """Give the receiver back; until `resting_until` nobody takes it.

    `at` is when it was tried, if it was; `error` says why it has not taken what it was sent.
    """
    text = error[:LONGEST_ERROR] if error is not None else None
    await connection.execute(_SQL["release"], name, leased_until, failures, resting_until, text, at)


async def troubled(connection: asyncpg.Connection) -> Mapping[str, Faring]:
    """Those that take nothing or want no more, by name."""
    return {
        row["name"]: Faring(row["failing_since"], row["disabled_at"])
        for row in await connection.fetch(_SQL["troubled"])
    }


async def is_disabled(connection: asyncpg.Connection, name: str) -> bool:
    """Whether it wants no more; False for one that is not known yet."""
    found: bool | None = await connection.fetchval(_SQL["is_disabled"], name)
    return bool(found)


async def wake(connection: asyncpg.Connection, name: str, now: datetime, audience: str) -> None:
    """End its rest: what waits for it under this audience is tried at once."""
    await connection.execute(_SQL["wake"], name, now, audience)


async def disabled(connection: asyncpg.Connection) -> Mapping[str, int]:
    """Kind → how many are disabled."""
    return {row["kind"]: row["number"] for row in await connection.fetch(_SQL["disabled"])}


async def listed(connection: asyncpg.Connection) -> list[Standing]:
    """All that were ever known, those that need a hand first."""
    return [Standing(**row) for row in await connection.fetch(_SQL["all"])]
