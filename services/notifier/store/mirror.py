"""Alerts as they stand, for receivers that are told a state and not messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg

from contracts.updates import Severity
from services.chassis.database import load_queries
from services.notifier.core.alert import AlertKind
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("mirror"))


@dataclass(frozen=True, slots=True)
class Mirrored:
    """An alert that fires (`resolved_at` is None) or has ended."""

    id: UUID
    kind: AlertKind
    area: str
    indicator: str
    basis: str
    severity: Severity
    reason: str
    value: Decimal | None
    pace: Decimal | None
    target: Decimal | None
    gap_people: int | None
    numerator: int | None
    denominator: int | None
    fired_at: datetime
    resolved_at: datetime | None


async def begin(
    connection: asyncpg.Connection, receiver: str, *, now: datetime, last_before: datetime
) -> int | None:
    """Take the round of a receiver: its failures in a row; None where it is not due."""
    failures: int | None = await connection.fetchval(_SQL["begin"], receiver, now, last_before)
    return failures


async def note(
    connection: asyncpg.Connection,
    receiver: str,
    *,
    failures: int,
    resting_until: datetime | None,
    error: str | None,
    at: datetime,
) -> None:
    """How the round went; without an error it was taken."""
    await connection.execute(_SQL["note"], receiver, failures, resting_until, error, at)


async def standing(
    connection: asyncpg.Connection, areas: Sequence[str] | None, *, ended_since: datetime
) -> list[Mirrored]:
    """What fires in these units, and what has ended since; None: of feeds and receivers."""
    wanted = None if areas is None else list(areas)
    return [
        Mirrored(**row) for row in await connection.fetch(_SQL["standing"], wanted, ended_since)
    ]
