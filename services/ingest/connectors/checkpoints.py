"""Where each connector stands, in PostgreSQL, moved forward by whoever runs it."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg

from services.chassis.database import load_queries
from services.ingest.connectors.connector import Cursor

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "connectors.sql")

State = Literal["running", "failing", "paused", "stopped"]


class OvertakenError(Exception):
    """Another process has moved the connector on; this one has lost its turn."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A cursor and how often it has been moved; 0 before the first time."""

    version: int
    cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connector fares; what is None is not known yet."""

    connector: str
    state: State | None
    detail: str | None
    since: datetime | None
    cursor: Cursor | None
    moved_at: datetime | None


async def read(pool: asyncpg.Pool, connector: str) -> Checkpoint:
    """Where a connector stands."""
    row = await pool.fetchrow(_SQL["read_checkpoint"], connector)
    if row is None:
        return Checkpoint(0, None)
    return Checkpoint(row["version"], json.loads(row["cursor"]))


async def move(
    pool: asyncpg.Pool, connector: str, before: Checkpoint, cursor: Cursor, now: datetime
) -> Checkpoint:
    """Move a connector's checkpoint from where it stood before.

    Raises:
        OvertakenError: it stands elsewhere now.
    """
    text = json.dumps(cursor, ensure_ascii=False)
    if before.version == 0:
        done = await pool.execute(_SQL["create_checkpoint"], connector, text, now)
    else:
        done = await pool.execute(_SQL["move_checkpoint"], connector, before.version, text, now)
    if done.endswith(" 0"):
        raise OvertakenError(connector)
    return Checkpoint(before.version + 1, cursor)


async def tell(
    pool: asyncpg.Pool, connector: str, state: State, detail: str, now: datetime
) -> None:
    """Keep how a connector fares, for whoever asks."""
    await pool.execute(_SQL["tell_state"], connector, state, detail, now)


async def standings(pool: asyncpg.Pool) -> dict[str, Standing]:
    """How all connectors fare that have ever run."""
    rows = await pool.fetch(_SQL["read_states"])
    return {row["connector"]: _standing(row) for row in rows}


def _standing(row: Any) -> Standing:
    cursor = None if row["cursor"] is None else json.loads(row["cursor"])
    return Standing(
        row["connector"], row["state"], row["detail"], row["since"], cursor, row["moved_at"]
    )
