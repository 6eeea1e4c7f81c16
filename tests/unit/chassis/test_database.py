import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from services.chassis.database import MigrationError, is_transient, migrate, open_pool
from services.chassis.settings import PostgresSettings

FIRST = """-- a table
-- depends:

-- migrate: apply
CREATE TABLE item (id bigint PRIMARY KEY, facts jsonb);
CREATE FUNCTION double(n bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    -- a remark; with a semicolon
    RETURN n * 2;
END;
$$;

-- migrate: rollback
DROP FUNCTION double;
DROP TABLE item;
"""
SECOND = """-- an index that needs no lock
-- depends: 0001_item
-- transaction: false

-- migrate: apply
CREATE INDEX CONCURRENTLY item_facts ON item USING gin (facts);

-- migrate: rollback
DROP INDEX item_facts;
"""


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    (tmp_path / "0001_item.sql").write_text(FIRST, encoding="utf-8")
    (tmp_path / "0002_item_facts.sql").write_text(SECOND, encoding="utf-8")
    return tmp_path


async def test_an_empty_database_is_migrated_once_by_processes_that_start_together(
    postgres_dsn: str, migrations: Path
) -> None:
    applied = await asyncio.gather(
        *(
            migrate(postgres_dsn, schema=schema, migrations=migrations)
            for schema in ("north", "south", "north", "south")
        )
    )
    both = ["0001_item", "0002_item_facts"]
    assert sorted(applied) == [[], [], both, both]
    assert await migrate(postgres_dsn, schema="north", migrations=migrations) == []


async def test_a_pool_finds_its_own_schema_and_leaves_jsonb_as_text(
    postgres_dsn: str, migrations: Path
) -> None:
    await migrate(postgres_dsn, schema="pooled", migrations=migrations)
    settings = PostgresSettings(dsn=SecretStr(postgres_dsn), pool_min=1, pool_max=2)
    pool = await open_pool(settings, schema="pooled", application_name="example")
    async with pool:
        await pool.execute("INSERT INTO item VALUES (double(21), $1)", '{"a": 1}')
        assert await pool.fetchval("SELECT facts FROM pooled.item WHERE id = 42") == '{"a": 1}'
        assert await pool.fetchval("SHOW application_name") == "example"


async def test_a_failing_migration_leaves_nothing_of_itself_and_names_its_file(
    postgres_dsn: str, migrations: Path
) -> None:
    broken = FIRST.replace("CREATE FUNCTION", "CREATE FUNKTION")
    (migrations / "0001_item.sql").write_text(broken, encoding="utf-8")
    with pytest.raises(MigrationError, match=r"0001_item.*syntax error"):
        await migrate(postgres_dsn, schema="broken", migrations=migrations)
    (migrations / "0001_item.sql").write_text(FIRST, encoding="utf-8")
    assert len(await migrate(postgres_dsn, schema="broken", migrations=migrations)) == 2


async def test_an_older_build_does_not_start_on_a_newer_schema(
    postgres_dsn: str, migrations: Path
) -> None:
    await migrate(postgres_dsn, schema="newer", migrations=migrations)
    (migrations / "0002_item_facts.sql").unlink()
    with pytest.raises(MigrationError, match=r"newer build \(0002_item_facts\)"):
        await migrate(postgres_dsn, schema="newer", migrations=migrations)


async def test_a_schema_is_a_plain_name_because_it_is_written_into_sql(migrations: Path) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        await migrate("postgresql://nowhere", schema='a"; DROP', migrations=migrations)


async def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="is no folder"):
        await migrate("postgresql://nowhere", schema="a", migrations=tmp_path / "absent")


async def test_a_server_that_is_not_up_yet_is_waited_for(postgres_dsn: str, free_port: int) -> None:
    target = postgres_dsn.rsplit(":", 1)[1].split("/", maxsplit=1)[0]
    late = postgres_dsn.replace(f":{target}/", f":{free_port}/")
    settings = PostgresSettings(dsn=SecretStr(late), pool_min=1, pool_max=1)
    opening = asyncio.create_task(open_pool(settings, schema="public", application_name="late"))
    await asyncio.sleep(0.3)
    assert not opening.done()
    async with await asyncio.start_server(relay_to(int(target)), "127.0.0.1", free_port):
        pool = await opening
        assert await pool.fetchval("SELECT 1") == 1
        await pool.close()


def relay_to(
    port: int,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    return relay


async def test_a_wrong_database_is_refused_at_once(postgres_dsn: str) -> None:
    settings = PostgresSettings(dsn=SecretStr(postgres_dsn + "_absent"))
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await open_pool(settings, schema="public", application_name="example")


async def test_who_says_nothing_in_a_transaction_loses_the_locks_and_may_try_again(
    postgres_dsn: str,
) -> None:
    settings = PostgresSettings(dsn=SecretStr(postgres_dsn), pool_min=0)
    async with await open_pool(settings, schema="public", application_name="test") as pool:
        async with pool.acquire() as connection:
            assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "5min"
            assert await connection.fetchval("SHOW tcp_keepalives_idle") == "15"

        async def say_nothing() -> None:
            async with pool.acquire() as holder, holder.transaction():
                await holder.execute("SET LOCAL idle_in_transaction_session_timeout = 1")
                await holder.execute("SELECT pg_advisory_xact_lock(7)")
                # Waits until the lock is free.
                async with pool.acquire() as connection:
                    await connection.execute("SELECT pg_advisory_lock(7)")

        # The farewell of the server meets the commit, or the return of the connection.
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is asked
            await say_nothing()
    assert isinstance(caught.value, Exception)
    assert is_transient(caught.value), repr(caught.value)
