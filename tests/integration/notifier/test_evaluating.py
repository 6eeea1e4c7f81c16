"""From indicator events to alerts, on a real store."""

import asyncio
import json
from datetime import timedelta

from tests.integration.notifier.conftest import COMMUNE, NOW, PROVINCE, Bench, told

DAY = timedelta(days=1)
PENDING = [("ds.smartphone", "pending", "target-missed")]
FIRING = [("ds.smartphone", "firing", "target-missed")]


async def fire(bench: Bench) -> None:
    """The commune stands 13 points behind, for three days."""
    await bench.take(told(600))
    await bench.evaluate()
    await bench.take(told(601, version=2, fresh_at=NOW + 3 * DAY))
    await bench.evaluate(3 * DAY)


async def test_a_unit_that_lags_is_pending_until_the_time_is_over(bench: Bench) -> None:
    await bench.take(told(600))
    await bench.evaluate()
    assert await bench.states() == PENDING
    assert await bench.events() == []
    await bench.evaluate(2 * DAY)
    assert await bench.states() == PENDING
    # The feed is still heard, from elsewhere; this unit's figure has not moved.
    await bench.take(told(900, area="2025:02671", fresh_at=NOW + 2 * DAY))
    await bench.evaluate(DAY)
    assert await bench.states() == FIRING


async def test_firing_and_resolving_are_told_to_the_world(bench: Bench) -> None:
    await fire(bench)
    await bench.take(told(900, version=3, fresh_at=NOW + 3 * DAY))
    await bench.evaluate()
    assert await bench.states() == [("ds.smartphone", "resolved", "recovered")]
    opened, resolved = (json.loads(event) for event in await bench.events())
    assert opened["type"] == "vn.nhipso.alert.opened.v1"
    assert opened["data"]["gap_people"] == 135
    assert resolved["type"] == "vn.nhipso.alert.resolved.v1"
    assert resolved["id"] == f"{opened['data']['alert']}/2"


async def test_a_new_lag_is_a_new_alert(bench: Bench) -> None:
    await fire(bench)
    await bench.take(told(900, version=3, fresh_at=NOW + 3 * DAY))
    await bench.evaluate()
    await bench.take(told(600, version=4, fresh_at=NOW + 3 * DAY))
    await bench.evaluate()
    assert [state for _, state, _ in await bench.states()] == ["pending", "resolved"]


async def test_a_silent_source_never_makes_a_unit_look_bad(bench: Bench) -> None:
    await bench.take(told(600))
    await bench.evaluate()
    await bench.evaluate(3 * DAY + timedelta(seconds=1))
    # The unit's pending alert is gone; operators are told of the feed.
    assert await bench.states() == [("source.telecom", "firing", "source-silent")]
    await bench.take(told(600, version=2, fresh_at=NOW + 4 * DAY))
    await bench.evaluate(DAY)
    assert await bench.states() == [
        ("ds.smartphone", "pending", "target-missed"),
        ("source.telecom", "resolved", "recovered"),
    ]


async def test_what_fires_goes_on_firing_while_its_source_is_silent(bench: Bench) -> None:
    await fire(bench)
    await bench.evaluate(4 * DAY)
    assert ("ds.smartphone", "firing", "source-silent") in await bench.states()


async def test_few_people_are_not_judged(bench: Bench) -> None:
    await bench.take(told(0, 29))
    await bench.evaluate()
    assert await bench.states() == []


async def test_an_older_version_changes_nothing(bench: Bench) -> None:
    await bench.take(told(900, version=7))
    await bench.take(told(100, version=6))
    await bench.evaluate()
    assert await bench.states() == []


async def test_a_replay_writes_nothing_new(bench: Bench) -> None:
    await fire(bench)
    before = await bench.events()
    await bench.take(told(600), told(601, version=2, fresh_at=NOW + 3 * DAY))
    await bench.evaluate()
    await bench.evaluate(timedelta(hours=2))
    assert await bench.events() == before


async def test_the_pace_moves_on_without_an_event(bench: Bench) -> None:
    # Today 73.57 % is due; 71.58 % is inside the tolerance, but not three months on.
    await bench.take(told(7158, 10_000))
    await bench.evaluate()
    assert await bench.states() == []
    later = NOW + 90 * DAY
    await bench.take(told(999, area="2025:02671", fresh_at=later))
    await bench.evaluate(90 * DAY)
    assert await bench.states() == [("ds.smartphone", "pending", "behind-pace")]


async def test_two_evaluations_at_once_do_the_work_of_one(bench: Bench) -> None:
    await bench.take(*(told(600, area=area) for area in (COMMUNE, PROVINCE, "2025:02671")))
    await asyncio.gather(*(bench.evaluate() for _ in range(4)))
    await bench.evaluate()
    assert await bench.states() == PENDING * 3


async def test_a_denominator_that_moves_decides_nothing_until_it_stands_still(bench: Bench) -> None:
    await fire(bench)
    later = NOW + 3 * DAY
    await bench.take(told(1900, 2000, version=3, fresh_at=later))
    await bench.evaluate()
    assert await bench.states() == [("ds.smartphone", "firing", "denominator-changed")]
    await bench.take(told(999, area="2025:02671", fresh_at=later + DAY))
    await bench.evaluate(DAY)
    assert await bench.states() == [("ds.smartphone", "resolved", "recovered")]


async def test_a_unit_that_falls_above_its_line_is_told(bench: Bench) -> None:
    await bench.take(told(9000, 10_000))
    await bench.evaluate()
    for after, numerator in ((10, 8850), (20, 8700), (30, 8550)):
        now = NOW + after * DAY
        await bench.take(told(numerator, 10_000, version=after, fresh_at=now))
        await bench.evaluate(10 * DAY)
    assert await bench.states() == [("ds.smartphone", "firing", "falling")]
    async with bench.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM courses") == 1


async def test_what_sank_while_the_source_was_silent_is_no_fall(bench: Bench) -> None:
    await bench.take(told(9000, 10_000))
    await bench.evaluate()
    await bench.take(told(8990, 10_000, version=2, fresh_at=NOW))
    await bench.evaluate(20 * DAY)
    await bench.take(told(8000, 10_000, version=3, fresh_at=NOW + 21 * DAY))
    await bench.evaluate(DAY)
    await bench.take(told(7999, 10_000, version=4, fresh_at=NOW + 29 * DAY))
    await bench.evaluate(8 * DAY)
    assert ("ds.smartphone", "pending", "falling") not in await bench.states()
