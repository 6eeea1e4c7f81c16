"""Databases that live as long as a test needs them."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from services.chassis.database import migrate


@asynccontextmanager
async def new_database(server: str, template: str = "template0") -> AsyncIterator[str]:
    """The URL of a new database on a server, empty unless copied; it is dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield f"{server.rpartition('/')[0]}/{name}"
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@asynccontextmanager
async def migrated_database(server: str, schema: str, migrations: Path) -> AsyncIterator[str]:
    """The URL of a new database with a schema as its migrations make it.

    They run once a server, and what they have made is copied: that takes a fraction of the time.
    """
    template = f"migrated_{schema}"
    connection = await asyncpg.connect(server)
    try:
        known = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
        if not await connection.fetchval(known, template):
            being_made = f"{template}_being_made"
            await connection.execute(f"DROP DATABASE IF EXISTS {being_made}")
            await connection.execute(f"CREATE DATABASE {being_made} TEMPLATE template0")
            url = f"{server.rpartition('/')[0]}/{being_made}"
            await migrate(url, schema=schema, migrations=migrations)
            await connection.execute(f"ALTER DATABASE {being_made} RENAME TO {template}")
    finally:
        await connection.close()
    async with new_database(server, template) as url:
        yield url
