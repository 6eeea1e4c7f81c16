"""A reform of units, as the notifier lives through it: ended units are judged and told no more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.areas import Areas
from services.chassis.clock import FixedClock
from services.notifier import rules
from services.notifier.pipeline.evaluating import Evaluating
from tests.fakes.reform import LAO_CAI, NEW_LAO_CAI, PROVINCE, reformed
from tests.integration.notifier.conftest import Bench, mailboxes, told

#: The eve of the reform, a quarter of an hour before midnight in Viet Nam.
EVE = datetime(2026, 12, 31, 16, 45, tzinfo=UTC)
MIDNIGHT = timedelta(minutes=15)


@pytest.fixture
def reforming(bench: Bench) -> Bench:
    """The notifier with the units of the reform, on its eve."""
    return at(bench, reformed(), EVE)


def at(bench: Bench, areas: Areas, now: datetime) -> Bench:
    in_force = rules.read(rules.shipped())
    domain = replace(bench.domain, areas=areas)
    evaluating = Evaluating(
        bench.pool, domain, in_force, bench.metrics, full_pass_every=timedelta(days=9)
    )
    return replace(bench, domain=domain, clock=FixedClock(now), evaluating=evaluating)


async def fire(bench: Bench) -> None:
    """The commune and its province lag, for three days until the eve."""
    bench.clock.advance(-timedelta(days=3))
    for version in (1, 2):
        fresh = bench.clock.now()
        await bench.take(
            *(told(600, area=area, version=version, fresh_at=fresh) for area in (LAO_CAI, PROVINCE))
        )
        await bench.evaluate()
        if version == 1:
            bench.clock.advance(timedelta(days=3))


async def by_area(bench: Bench) -> set[tuple[str, str, str]]:
    async with bench.pool.acquire() as connection:
        rows = await connection.fetch("SELECT area, state, reason FROM alerts")
    return {(row["area"], row["state"], row["reason"]) for row in rows}


async def test_the_alert_of_an_ended_unit_ends_at_midnight_and_not_before(
    reforming: Bench,
) -> None:
    await fire(reforming)
    await reforming.evaluate(MIDNIGHT - timedelta(seconds=1))
    assert (LAO_CAI, "firing", "target-missed") in await by_area(reforming)
    await reforming.evaluate(timedelta(seconds=1))
    assert await by_area(reforming) == {
        (LAO_CAI, "resolved", "unit-ended"),
        (PROVINCE, "firing", "target-missed"),
    }


async def test_the_empty_figure_of_an_ended_unit_makes_no_alert(reforming: Bench) -> None:
    reforming.clock.advance(MIDNIGHT)
    now = reforming.clock.now()
    # What scoring tells while it moves the residents: some are left, then nobody.
    await reforming.take(told(0, 400, area=LAO_CAI, version=3, at=now, fresh_at=now))
    await reforming.evaluate()
    await reforming.take(told(0, 0, area=LAO_CAI, version=4, at=now, fresh_at=now))
    await reforming.evaluate(timedelta(days=4))
    assert await by_area(reforming) == {(PROVINCE, "firing", "source-silent")}


async def test_the_new_unit_is_judged_from_its_first_day(reforming: Bench) -> None:
    reforming.clock.advance(MIDNIGHT)
    now = reforming.clock.now()
    await reforming.take(told(600, area=NEW_LAO_CAI, at=now, fresh_at=now))
    await reforming.evaluate()
    assert await by_area(reforming) == {(NEW_LAO_CAI, "pending", "target-missed")}


async def test_an_ended_unit_gets_no_letter_even_before_its_alerts_are_looked_at(
    reforming: Bench,
) -> None:
    await fire(reforming)
    telling = reforming.telling(mailboxes(f"unit:{LAO_CAI}", f"unit:{PROVINCE}", "operators"))
    reforming.clock.advance(MIDNIGHT)
    await reforming.tell(telling)
    assert [audience for audience, _ in await reforming.letters()] == [f"unit:{PROVINCE}"]


async def test_on_the_eve_it_still_gets_one(reforming: Bench) -> None:
    await fire(reforming)
    telling = reforming.telling(mailboxes(f"unit:{LAO_CAI}", f"unit:{PROVINCE}"))
    await reforming.tell(telling)
    assert len(await reforming.letters()) == 2


async def test_the_alert_of_a_silent_feed_goes_over_to_the_next_province(bench: Bench) -> None:
    eve = datetime(2025, 6, 30, 16, 45, tzinfo=UTC)
    before = at(bench, bench.domain.areas, eve)
    await before.take(told(600, area="legacy:04249", at=eve, fresh_at=eve - timedelta(days=9)))
    await before.evaluate()
    assert await by_area(before) == {("legacy:15", "firing", "source-silent")}
    await before.evaluate(MIDNIGHT)
    assert await by_area(before) == {
        ("legacy:15", "resolved", "unit-ended"),
        (PROVINCE, "firing", "source-silent"),
    }
