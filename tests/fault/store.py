"""Looks into PostgreSQL while it is being struck down: asks again until it answers."""

import asyncio
import contextlib
from typing import Any, Final

import asyncpg

from services.chassis.database import is_transient

GIVE_UP_SECONDS: Final = 90.0


class Store:
    """One connection of the harness, made anew whenever it has been lost."""

    def __init__(self, dsn: str, schema: str = "scoring") -> None:
        self.dsn = dsn
        self._schema = schema
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """The rows of a query that may be asked any number of times.

        Raises:
            TimeoutError: the server has not answered for 90 seconds.
        """
        async with asyncio.timeout(GIVE_UP_SECONDS), self._turn:
            while True:
                try:
                    connection = await self._connected()
                    rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
                except Exception as error:
                    if not is_transient(error):
                        raise
                    await self.close()
                    await asyncio.sleep(0.05)
                else:
                    return rows

    async def value(self, query: str, *arguments: Any) -> Any:
        """The first value of the first row, None without one."""
        rows = await self.fetch(query, *arguments)
        return rows[0][0] if rows else None

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            # What the harness writes itself must not wait where it makes others wait.
            self._connection = await asyncpg.connect(
                self.dsn,
                timeout=5,
                server_settings={
                    "search_path": self._schema,
                    "application_name": "fault-harness",
                    "synchronous_commit": "local",
                },
            )
        return self._connection
