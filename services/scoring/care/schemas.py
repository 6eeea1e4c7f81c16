"""The schema of the service, as those look at it who care for its state."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from contracts.catalogue import Catalogue
from services.scoring.taking_up import read_present

LIVE_SCHEMA: Final = "scoring"
NOT_HERE: Final = (
    f"the database has no schema {LIVE_SCHEMA} with tables; start scoring on it first, "
    "or name the database that it uses"
)

#: Hears what is being done, how much of it is done, and how much there is.
Hear = Callable[[str, int, int], None]


class CareError(Exception):
    """What was asked cannot be done; the message says why and what to do."""


@asynccontextmanager
async def read_only(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that looks into the schema and cannot write.

    Raises:
        CareError: scoring has never run on the database.
        asyncpg.PostgresError, OSError: the server does not answer.
    """
    connection = await asyncpg.connect(
        dsn,
        server_settings={
            "search_path": LIVE_SCHEMA,
            "application_name": "nhipso-care",
            "default_transaction_read_only": "on",
        },
    )
    try:
        if await connection.fetchval("SELECT to_regclass('shards')") is None:
            raise CareError(NOT_HERE)
        yield connection
    finally:
        await connection.close()


async def present_catalogue(dsn: str) -> Catalogue:
    """The catalogue that scoring has taken up last.

    Raises:
        CareError, CatalogueError: there is none, or this build cannot read it.
        asyncpg.PostgresError, OSError: the server does not answer.
    """
    async with read_only(dsn) as connection:
        return await read_present(connection)


@asynccontextmanager
async def one_moment(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Let all that is read be of one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield
