"""Restatement in the store: corrections become points of the past, once."""

from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from contracts.times import local_day
from services.scoring.core.records import UnreadableError
from services.scoring.core.rules import Rules
from services.scoring.restating import Restating
from services.scoring.rollup import Rollup
from services.scoring.shard import Refusal, Shards
from tests.integration.scoring.invented import AREAS, CATALOGUE, NOW, batch, registered

LAO_CAI, YEN_BAI, PROVINCE = "2025:02647", "2025:04252", "2025:15"
PHONE = "ds.smartphone"
TODAY = local_day(NOW)
BIT = CATALOGUE.by_id[PHONE].bit

#: (unit, days before today, numerator, denominator)
Entry = tuple[str, int, int, int]
Told = list[tuple[int, int, int, bool]]


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def restating() -> Restating:
    return Restating(CATALOGUE, AREAS)


async def begin(pool: asyncpg.Pool, days_ago: int) -> None:
    await pool.execute("INSERT INTO history_start (day) VALUES ($1)", ago(days_ago))


async def know(pool: asyncpg.Pool, area_id: str, days_ago: int, top: int, below: int) -> None:
    await pool.execute(
        "INSERT INTO history (area_id, indicator, basis, day, numerator, denominator) "
        "VALUES ($1, $2, 'events', $3, $4, $5)",
        *(area_id, PHONE, ago(days_ago), top, below),
    )


async def book(pool: asyncpg.Pool, batch: int, *entries: Entry, bit: int | None = BIT) -> None:
    """What a shard writes for a batch."""
    units, days, tops, belows = zip(*entries, strict=True)
    await pool.execute(
        "INSERT INTO corrections VALUES (3, $1, $2, $3, $4, $5, $6)",
        *(batch, units, [bit] * len(units), [ago(one) for one in days], tops, belows),
    )


async def run(pool: asyncpg.Pool, restating: Restating, now: datetime = NOW) -> int:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        return await restating.run(connection, local_day(now), now)


async def history(pool: asyncpg.Pool, area_id: str) -> Told:
    """(days before today, numerator, denominator, is restated)"""
    rows = await pool.fetch(
        "SELECT day, numerator, denominator, restated_at FROM history "
        "WHERE area_id = $1 AND indicator = $2 ORDER BY day",
        *(area_id, PHONE),
    )
    assert {row["restated_at"] for row in rows} <= {None, NOW}
    return [
        ((TODAY - row["day"]).days, row["numerator"], row["denominator"], bool(row["restated_at"]))
        for row in rows
    ]


async def test_corrections_restate_a_unit_and_all_above_it(
    pool: asyncpg.Pool, restating: Restating
) -> None:
    await begin(pool, 30)
    for unit, size in ((LAO_CAI, 10), (PROVINCE, 100)):
        await know(pool, unit, 20, 1, size)
        await know(pool, unit, 5, 2, size)
        await know(pool, unit, 0, 3, size)
    await book(pool, 1, (LAO_CAI, 7, 1, 0), (YEN_BAI, 2, 1, 1))
    await book(pool, 2, (LAO_CAI, 3, -1, 0))
    assert await run(pool, restating) == 9
    assert await history(pool, LAO_CAI) == [
        (20, 1, 10, False),
        (7, 2, 10, True),
        (5, 3, 10, True),
        (3, 2, 10, False),
        (0, 3, 10, False),
    ]
    # Nothing was known of the other one; it reads today as it stood.
    assert await history(pool, YEN_BAI) == [(2, 1, 1, True), (0, 0, 0, False)]
    assert await history(pool, PROVINCE) == [
        (20, 1, 100, False),
        (7, 2, 100, True),
        (5, 3, 100, True),
        (3, 2, 100, False),
        (2, 3, 101, True),
        (0, 3, 100, False),
    ]
    assert await pool.fetchval("SELECT count(*) FROM corrections") == 0
    assert await run(pool, restating) == 0


async def test_days_before_the_beginning_are_not_invented(
    pool: asyncpg.Pool, restating: Restating
) -> None:
    await begin(pool, 4)
    await know(pool, LAO_CAI, 9, 5, 5)  # counted by other rules
    await know(pool, LAO_CAI, 4, 1, 2)
    await know(pool, LAO_CAI, 0, 2, 3)
    await book(pool, 1, (LAO_CAI, 400, 1, 1))
    await run(pool, restating)
    assert await history(pool, LAO_CAI) == [
        (9, 5, 5, False),
        (4, 2, 3, True),
        (0, 2, 3, False),
    ]


async def test_history_begins_on_the_first_day(pool: asyncpg.Pool, restating: Restating) -> None:
    """A load of old events restates nothing."""
    await book(pool, 1, (LAO_CAI, 400, 1, 1), (LAO_CAI, 2, 1, 1))
    assert await run(pool, restating) == 0
    assert await pool.fetchval("SELECT day FROM history_start") == TODAY
    assert await pool.fetchval("SELECT count(*) FROM history") == 0
    tomorrow = NOW + timedelta(days=1)
    await know(pool, LAO_CAI, 0, 2, 2)
    await book(pool, 2, (LAO_CAI, 2, 1, 1))
    assert await run(pool, restating, tomorrow) == 4
    assert await pool.fetchval("SELECT day FROM history_start") == TODAY


async def test_an_indicator_that_the_catalogue_has_lost_is_passed_over(
    pool: asyncpg.Pool, restating: Restating
) -> None:
    await begin(pool, 30)
    await book(pool, 1, (LAO_CAI, 7, 1, 1), bit=62)
    assert await run(pool, restating) == 0
    assert await pool.fetchval("SELECT count(*) FROM corrections") == 0


async def test_more_points_than_are_written_at_once(
    pool: asyncpg.Pool, restating: Restating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.scoring.restating._AT_ONCE", 7)
    await begin(pool, 30)
    communes = [area.area_id for area in AREAS.on(TODAY) if area.level == "commune"]
    await book(pool, 1, *((unit, 7, 1, 1) for unit in communes))
    assert await run(pool, restating) == 2 * (len(communes) + 1)
    assert (await history(pool, PROVINCE))[0] == (7, len(communes), len(communes), True)


async def test_the_midnight_of_days_is_the_local_one(
    pool: asyncpg.Pool, restating: Restating
) -> None:
    await begin(pool, 30)
    await know(pool, LAO_CAI, 7, 1, 2)
    await book(pool, 1, (LAO_CAI, 0, 1, 0))
    assert await run(pool, restating, datetime(2026, 11, 22, 16, 59, tzinfo=UTC)) == 0
    await book(pool, 2, (LAO_CAI, 0, 1, 0))
    # Half a day is over here at 17:00 UTC: unit and province, and what they read as from then on.
    assert await run(pool, restating, datetime(2026, 11, 22, 17, 0, tzinfo=UTC)) == 4


def refuse(
    shard: int, offset: int, value: bytes | None, error: UnreadableError, now: datetime
) -> Refusal:
    raise AssertionError(
        f"record {offset} of shard {shard} is unreadable at {now}: {value!r}"
    ) from error


async def test_days_that_were_counted_by_other_rules_stay_as_they_were_told(
    pool: asyncpg.Pool,
) -> None:
    """The catalogue changes on the third day; what is late then restates no day before it."""
    fewer = CATALOGUE.model_copy(update={"indicators": CATALOGUE.indicators[1:]})
    for remembered in ("counted", "fingerprint"):
        vars(fewer).pop(remembered, None)
    ways = [
        (Shards(pool, Rules(one, AREAS), refuse), Rollup(AREAS, one)) for one in (CATALOGUE, fewer)
    ]
    late = {"time": (NOW - timedelta(days=300)).isoformat()}
    for place in range(5):
        now = NOW + timedelta(days=place)
        shards, rollup = ways[place >= 2]
        await shards.step(3, local_day(now))
        await shards.take(3, batch(place, registered(place, **late)), now)
        async with pool.acquire() as connection:
            await rollup.run(connection, now)
    rows = await pool.fetch(
        "SELECT day, denominator, restated_at FROM history WHERE area_id = $1 AND indicator = $2 "
        "ORDER BY day",
        *(LAO_CAI, PHONE),
    )
    told = [((row["day"] - TODAY).days, row["denominator"], row["restated_at"]) for row in rows]
    assert told == [
        (0, 2, NOW + timedelta(days=1)),
        (1, 2, None),
        (2, 5, NOW + timedelta(days=4)),
        (3, 5, NOW + timedelta(days=4)),
        (4, 5, None),
    ]
    assert await pool.fetchval("SELECT day FROM history_start") == TODAY + timedelta(days=2)
