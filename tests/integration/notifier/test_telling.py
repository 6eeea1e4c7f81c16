"""One message a unit: when, with what, and to whom."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from contracts import holidays
from contracts.times import local_day
from services.notifier.core.acknowledgement import Acknowledgement
from services.notifier.core.letter import Letter
from services.notifier.core.matching import Matcher
from services.notifier.core.quiet import OfficeHours
from services.notifier.core.route import Route
from services.notifier.core.schedule import Policy
from services.notifier.core.silence import Silence
from services.notifier.core.title import Title
from services.notifier.links import Links
from services.notifier.pipeline.promising import Promising
from services.notifier.pipeline.telling import Telling
from services.notifier.receivers.email.rendering import as_text
from services.notifier.routing import Routing
from services.notifier.stationery import Stationery
from services.notifier.store import alerts, works
from services.notifier.store.alerts import Search
from tests.integration.notifier.conftest import COMMUNE, NOW, PROVINCE, Bench, mailboxes, told

DAY = timedelta(days=1)
UNIT = f"unit:{COMMUNE}"
OTHER = "2025:02671"
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


async def test_the_interval_outlives_a_restart_and_the_alert_that_was_told(bench: Bench) -> None:
    receivers = mailboxes(UNIT)
    await fire(bench, "ds.smartphone")
    await bench.tell(bench.telling(receivers, group_interval=86_400, repeat_interval=7 * 86_400))
    told_at = bench.clock.now()
    await bench.take(told(1000, version=2, fresh_at=told_at + 3 * DAY))
    await bench.evaluate()
    await fire(bench, "ds.fibre")
    bench.clock.set(told_at + timedelta(hours=23))
    async with bench.pool.acquire() as connection:
        await connection.execute(
            "UPDATE alerts SET fired_at = $1 WHERE state = 'firing'", bench.clock.now()
        )
    started_anew = bench.telling(receivers, group_interval=86_400, repeat_interval=7 * 86_400)
    await bench.tell(started_anew)
    assert await bench.letters() == [(UNIT, 1)]
    bench.clock.advance(timedelta(hours=1))
    await bench.tell(started_anew)
    assert await bench.letters() == [(UNIT, 1), (UNIT, 1)]


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


async def test_a_lag_of_the_province_hushes_lesser_ones_below(bench: Bench) -> None:
    await fire(bench, "ds.smartphone", area=PROVINCE)
    async with bench.pool.acquire() as connection:
        await connection.execute("UPDATE alerts SET severity = 'critical'")
    await fire(bench, "ds.smartphone", "ds.fibre")
    async with bench.pool.acquire() as connection:
        await connection.execute("UPDATE alerts SET severity = 'info' WHERE area = $1", COMMUNE)
    await bench.tell(bench.telling(mailboxes(UNIT)))
    # The other indicator is told; the gauge says what became of the hushed one.
    assert await bench.letters() == [(UNIT, 1)]
    held = bench.metrics.alerts_held.labels("higher-lags")
    (family,) = held.collect()
    assert family.samples[0].value == 1


async def test_a_silence_holds_alerts_back_until_it_ends(bench: Bench) -> None:
    await fire(bench, "ds.smartphone")
    now = bench.clock.now()
    silence = Silence(
        id=UUID(int=7),
        area=PROVINCE,
        indicator=None,
        indicator_set="digital-society",
        severity=None,
        starts_at=now,
        ends_at=now + DAY,
        comment="Bão số 12",
        created_at=now,
        created_by="operator",
    )
    async with bench.pool.acquire() as connection:
        await works.add_silence(connection, silence)
    telling = bench.telling(mailboxes(UNIT))
    await bench.tell(telling)
    assert await bench.letters() == []
    bench.clock.advance(DAY)
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1)]


async def test_a_promise_is_kept_quiet_and_a_broken_one_told_anew(bench: Bench) -> None:
    await fire(bench, "ds.smartphone")
    telling = bench.telling(mailboxes(UNIT), repeat_interval=3600)
    await bench.tell(telling)
    now = bench.clock.now()
    async with bench.pool.acquire() as connection:
        (alert,), _ = await alerts.search(connection, Search())
        said = Acknowledgement("Mở lớp", local_day(now + 2 * DAY), now, UNIT)
        await works.acknowledge(connection, alert.id, said)
    promising = Promising(bench.pool, bench.metrics)
    told: list[int] = []
    for _ in range(6):
        bench.clock.advance(DAY / 2)
        await promising.step(bench.clock.now())
        await bench.tell(telling)
        told.append(len(await bench.letters()))
    assert told == [1, 1, 1, 1, 1, 2]
    async with bench.pool.acquire() as connection:
        text = await connection.fetchval("SELECT letter FROM messages ORDER BY written_at DESC")
    letter = Letter.model_validate_json(text)
    assert [one.reason for one in letter.alerts] == ["promise-broken"]
    promised = local_day(now + 2 * DAY)
    assert [one.promised_on for one in letter.alerts] == [promised]
    assert f"Quá hẹn ngày {promised:%d/%m/%Y}" in letter.subject
    assert letter.contact is not None


async def test_who_does_not_answer_is_told_of_above_once(bench: Bench) -> None:
    await fire(bench, "ds.smartphone", "ds.fibre")
    route = Route(Policy(timedelta(0), DAY, 30 * DAY), escalate_after=5 * DAY)
    above = f"unit:{PROVINCE}"
    telling = Telling(
        bench.pool, bench.domain, mailboxes(UNIT, above), Routing(route, None), bench.metrics
    )
    found: list[int] = []
    for _ in range(8):
        await bench.tell(telling)
        found.append(len(await bench.letters()))
        bench.clock.advance(DAY)
    assert found == [1, 1, 1, 1, 1, 2, 2, 2]
    assert await bench.letters() == [(UNIT, 2), (above, 2)]
    async with bench.pool.acquire() as connection:
        text = await connection.fetchval("SELECT letter FROM messages WHERE audience = $1", above)
        done = await connection.fetch("SELECT work, done_by, note FROM works")
    letter = json.loads(text)
    # It says whose alerts they are, and whom it goes to.
    assert (letter["area"], letter["area_name"]) == (COMMUNE, "Phường Lào Cai")
    assert letter["addressee"] == "Ủy ban nhân dân tỉnh Lào Cai"
    assert [tuple(row) for row in done] == [("escalated", "notifier", above)] * 2


async def test_several_units_that_do_not_answer_are_one_letter_above(bench: Bench) -> None:
    other = "2025:02671"
    await fire(bench, "ds.smartphone")
    await fire(bench, "ds.smartphone", "ds.fibre", area=other)
    route = Route(Policy(timedelta(0), DAY, 30 * DAY), escalate_after=5 * DAY)
    above = f"unit:{PROVINCE}"
    receivers = mailboxes(UNIT, f"unit:{other}", above)
    telling = Telling(bench.pool, bench.domain, receivers, Routing(route, None), bench.metrics)
    for _ in range(8):
        await bench.tell(telling)
        bench.clock.advance(DAY)
    assert [one for one in await bench.letters() if one[0] == above] == [(above, 3)]
    async with bench.pool.acquire() as connection:
        text = await connection.fetchval("SELECT letter FROM messages WHERE audience = $1", above)
    letter = Letter.model_validate_json(text)
    assert {area: len(some) for area, some in letter.units.items()} == {COMMUNE: 1, other: 2}
    # It puts off no letter about the province itself, and is not the last of those.
    await fire(bench, "ds.smartphone", area=PROVINCE)
    await bench.tell(telling)
    assert [one for one in await bench.letters() if one[0] == above] == [(above, 3), (above, 1)]
    async with bench.pool.acquire() as connection:
        text = await connection.fetchval(
            "SELECT letter FROM messages WHERE audience = $1 ORDER BY written_at DESC", above
        )
    assert Letter.model_validate_json(text).recovered == ()


def to_group(**changes: timedelta) -> Routing:
    """Communes are told of to a group as well."""
    policy = replace(Policy(timedelta(0), DAY, 7 * DAY), **changes)
    group = Route(policy, Matcher(levels=frozenset({"commune"})), to="group:so", goes_on=True)
    return Routing(Route(policy, branches=(group, Route(policy))), None)


async def letter_to(bench: Bench, audience: str) -> Letter:
    """The last letter to an audience."""
    async with bench.pool.acquire() as connection:
        text = await connection.fetchval(
            "SELECT letter FROM messages WHERE audience = $1 ORDER BY written_at DESC", audience
        )
    return Letter.model_validate_json(text)


async def test_a_group_gets_one_letter_about_all_units(bench: Bench) -> None:
    await fire(bench, "ds.smartphone")
    await fire(bench, "ds.smartphone", "ds.fibre", area=OTHER)
    receivers = mailboxes(UNIT, "group:so")
    stationery = Stationery(Links(dashboard_url="https://nhipso.example.vn"))
    telling = Telling(
        bench.pool, bench.domain, receivers, to_group(), bench.metrics, stationery=stationery
    )
    for _ in range(2):
        await bench.tell(telling)
        assert sorted(await bench.letters()) == [("group:so", 3), (UNIT, 1)]
    letter = await letter_to(bench, "group:so")
    assert {area: len(some) for area, some in letter.units.items()} == {COMMUNE: 1, OTHER: 2}
    assert (letter.area, letter.page_url) == (
        PROVINCE,
        f"https://nhipso.example.vn/areas/{PROVINCE}",
    )
    # The next says what changed: one unit came, one has caught up.
    at = bench.clock.now()
    await bench.take(told(1000, version=2, at=at, fresh_at=at + 9 * DAY))
    await bench.evaluate()
    await fire(bench, "ds.smartphone", area="2025:02680")
    await bench.tell(telling)
    letter = await letter_to(bench, "group:so")
    assert set(letter.units) == {OTHER, "2025:02680"}
    assert letter.since is not None
    assert letter.since.new == ("2025:02680",)
    assert [one.area for one in letter.since.recovered] == [COMMUNE]
    assert all(one.before is not None for one in letter.units[OTHER])


async def test_a_group_that_hears_of_one_unit_gets_the_whole_letter(bench: Bench) -> None:
    await fire(bench, "ds.smartphone")
    receivers = mailboxes("group:so")
    await bench.tell(Telling(bench.pool, bench.domain, receivers, to_group(), bench.metrics))
    letter = await letter_to(bench, "group:so")
    assert (letter.area, dict(letter.units), letter.addressee) == (COMMUNE, {}, "so")
    assert letter.alerts[0].trend is not None


async def test_a_group_is_addressed_by_its_title_about_one_unit_or_many(bench: Bench) -> None:
    title = Title(vi="Sở Khoa học và Công nghệ tỉnh Lào Cai", en="Department of Science")
    receivers = mailboxes("group:so", titles={"group:so": title})
    telling = Telling(
        bench.pool, bench.domain, receivers, to_group(group_interval=timedelta(0)), bench.metrics
    )
    await fire(bench, "ds.smartphone")
    await bench.tell(telling)
    one = await letter_to(bench, "group:so")
    await fire(bench, "ds.smartphone", area=OTHER)
    await bench.tell(telling)
    many = await letter_to(bench, "group:so")
    assert (len(one.units), len(many.units)) == (0, 2)
    for letter in (one, many):
        assert as_text(letter).startswith("Kính gửi: Sở Khoa học và Công nghệ tỉnh Lào Cai")
        assert as_text(letter, "en").startswith("To: Department of Science")
        assert "group:so" not in as_text(letter)


async def test_a_unit_may_be_addressed_by_a_title_too(bench: Bench) -> None:
    office = Title(vi="Phòng Văn hóa – Xã hội phường Lào Cai")
    receivers = mailboxes(UNIT, titles={UNIT: office})
    await fire(bench, "ds.smartphone")
    await bench.tell(Telling(bench.pool, bench.domain, receivers, to_group(), bench.metrics))
    letter = await letter_to(bench, UNIT)
    assert "Đề nghị Phòng Văn hóa – Xã hội phường Lào Cai xem xét" in as_text(letter)
    # There is no title in English: the same is read there.
    assert as_text(letter, "en").startswith("To: Phòng Văn hóa – Xã hội phường Lào Cai")


async def test_two_processes_tell_a_group_once(bench: Bench) -> None:
    await fire(bench, *THREE)
    await fire(bench, *THREE, area=OTHER)
    receivers = mailboxes("group:so")
    both = [
        Telling(bench.pool, bench.domain, receivers, to_group(), bench.metrics) for _ in range(2)
    ]
    for _ in range(2):
        await asyncio.gather(*(bench.tell(one) for one in both))
    assert await bench.letters() == [("group:so", 6)]


async def test_operators_are_told_when_a_source_was_heard(bench: Bench) -> None:
    heard = bench.clock.now()
    await bench.take(told(100, fresh_at=heard))
    await bench.evaluate(4 * DAY)
    domain = replace(bench.domain, longest_silence=lambda _: 3 * DAY)
    receivers = mailboxes("operators")
    await bench.tell(
        Telling(bench.pool, domain, receivers, to_group(), bench.metrics, stationery=Stationery())
    )
    (one,) = (await letter_to(bench, "operators")).sources
    assert (one.heard_at, one.silent_after) == (heard, 3 * 24 * 3600)


async def test_nobody_is_told_in_the_evening(bench: Bench) -> None:
    await fire(bench, "ds.smartphone")
    days_off = holidays.load()
    hours = OfficeHours(
        time(7, 30),
        time(17),
        frozenset({1, 2, 3, 4, 5}),
        days_off.is_holiday,
        days_off.is_made_up,
    )
    routing = Routing(Route(Policy(timedelta(0), DAY, 7 * DAY)), hours)
    telling = Telling(bench.pool, bench.domain, mailboxes(UNIT), routing, bench.metrics)
    # Wednesday, the 25th.
    bench.clock.set(datetime(2026, 11, 25, 10, 0, tzinfo=UTC))
    await bench.tell(telling)
    assert await bench.letters() == []
    bench.clock.set(datetime(2026, 11, 26, 0, 30, tzinfo=UTC))
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1)]


async def test_two_processes_write_each_letter_once(bench: Bench) -> None:
    await fire(bench, *THREE)
    await fire(bench, *THREE, area="2025:02671")
    receivers = mailboxes(UNIT, "unit:2025:02671")
    both = [bench.telling(receivers), bench.telling(receivers)]
    for _ in range(2):
        await asyncio.gather(*(bench.tell(one) for one in both))
    assert sorted(await bench.letters()) == [(UNIT, 3), ("unit:2025:02671", 3)]
