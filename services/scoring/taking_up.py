"""Taking up a catalogue: it must say of slots and bits what all former ones said."""

import json
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg

from contracts.catalogue import Catalogue, CatalogueError, dumped, refuse_new_meanings
from services.chassis.database import load_queries

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "rules.sql")


async def take_up(pool: asyncpg.Pool, catalogue: Catalogue, now: datetime) -> None:
    """Keep the catalogue beside what will be counted under it.

    Raises:
        CatalogueError: stored state would be misread under it.
        asyncpg.PostgresError, OSError: the server does not answer.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["lock_rules"])
        await refuse_misreading(connection, catalogue)
        form = json.dumps(dumped(catalogue), ensure_ascii=False)
        await connection.execute(_SQL["write_rules"], catalogue.fingerprint, form, now)


async def refuse_misreading(connection: asyncpg.Connection, catalogue: Catalogue) -> None:
    """Refuse a catalogue under which stored state would be misread. Raises as `take_up`."""
    for row in await connection.fetch(_SQL["read_rules"]):
        refuse_new_meanings(json.loads(row["catalogue"]), catalogue)


async def read_present(connection: asyncpg.Connection) -> Catalogue:
    """The catalogue that was taken up last.

    Raises:
        CatalogueError: there is none yet, or this version cannot read it.
    """
    row = await connection.fetchrow(_SQL["read_rules"])
    if row is None:
        raise CatalogueError("scoring has not taken up any catalogue here yet; start it first")
    try:
        return Catalogue.model_validate_json(row["catalogue"])
    except ValueError as error:
        raise CatalogueError(
            f"the catalogue {row['fingerprint']} of the database cannot be read: {error}"
        ) from None
