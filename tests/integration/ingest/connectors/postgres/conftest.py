"""Fixtures of the postgres connector's tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from services.ingest.connectors.postgres.config import PostgresConfig
from services.ingest.connectors.postgres.connector import PostgresConnector
from tests.databases import new_database
from tests.integration.ingest.connectors.postgres.accounts import Reading, Source, surroundings

Open = Callable[[PostgresConfig], Awaitable[Reading]]


@pytest.fixture
async def source(postgres: str, tmp_path: Path) -> AsyncIterator[Source]:
    async with new_database(postgres) as url:
        source = await Source.make(url, tmp_path)
        try:
            yield source
        finally:
            await source.close()


@pytest.fixture
async def reading(source: Source) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def opened(config: PostgresConfig) -> Reading:
            connector = await PostgresConnector.open(config, surroundings())
            stack.push_async_callback(connector.close)
            return Reading(connector)

        yield opened
