"""What only a server of one's own can show: prepared transactions, ids gone round, a replica."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.embedded.pg_binaries import binaries
from deploy.embedded.ports import free_port
from deploy.embedded.postgres import Postgres
from tests.integration.ingest.connectors.conformance import citizen
from tests.integration.ingest.connectors.postgres.accounts import INSERT, Source
from tests.integration.ingest.connectors.postgres.conftest import Open

PASSWORD = "invented"
SETTINGS = {
    "shared_buffers": "16MB",
    "max_wal_size": "128MB",
    "max_prepared_transactions": "5",
    "autovacuum": "off",
}


def start(folder: Path, **settings: str) -> Postgres:
    server = Postgres(folder, port=free_port(), password=PASSWORD, settings=SETTINGS | settings)
    server.start()
    server.wait_ready(60)
    return server


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = start(tmp_path_factory.mktemp("source"))
    try:
        yield server
    finally:
        server.stop()


async def test_a_prepared_transaction_is_found(
    server: Postgres, tmp_path: Path, reading: Open
) -> None:
    source = await Source.make(server.dsn, tmp_path)
    await source.connection.execute("BEGIN")
    await source.connection.execute(INSERT, citizen(1), None)
    await source.connection.execute("PREPARE TRANSACTION 'held'")
    await source.connection.execute(INSERT, citizen(2), None)
    at = await reading(source.accounts())
    assert await at.subjects() == [citizen(2)]
    await source.connection.execute("COMMIT PREPARED 'held'")
    assert await at.subjects() == [citizen(1)]
    await source.close()


async def test_nothing_is_missed_or_repeated_when_transaction_ids_have_gone_round(
    server: Postgres, tmp_path: Path, reading: Open
) -> None:
    source = await Source.make(server.dsn, tmp_path)
    await source.connection.execute(INSERT, citizen(0), None)
    await source.connection.close()
    await _freeze(server)
    server.stop()
    _turn_to(server, 2**32 - 20)
    server.start()
    server.wait_ready(60)

    source.connection = await asyncpg.connect(server.dsn)
    at = await reading(source.accounts())
    assert await at.subjects() == [citizen(0)]
    for number in range(1, 41):
        await source.connection.execute(INSERT, citizen(number), None)
        if number % 3 == 0:
            expected = sorted(citizen(one) for one in range(number - 2, number + 1))
            assert await at.subjects() == expected
    assert await at.subjects() == [citizen(40)]
    assert await source.connection.fetchval("SELECT pg_current_xact_id()::text::bigint") > 2**32
    fresh = await reading(source.accounts())
    assert len(await fresh.subjects()) == 41
    await source.close()


async def test_a_replica_serves_as_well(server: Postgres, tmp_path: Path, reading: Open) -> None:
    server.stop()
    copied = tmp_path / "copied"
    _copy(server, copied)
    server.start()
    server.wait_ready(60)
    replica = start(copied, primary_conninfo=server.dsn)
    try:
        source = await Source.make(server.dsn, tmp_path)
        dsn = source.dsn_file.read_text(encoding="utf-8")
        source.dsn_file.write_text(
            dsn.replace(f":{server.port}/", f":{replica.port}/"), encoding="utf-8"
        )
        slow = await asyncpg.connect(server.dsn)
        async with slow.transaction():
            await slow.execute(INSERT, citizen(1), None)
            async with slow.transaction():
                await slow.execute(INSERT, citizen(2), None)
            await source.connection.execute(INSERT, citizen(3), None)
            await _caught_up(server, replica)
            at = await reading(source.accounts())
            assert await at.subjects() == [citizen(3)]
        await _caught_up(server, replica)
        assert await at.subjects() == sorted([citizen(1), citizen(2)])
        # The same primary, asked through another server, goes on from the same cursor.
        source.dsn_file.write_text(dsn, encoding="utf-8")
        await source.connection.execute(INSERT, citizen(4), None)
        primary = await reading(source.accounts())
        primary.cursor = at.cursor
        assert citizen(4) in await primary.subjects()
        await slow.close()
        await source.close()
    finally:
        replica.stop()


def _copy(server: Postgres, folder: Path) -> None:
    """The files of a stopped server, for a replica of it."""
    folder.mkdir()
    cluster = folder / "cluster"
    # `cp -a` keeps the owner, and the sign that makes a replica must have the same.
    subprocess.run(["cp", "-a", str(server.cluster), str(cluster)], check=True)
    sign = [str(cluster / "PG_VERSION"), str(cluster / "standby.signal")]
    subprocess.run(["cp", "-a", *sign], check=True)


async def _caught_up(server: Postgres, replica: Postgres) -> None:
    one, other = await asyncpg.connect(server.dsn), await asyncpg.connect(replica.dsn)
    written = await one.fetchval("SELECT pg_current_wal_flush_lsn()::text")
    async with asyncio.timeout(60):
        while not await other.fetchval(
            "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", written
        ):
            await other.execute("SELECT pg_sleep(0.05)")
    await one.close()
    await other.close()


async def _freeze(server: Postgres) -> None:
    """So that rows written before the ids are turned stay in sight."""
    for database in ("nhipso", "postgres", "template1"):
        connection = await asyncpg.connect(f"{server.dsn.rpartition('/')[0]}/{database}")
        await connection.execute("VACUUM FREEZE")
        await connection.close()


def _turn_to(server: Postgres, xid: int) -> None:
    """Let the next transaction have this id, as after years of work."""
    account = server.child.account
    # Of the commit log, in which the id stands.
    segment = f"{xid // 2**20:04X}"
    run: dict[str, Any] = {
        "user": account.uid,
        "group": account.gid,
        "extra_groups": account.extra_groups,
    }
    zeros = ["dd", "if=/dev/zero", f"of=pg_xact/{segment}", "bs=262144", "count=1"]
    turn = [str(binaries(account).bin / "pg_resetwal"), "-x", str(xid), "-D", "."]
    for command in (zeros, turn):
        subprocess.run(command, cwd=server.cluster, check=True, capture_output=True, **run)
