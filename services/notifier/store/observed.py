"""What the metrics show of the store."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from services.chassis.database import load_queries
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("observed"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Deliveries of one kind of receiver that are not done yet, and since when the oldest waits."""

    number: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Observed:
    """The store at one moment.

    `alerts` is (state, kind, severity) → number, `waiting` by kind of receiver; what there is none
    of has no entry. `outbox` are events that the broker has not acknowledged yet.
    """

    alerts: dict[tuple[str, str, str], int]
    waiting: dict[str, Waiting]
    outbox: int


async def look(connection: asyncpg.Connection) -> Observed:
    """Count what there is."""
    alerts = await connection.fetch(_SQL["alerts"])
    deliveries = await connection.fetch(_SQL["deliveries"])
    return Observed(
        alerts={(row["state"], row["kind"], row["severity"]): row["number"] for row in alerts},
        waiting={row["kind"]: Waiting(row["number"], row["oldest"]) for row in deliveries},
        outbox=await connection.fetchval(_SQL["outbox"]),
    )
