"""One message a unit: when, with what, and to whom."""

from datetime import timedelta

from tests.integration.notifier.conftest import COMMUNE, NOW, PROVINCE, Bench, mailboxes, told

DAY = timedelta(days=1)
UNIT = f"unit:{COMMUNE}"
THREE = ("ds.smartphone", "ds.fibre", "ds.health-record")


async def fire(bench: Bench, *indicators: str, area: str = COMMUNE) -> None:
    """Make these indicators fire now."""
    start = bench.clock.now()
    await bench.take(
        *(told(100, area=area, indicator=one, fresh_at=start + 3 * DAY) for one in indicators)
    )
    await bench.evaluate()
    await bench.evaluate(3 * DAY)


async def test_several_alerts_make_one_message(bench: Bench) -> None:
    await fire(bench, *THREE)
    telling = bench.telling(mailboxes(UNIT))
    await bench.tell(telling)
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 3)]


async def test_waits_for_what_fires_together(bench: Bench) -> None:
    await fire(bench, *THREE)
    telling = bench.telling(mailboxes(UNIT), group_wait=300)
    await bench.tell(telling)
    assert await bench.letters() == []
    bench.clock.advance(timedelta(minutes=5))
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 3)]


async def test_not_twice_within_the_interval(bench: Bench) -> None:
    telling = bench.telling(mailboxes(UNIT), group_interval=86_400, repeat_interval=7 * 86_400)
    await fire(bench, "ds.smartphone")
    await bench.take(told(100, indicator="ds.fibre", fresh_at=bench.clock.now()))
    await bench.evaluate()
    await bench.tell(telling)
    soon = bench.clock.now() + timedelta(hours=1)
    bench.clock.set(soon)
    async with bench.pool.acquire() as connection:
        # The second one fires an hour after the first was told.
        await connection.execute(
            "UPDATE alerts SET state = 'firing', fired_at = $1 WHERE state = 'pending'", soon
        )
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1)]
    bench.clock.advance(timedelta(hours=23))
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1), (UNIT, 2)]


async def test_reminds_after_the_repeat_interval(bench: Bench) -> None:
    await fire(bench, "ds.smartphone")
    telling = bench.telling(mailboxes(UNIT), repeat_interval=7 * 86_400)
    await bench.tell(telling)
    bench.clock.advance(7 * DAY - timedelta(seconds=1))
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1)]
    bench.clock.advance(timedelta(seconds=1))
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1), (UNIT, 1)]


async def test_stale_data_are_not_told(bench: Bench) -> None:
    await fire(bench, "ds.smartphone")
    await bench.evaluate(7 * DAY)
    await bench.tell(bench.telling(mailboxes(UNIT)))
    assert await bench.letters() == []


async def test_a_silent_source_is_told_to_operators_alone(bench: Bench) -> None:
    await bench.take(told(100))
    await bench.evaluate(4 * DAY)
    await bench.tell(bench.telling(mailboxes(UNIT, f"unit:{PROVINCE}", "operators")))
    assert await bench.letters() == [("operators", 1)]


async def test_a_unit_without_a_receiver_is_told_once_it_has_one(bench: Bench) -> None:
    await fire(bench, "ds.smartphone")
    await bench.tell(bench.telling(mailboxes()))
    assert await bench.letters() == []
    await bench.tell(bench.telling(mailboxes(UNIT)))
    assert await bench.letters() == [(UNIT, 1)]


async def test_a_replay_tells_nothing_new(bench: Bench) -> None:
    await fire(bench, *THREE)
    telling = bench.telling(mailboxes(UNIT))
    await bench.tell(telling)
    await bench.take(*(told(100, indicator=one, fresh_at=NOW) for one in THREE))
    await bench.evaluate()
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 3)]
