"""Reconciliation on a real PostgreSQL: it finds each sort of mistake, and nothing where none is."""

import asyncio
from datetime import timedelta

import numpy as np
import pytest

from contracts.subjects import SubjectKind
from services.chassis.clock import FixedClock
from services.scoring import store
from services.scoring.care.reconciling import Reconciled, reconcile
from services.scoring.care.schemas import CareError
from services.scoring.core.packing import PackError
from tests.integration.care.conftest import Line
from tests.integration.scoring.invented import NOW, batch, paid, registered, smartphone

LAO_CAI, YEN_BAI, PROVINCE = "2025:02647", "2025:04252", "2025:15"
PHONES = "ds.smartphone"


def told(*_: object) -> None:
    """Nobody listens."""


async def reconciled(line: Line, later: timedelta = timedelta(0)) -> Reconciled:
    return await reconcile(line.dsn, line.rules, FixedClock(NOW + later), told)


@pytest.fixture
async def filled(line: Line) -> Line:
    """Twenty adults in two shards, twelve with a smartphone, who have paid."""
    for shard in (0, 1):
        people = range(100 * shard, 100 * shard + 10)
        values = [
            *(registered(number) for number in people),
            *(smartphone(number) for number in people[:6]),
            *(paid(number, "2026-11-20T08:00:00Z") for number in people),
        ]
        await line.shards.take(shard, batch(0, *values), NOW)
    await line.roll_up()
    return line


async def test_where_all_is_well_there_is_no_difference(filled: Line) -> None:
    done = await reconciled(filled)
    assert (done.shards, done.subjects, done.differences, done.elsewhere) == (2, 20, 0, 0)


async def test_what_the_roll_up_has_yet_to_take_up_is_no_difference(filled: Line) -> None:
    await filled.shards.take(0, batch(26, smartphone(7), smartphone(8)), NOW)
    assert (await reconciled(filled)).differences == 0


async def test_whom_the_daily_step_has_yet_to_take_up_is_no_difference(filled: Line) -> None:
    """In a hundred days the payments have left a window of ninety."""
    later = timedelta(days=100)
    assert (await reconciled(filled, later)).differences == 0
    await filled.shards.take(0, batch(26, smartphone(7)), NOW + later)
    assert (await reconciled(filled, later)).differences == 0
    await filled.shards.step(0, (NOW + later).date())
    assert (await reconciled(filled, later)).differences == 0
    await filled.shards.step(1, (NOW + later).date())
    assert (await reconciled(filled, later)).differences == 0


async def test_whom_the_daily_step_has_missed_is_found(filled: Line) -> None:
    later = timedelta(days=100)
    day = (NOW + later).date()
    await filled.pool.execute("UPDATE shards SET evaluated_on = $1 WHERE shard = 0", day)
    done = await reconciled(filled, later)
    assert done.wrong_subjects.count == 10
    assert "is in the numerator of dc.3.2" in done.wrong_subjects.first[0]
    assert "is due 2027-02-19, should be" in done.wrong_subjects.first[0]


async def test_a_counter_that_is_not_the_sum_of_its_subjects_is_found(filled: Line) -> None:
    await filled.pool.execute(
        "UPDATE counters SET numerators[16] = numerators[16] + 5 WHERE shard = 1"
    )
    done = await reconciled(filled)
    assert done.wrong_subjects.count == 0
    assert done.wrong_counters.first == [
        f"shard 1: {LAO_CAI} {PHONES} is 11 / 10, its subjects are 6 / 10"
    ]
    # The figures are no longer the sum of the counters either, up to the province.
    assert sorted(done.wrong_figures.first) == [
        f"{LAO_CAI} {PHONES} is 12 / 20, its counters are 17 / 20",
        f"{PROVINCE} {PHONES} is 12 / 20, its counters are 17 / 20",
    ]


async def test_counters_of_a_unit_that_is_none_are_found(filled: Line) -> None:
    await filled.pool.execute("INSERT INTO counters VALUES ('2025:99999', 0, '{1}', '{1}')")
    done = await reconciled(filled)
    assert done.wrong_counters.first == ["shard 0: 2025:99999 has counters, and is no known unit"]


async def test_a_figure_that_is_not_the_sum_of_its_counters_is_found(filled: Line) -> None:
    await filled.pool.execute(
        "UPDATE figures SET denominator = 21 WHERE (area_id, indicator) = ($1, $2)",
        PROVINCE,
        PHONES,
    )
    done = await reconciled(filled)
    assert done.wrong_figures.first == [f"{PROVINCE} {PHONES} is 12 / 21, its counters are 12 / 20"]
    assert done.differences == 1


async def test_a_subject_that_is_counted_as_what_it_is_not_is_found(filled: Line) -> None:
    async with filled.pool.acquire() as connection:
        async with connection.transaction(isolation="repeatable_read"):
            stored = await store.load(connection, 0, filled.rules)
        subjects = stored.state.subjects[SubjectKind.CITIZEN]
        standings = subjects.standings
        standings.areas[3] = filled.rules.territory.place_of[YEN_BAI]
        standings.numerators[4] &= ~np.uint64(1 << 15)
        async with connection.transaction():
            await store.write_snapshot(connection, 0, stored.state)
    done = await reconciled(filled)
    assert done.wrong_subjects.count == 2
    moved, stripped = done.wrong_subjects.first
    assert moved.endswith(f"is counted in {YEN_BAI}, belongs to {LAO_CAI}")
    assert stripped.endswith(f"is missing in the numerator of {PHONES}")
    assert moved.startswith("shard 0: citizen:00000000… ")
    assert done.wrong_counters.count > 0


async def test_state_that_cannot_be_read_is_said_so(filled: Line) -> None:
    await filled.pool.execute("UPDATE journal SET payload = 'nothing of ours' WHERE shard = 0")
    with pytest.raises(PackError):
        await reconciled(filled)


async def test_shards_under_other_rules_are_left_out(filled: Line) -> None:
    await filled.pool.execute("UPDATE shards SET rules = 'of another catalogue' WHERE shard = 0")
    done = await reconciled(filled)
    assert (done.shards, done.elsewhere, done.subjects) == (1, 1, 10)


async def test_while_events_flow_there_is_no_difference(filled: Line) -> None:
    ended = asyncio.Event()
    flowed = 0

    async def flow(shard: int) -> None:
        nonlocal flowed
        at = 26
        while not ended.is_set():
            people = range(at, at + 20)
            values = [value for n in people for value in (registered(n), smartphone(n))]
            await filled.shards.take(shard, batch(at, *values), NOW)
            at += len(values)
            flowed += len(values)

    async def sum_up() -> None:
        while not ended.is_set():
            await filled.roll_up()
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(one) for one in (flow(0), flow(1), sum_up())]
    try:
        for _ in range(5):
            assert (await reconciled(filled)).differences == 0
    finally:
        ended.set()
        await asyncio.gather(*tasks)
    assert flowed > 0


async def test_a_database_without_scoring_is_refused(line: Line) -> None:
    await line.pool.execute("DROP SCHEMA scoring CASCADE")
    with pytest.raises(CareError, match="no schema scoring"):
        await reconciled(line)
