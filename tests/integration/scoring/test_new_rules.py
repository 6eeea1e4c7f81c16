"""Another catalogue or other units: each shard is counted under them as a whole, and once."""

from datetime import timedelta

import asyncpg
import pytest

from contracts.areas import Areas
from contracts.times import local_day
from services.scoring.core.counting import BITS
from services.scoring.core.rules import Rules
from services.scoring.shard import Refuse, Shards, Taken
from tests.integration.scoring.invented import (
    AREAS,
    CATALOGUE,
    NOW,
    RULES,
    batch,
    citizen,
    counters,
    event,
    paid,
    recount,
    registered,
    smartphone,
)
from tests.unit.scoring.catalogues import (
    adults_are_aged,
    also_internet,
    changed,
    no_health_records,
    no_households,
    no_telehealth,
    payments_count_for,
)

TODAY = local_day(NOW)
ALL_BITS = (1 << BITS - 1) - 1
CHANGES = {
    "another window": payments_count_for(30),
    "another age": adults_are_aged(40),
    "a new indicator": also_internet,
    "an indicator given up": no_health_records,
    "an indicator of a last time given up": no_telehealth,
}


def lives(first: int) -> list[bytes]:
    """Citizens aged 36, of whom some have paid, called a doctor or have a health record."""
    told = []
    for number in range(first, first + 20):
        told += [registered(number, "02647" if number % 3 else "04252")]
        told += [smartphone(number, has=number % 2 == 0)]
        told += [paid(number, (NOW - timedelta(days=20 + number)).isoformat())]
        told += [event("health.record-changed.v1", citizen(number), {"active": True})]
        told += [event("health.teleconsultation-completed.v1", citizen(number), {"mode": "care"})]
    return told


ZERO, ONE = lives(0), lives(100)


@pytest.fixture(params=list(CHANGES.values()), ids=list(CHANGES))
def rules(request: pytest.FixtureRequest) -> Rules:
    return Rules(changed(request.param), AREAS)


@pytest.fixture
async def counted(pool: asyncpg.Pool, shards: Shards) -> None:
    """Two shards that were counted under the shipped catalogue."""
    await shards.take(0, batch(0, *ZERO), NOW)
    await shards.take(1, batch(0, *ONE), NOW)
    await pool.execute("TRUNCATE touched")


async def marks(pool: asyncpg.Pool, shard: int) -> dict[str, int]:
    rows = await pool.fetch("SELECT area_ids, masks FROM touched WHERE shard = $1", shard)
    return {area: mask for row in rows for area, mask in zip(*row, strict=True)}


@pytest.mark.usefixtures("counted")
async def test_a_step_takes_up_other_rules(
    pool: asyncpg.Pool, refuse: Refuse, rules: Rules
) -> None:
    before = await pool.fetch("SELECT * FROM counters WHERE shard = 1 ORDER BY area_id")
    worker = Shards(pool, rules, refuse)
    assert sorted(await worker.outdated([0, 1], TODAY)) == [0, 1]
    await worker.step(0, TODAY)
    assert await worker.outdated([0, 1], TODAY) == [1]
    assert await counters(pool, 0, rules) == recount(ZERO, NOW, rules)
    assert await counters(pool, 0, rules) != recount(ZERO, NOW)
    assert await marks(pool, 0) == {"2025:02647": ALL_BITS, "2025:04252": ALL_BITS}
    assert await worker.positions([0, 1]) == {0: (len(ZERO), TODAY), 1: (len(ONE), TODAY)}
    # The other shard is as it was.
    assert await pool.fetch("SELECT * FROM counters WHERE shard = 1 ORDER BY area_id") == before
    assert await marks(pool, 1) == {}


@pytest.mark.usefixtures("counted")
async def test_a_batch_takes_up_other_rules(
    pool: asyncpg.Pool, refuse: Refuse, rules: Rules
) -> None:
    worker = Shards(pool, rules, refuse)
    more = [registered(500), smartphone(500), smartphone(1, time="2026-11-21T00:00:00Z")]
    assert await worker.take(0, batch(len(ZERO), *more), NOW) == Taken(len(ZERO) + 3, 3)
    assert await counters(pool, 0, rules) == recount(ZERO + more, NOW, rules)
    # A fresh worker goes on from there, and finds nothing to take up.
    fresh = Shards(pool, rules, refuse)
    assert await fresh.outdated([0], TODAY) == []
    await fresh.take(0, batch(len(ZERO) + 3, registered(501)), NOW)
    assert await counters(pool, 0, rules) == recount([*ZERO, *more, registered(501)], NOW, rules)


@pytest.mark.parametrize("name", ["another window", "another age", "a new indicator"])
@pytest.mark.usefixtures("counted")
async def test_rules_that_are_taken_back_leave_no_trace(
    pool: asyncpg.Pool, refuse: Refuse, name: str
) -> None:
    before = await counters(pool)
    other = Shards(pool, Rules(changed(CHANGES[name]), AREAS), refuse)
    await other.step(0, TODAY)
    await Shards(pool, RULES, refuse).step(0, TODAY)
    assert await counters(pool) == before == recount(ZERO + ONE, NOW)


@pytest.mark.usefixtures("counted")
async def test_other_rules_and_another_day_at_once(
    pool: asyncpg.Pool, refuse: Refuse, rules: Rules
) -> None:
    later = NOW + timedelta(days=60)
    await Shards(pool, rules, refuse).step(0, local_day(later))
    assert await counters(pool, 0, rules) == recount(ZERO, later, rules)


@pytest.mark.usefixtures("counted")
async def test_taking_up_other_rules_is_one_transaction(
    pool: asyncpg.Pool, refuse: Refuse, rules: Rules
) -> None:
    before = await pool.fetch("SELECT * FROM counters ORDER BY area_id, shard")
    await pool.execute(
        """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION USING ERRCODE = ''40001''; END';
        CREATE TRIGGER fail BEFORE UPDATE ON shards FOR EACH ROW EXECUTE FUNCTION fail();
        """
    )
    worker = Shards(pool, rules, refuse)
    with pytest.raises(asyncpg.SerializationError):
        await worker.step(0, TODAY)
    assert await pool.fetch("SELECT * FROM counters ORDER BY area_id, shard") == before
    assert await marks(pool, 0) == {}
    await pool.execute("DROP TRIGGER fail ON shards")
    await worker.step(0, TODAY)
    assert await counters(pool, 0, rules) == recount(ZERO, NOW, rules)


async def test_a_unit_in_which_nobody_counts_any_more_is_marked_and_has_no_counter(
    pool: asyncpg.Pool, shards: Shards, refuse: Refuse
) -> None:
    fibre = {"area": "04252", "covered": True, "subscribed": True}
    household = event("telecom.fibre-changed.v1", f"household:{1:032x}", fibre)
    await shards.take(0, batch(0, household, registered(1)), NOW)
    await pool.execute("TRUNCATE touched")
    rules = Rules(changed(no_households), AREAS)
    await Shards(pool, rules, refuse).step(0, TODAY)
    assert await counters(pool, 0, rules) == recount([registered(1)], NOW, rules)
    assert await pool.fetchval("SELECT array_agg(area_id) FROM counters") == ["2025:02647"]
    assert await marks(pool, 0) == {"2025:02647": ALL_BITS, "2025:04252": ALL_BITS}


@pytest.mark.usefixtures("counted")
async def test_units_in_another_order_change_nothing(pool: asyncpg.Pool, refuse: Refuse) -> None:
    turned = Rules(CATALOGUE, Areas(reversed(list(AREAS)), AREAS.lineage))
    before = await counters(pool)
    worker = Shards(pool, turned, refuse)
    await worker.step(0, TODAY)
    await worker.take(1, batch(len(ONE), smartphone(101, time="2026-11-21T00:00:00Z")), NOW)
    more = [*ZERO, *ONE, smartphone(101, time="2026-11-21T00:00:00Z")]
    assert await counters(pool) == recount(more, NOW) != before
