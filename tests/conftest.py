"""A real Kafka and a real PostgreSQL for the whole session, each started when first asked for."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from deploy.embedded.postgres import Postgres
from tests.brokers import wipe
from tests.databases import new_database

# How long an example takes to make or to run says something of the machine, and nothing of the code.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a broker, with what the tests before have left on it."""
    server = Kafka(
        tmp_path_factory.mktemp("kafka"),
        port=free_port(),
        controller_port=free_port(),
        heap="512m",
        # No machine goes down here, only processes: what the kernel holds is not lost with them.
        # And nobody kills this broker, so it may be late to its own controller on a busy machine.
        settings={"log.flush.interval.ms": "600000", "broker.session.timeout.ms": "30000"},
    )
    server.start()
    try:
        server.wait_ready(60)
        yield server.bootstrap
    finally:
        server.stop()


@pytest.fixture(scope="module")
async def kafka(broker: str) -> str:
    """The bootstrap address of a broker without topics: no file of tests sees another's records."""
    await wipe(broker)
    return broker


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server's first database, as its superuser. It outlives processes alone."""
    yield from _served(tmp_path_factory.mktemp("postgres"), fsync="off")


@pytest.fixture(scope="session")
def durable_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same of a server that keeps what it has committed, as ours do."""
    yield from _served(tmp_path_factory.mktemp("durable"))


def _served(folder: Path, **settings: str) -> Iterator[str]:
    small = {"shared_buffers": "64MB", "max_wal_size": "1GB", "max_connections": "200"}
    server = Postgres(
        folder, port=free_port(), password=uuid.uuid4().hex, settings=small | settings
    )
    server.start()
    try:
        server.wait_ready(60)
        yield server.dsn
    finally:
        server.stop()


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """The URL of a new, empty database, which is dropped after the test."""
    async with new_database(postgres) as url:
        yield url
