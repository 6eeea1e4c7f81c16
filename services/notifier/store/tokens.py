"""Tokens of services that we send by, sealed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from services.chassis.database import load_queries
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("tokens"))


@dataclass(frozen=True, slots=True)
class Pair:
    """Sealed tokens; `fingerprint` is of the token that their chain began with."""

    access: bytes | None
    refresh: bytes | None
    expires_at: datetime | None
    fingerprint: str | None


async def pair(connection: asyncpg.Connection, account: str) -> Pair | None:
    """The tokens of an account, if there ever were any."""
    row = await connection.fetchrow(_SQL["pair"], account)
    return Pair(**row) if row is not None else None


async def begin(connection: asyncpg.Connection, account: str) -> None:
    """Make the row of an account, where there is none."""
    await connection.execute(_SQL["begin"], account)


async def hold(connection: asyncpg.Connection, account: str) -> Pair:
    """The tokens, for this transaction alone until it ends; the row must be there."""
    return Pair(**await connection.fetchrow(_SQL["hold"], account))


async def keep(connection: asyncpg.Connection, account: str, new: Pair) -> None:
    """Put the next tokens in the place of the last."""
    await connection.execute(
        _SQL["keep"], account, new.access, new.refresh, new.expires_at, new.fingerprint
    )
