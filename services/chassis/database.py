"""PostgreSQL: a pool, migrations in plain SQL, named queries from `.sql` files."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import asyncpg
import stamina
from pogo_core.util import migrate as pogo
from pogo_core.util import sql as pogo_history

from services.chassis.settings import PostgresSettings

START_SECONDS: Final = 60.0
"""How long a server that is just starting is waited for."""

MIGRATION_LOCK_SECONDS: Final = 300.0
"""How long another process may take to migrate before we give up waiting."""

_CONNECT_SECONDS: Final = 10.0

# A process that hangs in the middle of a transaction, and a machine that is gone without a word,
# would hold their locks: for ever, and for the two hours after which TCP asks by default.
_LET_GO: Final = {
    "idle_in_transaction_session_timeout": "5min",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

# One key for the whole database, not one a schema: the history of all schemas is one table, and
# two services that start together on an empty database would both create it.
_MIGRATION_LOCK_KEY: Final = 0x6368617373697321

T = TypeVar("T")

_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_QUERY_NAME: Final = re.compile(r"--\s*name:\s*(\S+)\s*")

_STARTING: Final = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
)
_TRANSIENT: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    # The server has let go of us; see _LET_GO.
    asyncpg.IdleInTransactionSessionTimeoutError,
    # What asyncpg says when a server's farewell has come on an idle connection and its end has not.
    asyncpg.InternalClientError,
)


def is_transient(error: Exception) -> bool:
    """Whether an error is a lost connection, a restart, a full server or a collision of two.

    The same may pass later. What asyncpg says of an argument that it cannot encode is an
    InterfaceError too, and a ValueError: that will not pass however often it is tried.
    """
    return isinstance(error, _TRANSIENT) and not isinstance(error, ValueError)


class MigrationError(Exception):
    """The schema could not be brought up to date; the message says where and what to do."""


async def open_pool(
    settings: PostgresSettings, *, schema: str, application_name: str
) -> asyncpg.Pool:
    """Open a pool whose connections find unqualified names in `schema`.

    A server that does not answer yet is tried again for 60 seconds. Types keep asyncpg's plain
    mapping; `jsonb` is text. The server ends a session that says nothing for five minutes in the
    middle of a transaction, or whose machine does not answer for half a minute.

    Raises:
        asyncpg.PostgresError, OSError: the server refuses or does not answer.
        services.chassis.settings.SecretFileError: the file with the URL cannot be read.
    """
    _check_schema(schema)
    dsn = settings.resolve()

    async def connect() -> asyncpg.Pool:
        return await asyncpg.create_pool(
            dsn,
            min_size=settings.pool_min,
            max_size=settings.pool_max,
            timeout=_CONNECT_SECONDS,
            server_settings={
                "search_path": schema,
                "application_name": application_name,
                **_LET_GO,
            },
        )

    return await _when_started(connect)


async def migrate(dsn: str, *, schema: str, migrations: Path) -> list[str]:
    """Bring a schema up to date; create it if it is absent.

    Migrations are pogo's plain SQL: a folder of `.sql` files, each

        -- what it does
        -- depends: <name of the file before, without .sql; empty for the first>

        -- migrate: apply
        ...
        -- migrate: rollback
        ...

    Each runs in one transaction with its entry in the history (`public._pogo_migration`), unless
    its head says `-- transaction: false`. Processes that start together take turns.

    Returns:
        The names of the migrations applied now; empty if the schema was up to date.

    Raises:
        MigrationError: a file is wrong, a statement fails, or the lock is not to be had.
        asyncpg.PostgresError, OSError: the server refuses or does not answer.
    """
    _check_schema(schema)
    if not migrations.is_dir():  # noqa: ASYNC240 - a look at a small folder, at the start
        raise MigrationError(f"{migrations} is no folder; give the folder of the migrations")

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            dsn,
            timeout=_CONNECT_SECONDS,
            server_settings={"search_path": schema, "application_name": f"migrate {schema}"},
        )

    connection = await _when_started(connect)
    try:
        await _take_turn(connection)
        return await _apply(connection, schema, migrations)
    finally:
        # The lock goes with the session.
        await connection.close()


def load_queries(path: Path) -> Mapping[str, str]:
    """Read a `.sql` file of queries, each under a line `-- name: <name>`; return name → SQL.

    Raises:
        ValueError: SQL stands before the first name, a name occurs twice or has no SQL; with the
            file and line.
        OSError: the file cannot be read.
    """
    queries: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        named = _QUERY_NAME.fullmatch(line.strip())
        if named is not None:
            name = named[1]
            if name in queries:
                raise ValueError(f"{path}:{number}: query {name} occurs twice; rename one")
            current = queries[name] = []
        elif current is not None:
            current.append(line)
        elif line.strip() and not line.lstrip().startswith("--"):
            raise ValueError(f"{path}:{number}: SQL without a name; write `-- name: …` above it")
    texts = {name: "\n".join(lines).strip() for name, lines in queries.items()}
    for name, text in texts.items():
        if not any(_is_sql(line) for line in text.splitlines()):
            raise ValueError(f"{path}: query {name} is empty; write its SQL or remove it")
    return MappingProxyType(texts)


def _is_sql(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("--")


async def _when_started(connect: Callable[[], Awaitable[T]]) -> T:
    """Try a connection until the server answers.

    `connect` has no arguments on purpose: stamina logs the arguments of what it retries, and ours
    would hold a password.
    """
    async for attempt in stamina.retry_context(
        on=_STARTING, attempts=None, timeout=START_SECONDS, wait_initial=0.2, wait_max=3.0
    ):
        with attempt:
            return await connect()
    raise AssertionError("the last attempt returns or raises")


def _check_schema(schema: str) -> None:
    # It is written into SQL, where a name cannot be a parameter.
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"schema {schema!r}: want lower-case letters, digits and underscores")


async def _take_turn(connection: asyncpg.Connection) -> None:
    """Take the database's migration lock, for the life of the connection.

    It is asked for again and again instead of waited for: a waiting statement holds a snapshot,
    and a migration with CREATE INDEX CONCURRENTLY would wait for that one in turn, forever.
    """
    # No event tells of a free lock, hence the sleep.
    ask = "SELECT pg_try_advisory_lock($1)"
    try:
        async with asyncio.timeout(MIGRATION_LOCK_SECONDS):
            while not await connection.fetchval(ask, _MIGRATION_LOCK_KEY):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise MigrationError(
            f"another process has been migrating for {MIGRATION_LOCK_SECONDS:g} s; "
            "look for an application_name like 'migrate %' in pg_stat_activity"
        ) from None


async def _apply(connection: asyncpg.Connection, schema: str, migrations: Path) -> list[str]:
    await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    await pogo_history.ensure_pogo_sync(connection)
    before = await pogo_history.get_applied_migrations(connection, schema_name=schema)
    known = {path.stem for path in migrations.glob("*.sql")}  # noqa: ASYNC240 - as above
    if before - known:
        names = ", ".join(sorted(before - known))
        raise MigrationError(
            f"schema {schema} was migrated by a newer build ({names}); run that build"
        )
    try:
        await pogo.apply(connection, migrations, schema_name=schema)
    except Exception as error:
        reason = error.__cause__ or error
        raise MigrationError(f"schema {schema}: {error}: {reason}; correct the file") from error
    after = await pogo_history.get_applied_migrations(connection, schema_name=schema)
    return sorted(after - before)
