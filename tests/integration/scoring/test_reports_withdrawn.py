"""A unit's sum of reports goes when the reports that made it no longer can be added."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from contracts import areas
from services.chassis.database import migrate
from services.scoring import rollup
from services.scoring.rollup import Rollup

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
COMMUNE, PROVINCE = "2025:02647", "2025:15"
INDICATOR = "nf.community-teams"


@pytest.fixture
async def scoring(database: str) -> AsyncIterator[asyncpg.Connection]:
    migrations = Path(rollup.__file__).parent / "migrations"
    await migrate(database, schema="scoring", migrations=migrations)
    connection = await asyncpg.connect(database, server_settings={"search_path": "scoring"})
    try:
        yield connection
    finally:
        await connection.close()


async def report(scoring: asyncpg.Connection, period: str, **figure: int) -> None:
    """What the shard transaction leaves behind of a commune's report."""
    numerator, denominator, value = map(figure.get, ("numerator", "denominator", "value"))
    await scoring.execute(
        "INSERT INTO reports VALUES ($1, $2, $3, $4, 1, 'id', '{}', $5, $6, $7)",
        *(f"area:{COMMUNE}", INDICATOR, period, datetime(int(period), 12, 31).date()),  # noqa: DTZ001
        *(numerator, denominator, value),
    )
    await scoring.execute(
        "INSERT INTO touched VALUES (0, $1, '{}', '{}', $2, $3)",
        *(int(period), [f"area:{COMMUNE}"], [INDICATOR]),
    )


async def figure(scoring: asyncpg.Connection, area_id: str) -> tuple[Any, ...]:
    query = "SELECT numerator, denominator, value, period, version FROM figures WHERE area_id = $1"
    return tuple(await scoring.fetchrow(query, area_id))


async def test_a_sum_is_withdrawn_when_a_value_follows_the_ratio(
    scoring: asyncpg.Connection,
) -> None:
    roll_up = Rollup(areas.load())
    await report(scoring, "2024", numerator=1, denominator=4)
    await roll_up.run(scoring, NOW)
    assert await figure(scoring, PROVINCE) == (1, 4, None, "2024", 1)

    await report(scoring, "2025", value=30)
    assert await roll_up.run(scoring, NOW) == 2

    assert await figure(scoring, COMMUNE) == (None, None, 30, "2025", 2)
    assert await figure(scoring, PROVINCE) == (None, None, None, None, 2)
    history = "SELECT numerator, denominator FROM history WHERE area_id = $1"
    assert tuple(await scoring.fetchrow(history, PROVINCE)) == (None, None)


async def test_what_never_had_a_sum_gets_no_figure(scoring: asyncpg.Connection) -> None:
    await report(scoring, "2025", value=30)
    assert await Rollup(areas.load()).run(scoring, NOW) == 1
    assert await scoring.fetchval("SELECT count(*) FROM figures") == 1
