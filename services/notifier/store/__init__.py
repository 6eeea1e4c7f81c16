"""The notifier's PostgreSQL schema: the only room that speaks SQL.

Each module maps one `.sql` file; functions take a connection, so that the caller says what belongs
to one transaction.
"""

from enum import IntEnum
from importlib import resources
from pathlib import Path
from typing import Final

import asyncpg

SCHEMA: Final = "notifier"


class Turn(IntEnum):
    """Work that one process does at a time, as keys of advisory locks."""

    EVALUATE = 0x6E6F7401
    TELL = 0x6E6F7402
    PUBLISH = 0x6E6F7403
    DIGEST = 0x6E6F7407
    TEND = 0x6E6F7408


async def take_turn(connection: asyncpg.Connection, turn: Turn) -> bool:
    """Whether this transaction may do that work now; until its end nobody else may."""
    taken: bool = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", int(turn))
    return taken


async def await_turn(connection: asyncpg.Connection, turn: Turn) -> None:
    """Wait until this transaction may do that work; until its end nobody else may."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", int(turn))


def migrations() -> Path:
    """The folder of the schema's migrations."""
    with resources.as_file(resources.files(__name__) / "migrations") as path:
        return path


def queries_of(name: str) -> Path:
    """The `.sql` file of one module."""
    with resources.as_file(resources.files(__name__) / f"{name}.sql") as path:
        return path
