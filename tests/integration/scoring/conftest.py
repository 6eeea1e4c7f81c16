"""A migrated schema in a database of its own, and the shards over it."""

import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from joserfc.jwk import ECKey
from pydantic import SecretStr

import services.scoring
from services.chassis.database import open_pool
from services.chassis.settings import PostgresSettings
from services.scoring.refusing import refusing
from services.scoring.shard import Refuse, Shards
from tests.databases import migrated_database
from tests.integration.scoring.invented import RULES

MIGRATIONS: Final = Path(services.scoring.__file__).parent / "migrations"


@pytest.fixture(scope="session")
def private_key() -> ECKey:
    """What ingest alone would hold."""
    return ECKey.generate_key("P-256", auto_kid=False)


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """The URL of a database of the test's own that has scoring's schema."""
    async with migrated_database(postgres, "scoring", MIGRATIONS) as url:
        yield url


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    settings = PostgresSettings(dsn=SecretStr(database), pool_min=0)
    opened = await open_pool(settings, schema="scoring", application_name="test-scoring")
    yield opened
    with warnings.catch_warnings():
        # A test may have cut connections.
        warnings.simplefilter("ignore")
        await opened.close()


@pytest.fixture
def refuse(private_key: ECKey) -> Refuse:
    return refusing(ECKey.import_key(private_key.as_dict(private=False)))


@pytest.fixture
def shards(pool: asyncpg.Pool, refuse: Refuse) -> Shards:
    return Shards(pool, RULES, refuse)
