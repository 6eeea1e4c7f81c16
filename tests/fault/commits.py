"""Holds a service inside COMMIT, on either side of the moment that decides.

Before the commit record: a deferred trigger, which PostgreSQL runs at COMMIT, waits for an advisory
lock. After it: with a synchronous standby that does not exist, a server writes and flushes the
record and then waits with its answer. Whoever is cut off there has committed and is never told.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg

from tests.fault.store import GIVE_UP_SECONDS, Store
from tests.fault.waiting import until

#: Waits until somebody is held in COMMIT; returns the process ids of the server's backends.
Held = Callable[[], Awaitable[list[int]]]

_LOCK: Final = 0x6661_756C_7473

_TRIGGER: Final = """
    CREATE SCHEMA fault;
    CREATE FUNCTION fault.wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared({lock}); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER wait_at_commit AFTER UPDATE ON {table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN ({when}) EXECUTE FUNCTION fault.wait_at_commit();
"""
_HELD_BEFORE: Final = """
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted
        AND (classid::bigint << 32 | objid::bigint) = $1
"""
_HELD_AFTER: Final = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = $1 AND wait_event = 'SyncRep' AND {meant}
"""
#: A statement by itself commits too; what is meant here is the end of a transaction.
_MEANT: Final = """
    query ILIKE 'COMMIT%' AND EXISTS (
        SELECT FROM pg_locks
        WHERE pg_locks.pid = pg_stat_activity.pid AND relation = to_regclass('{table}')
    )
"""


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits that are meant: a service's, of transactions that change a table's rows.

    `when` is a condition on a changed row, of OLD and NEW. `strictly` leaves out, after the record
    too, what did not touch the table.
    """

    application: str
    table: str
    when: str = "true"
    strictly: bool = False

    async def prepare(self, dsn: str, store: Store) -> None:
        """Put the trigger on the table, once it is there."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await until(lambda: store.value("SELECT to_regclass($1)::text", self.table))
        connection = await asyncpg.connect(dsn)
        try:
            trigger = _TRIGGER.format(lock=_LOCK, table=self.table, when=self.when)
            await connection.execute(trigger)
        finally:
            await connection.close()

    @asynccontextmanager
    async def holding(self, side: str, dsn: str, store: Store) -> AsyncIterator[Held]:
        """Hold whoever comes to COMMIT, on this side of its record, until the context is left."""
        before = side == "commit.before-record"
        meant = _MEANT.format(table=self.table) if self.strictly else "true"
        after = _HELD_AFTER.format(meant=meant)
        asked = (_HELD_BEFORE, _LOCK) if before else (after, self.application)

        async def held() -> list[int]:
            return [row["pid"] for row in await until(lambda: store.fetch(*asked))]

        async with _locked(dsn) if before else _without_standby(store):
            yield held


@asynccontextmanager
async def _locked(dsn: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        yield
    finally:
        # The lock goes with the session, also when the server went before it.
        connection.terminate()


@asynccontextmanager
async def _without_standby(store: Store) -> AsyncIterator[None]:
    await store.fetch("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    await store.fetch("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        await store.fetch("ALTER SYSTEM RESET synchronous_standby_names")
        await store.fetch("SELECT pg_reload_conf()")
