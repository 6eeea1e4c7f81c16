"""Scoring's state beside the topic that it was read from, both fresh for every test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from pydantic import SecretStr

import services.scoring
from contracts import areas, catalogue
from services.chassis.database import open_pool
from services.chassis.settings import PostgresSettings
from services.scoring.care.replaying import refuse_silently
from services.scoring.core.rules import Rules
from services.scoring.rollup import Rollup
from services.scoring.shard import Shards
from tests.databases import migrated_database
from tests.integration.scoring.invented import NOW, batch
from tests.integration.scoring.on_kafka import fresh_topics, send

MIGRATIONS: Final = Path(services.scoring.__file__).parent / "migrations"
PARTITIONS: Final = 2

#: (area id, indicator) → (numerator, denominator, version)
Figures = dict[tuple[str, str], tuple[int, int, int]]


@dataclass
class Line:
    """Scoring on a topic: what is sent is taken as the service takes it, and summed up."""

    kafka: str
    dsn: str
    pool: asyncpg.Pool
    rules: Rules
    shards: Shards
    sent: dict[int, int] = field(default_factory=dict)

    async def tell(self, partition: int, *values: bytes | None) -> None:
        """Send records that scoring does not take yet."""
        await send(self.kafka, values, partition)

    async def take(self, partition: int, *values: bytes | None) -> None:
        """Send records, and let scoring take them."""
        await self.tell(partition, *values)
        first = self.sent.get(partition, 0)
        await self.shards.take(partition, batch(first, *values), NOW)
        self.sent[partition] = first + len(values)

    async def roll_up(self) -> None:
        """Sum up what was touched."""
        async with self.pool.acquire() as connection:
            await Rollup(self.rules.areas, self.rules.catalogue).run(connection, NOW)

    async def figures(self, basis: str = "events") -> Figures:
        """All figures with their versions."""
        rows = await self.pool.fetch(
            "SELECT area_id, indicator, numerator, denominator, version FROM figures "
            "WHERE basis = $1",
            basis,
        )
        return {(row[0], row[1]): tuple(row)[2:] for row in rows}


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules(catalogue.load(), areas.load())


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """The URL of a database of the test's own that has scoring's schema."""
    async with migrated_database(postgres, "scoring", MIGRATIONS) as url:
        yield url


@pytest.fixture
async def line(kafka: str, database: str, rules: Rules) -> AsyncIterator[Line]:
    await fresh_topics(kafka, PARTITIONS)
    settings = PostgresSettings(dsn=SecretStr(database), pool_min=0)
    pool = await open_pool(settings, schema="scoring", application_name="test-care")
    yield Line(kafka, database, pool, rules, Shards(pool, rules, refuse_silently))
    await pool.close()
