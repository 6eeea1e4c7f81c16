"""A unit's sum of reports goes when the reports that made it no longer can be added."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from services.scoring.rollup import Rollup
from tests.integration.scoring.counted import LAO_CAI, PROVINCE, report
from tests.integration.scoring.invented import AREAS, CATALOGUE, NOW

INDICATOR = "nf.community-teams"
REPORTER = f"area:{LAO_CAI}"


@pytest.fixture
async def leader(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    async with pool.acquire() as connection:
        yield connection


async def figure(leader: asyncpg.Connection, area_id: str) -> tuple[Any, ...]:
    query = "SELECT numerator, denominator, value, period, version FROM figures WHERE area_id = $1"
    return tuple(await leader.fetchrow(query, area_id))


async def test_a_sum_is_withdrawn_when_a_value_follows_the_ratio(
    leader: asyncpg.Connection,
) -> None:
    rollup = Rollup(AREAS, CATALOGUE)
    await report(leader, REPORTER, INDICATOR, "2024", numerator=1, denominator=4)
    await rollup.run(leader, NOW)
    assert await figure(leader, PROVINCE) == (1, 4, None, "2024", 1)

    await report(leader, REPORTER, INDICATOR, "2025", value=30)
    assert await rollup.run(leader, NOW) == 2

    assert await figure(leader, LAO_CAI) == (None, None, Decimal(30), "2025", 2)
    assert await figure(leader, PROVINCE) == (None, None, None, None, 2)
    history = "SELECT numerator, denominator FROM history WHERE area_id = $1"
    assert tuple(await leader.fetchrow(history, PROVINCE)) == (None, None)


async def test_what_is_withdrawn_is_so_once(leader: asyncpg.Connection) -> None:
    rollup = Rollup(AREAS, CATALOGUE)
    await report(leader, REPORTER, INDICATOR, "2023", numerator=1, denominator=4)
    await rollup.run(leader, NOW)
    await report(leader, REPORTER, INDICATOR, "2024", value=30)
    await rollup.run(leader, NOW)
    await report(leader, REPORTER, INDICATOR, "2025", value=40)
    assert await rollup.run(leader, NOW) == 1
    assert await figure(leader, PROVINCE) == (None, None, None, None, 2)


async def test_what_never_had_a_sum_gets_no_figure(leader: asyncpg.Connection) -> None:
    await report(leader, REPORTER, INDICATOR, "2025", value=30)
    assert await Rollup(AREAS, CATALOGUE).run(leader, NOW) == 1
    assert await leader.fetchval("SELECT count(*) FROM figures") == 1


async def test_a_unit_that_has_ended_counts_until_its_successor_has_reported(
    leader: asyncpg.Connection,
) -> None:
    rollup, former = Rollup(AREAS, CATALOGUE), "legacy:02647"
    *_, province = AREAS.lineage_upward(former)
    await report(leader, f"area:{former}", INDICATOR, "2024", numerator=1, denominator=4)
    await rollup.run(leader, NOW)
    assert await figure(leader, province) == (1, 4, None, "2024", 1)

    await report(leader, REPORTER, INDICATOR, "2024", numerator=2, denominator=4)
    await rollup.run(leader, NOW)

    assert await figure(leader, former) == (1, 4, None, "2024", 1)
    assert await figure(leader, province) == (None, None, None, None, 2)
    assert await figure(leader, PROVINCE) == (2, 4, None, "2024", 1)


async def test_what_agencies_report_is_of_the_province_that_is(leader: asyncpg.Connection) -> None:
    await report(leader, "agency:so-a", INDICATOR, "2026", numerator=3, denominator=9)
    await report(leader, REPORTER, INDICATOR, "2026", numerator=1, denominator=4)
    await Rollup(AREAS, CATALOGUE).run(leader, NOW)
    rows = await leader.fetch("SELECT area_id FROM figures ORDER BY area_id")
    assert [row["area_id"] for row in rows] == [LAO_CAI, PROVINCE]
    assert await figure(leader, PROVINCE) == (4, 13, None, "2026", 1)
