"""The comparison of catalogues on a real PostgreSQL, and what is refused."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import catalogue as room
from contracts.catalogue import Catalogue, CatalogueError, dumped, load, read
from services.chassis.clock import FixedClock
from services.chassis.settings import KafkaSettings
from services.scoring.care.differing import Difference, Differing, Share, differ
from services.scoring.care.rebuilding import Asked, rebuild
from services.scoring.care.replaying import refuse_silently
from services.scoring.core.rules import Rules
from services.scoring.shard import Shards
from services.scoring.taking_up import read_present, take_up
from tests.integration.care.conftest import Line
from tests.integration.scoring.invented import (
    NOW,
    batch,
    citizen,
    event,
    paid,
    registered,
    smartphone,
)

LAO_CAI, YEN_BAI = "2025:02647", "2025:04252"
SHIPPED = load()
NOBODY = Share(0, 0)
Form = dict[str, Any]


def told(*_: object) -> None:
    """Nobody listens."""


def changed(edit: Callable[[Form], object]) -> Catalogue:
    form = json.loads(json.dumps(dumped(SHIPPED)))
    edit(form)
    return Catalogue.model_validate(form)


def indicator(form: Form, name: str) -> Form:
    found: Form = next(one for one in form["indicators"] if one["id"] == name)
    return found


@pytest.fixture
async def filled(line: Line) -> Line:
    """Ten adults in each of two communes: some with a smartphone, some who paid 70 days ago."""
    paid_at = (NOW - timedelta(days=70)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for shard, code in ((0, "02647"), (1, "04252")):
        people = range(100 * shard, 100 * shard + 10)
        values = [
            *(registered(number, code) for number in people),
            *(smartphone(number) for number in people[:6]),
            *(paid(number, paid_at) for number in people[:4]),
        ]
        await line.shards.take(shard, batch(0, *values), NOW)
    await take_up(line.pool, SHIPPED, NOW)
    return line


async def found(line: Line, new: Catalogue) -> Differing:
    return await differ(line.dsn, new, line.rules.areas, FixedClock(NOW), told)


async def test_the_same_catalogue_changes_nothing(filled: Line) -> None:
    same = await found(filled, SHIPPED)
    assert same.present == same.new == SHIPPED.fingerprint
    assert (same.subjects, same.indicators, same.totals, same.by_unit) == (20, [], [], [])


async def test_a_shorter_window_loses_those_who_paid_before_it(filled: Line) -> None:
    new = changed(lambda form: form["conditions"]["payment-in-90-days"].update(within_days=60))
    shorter = await found(filled, new)
    assert [one.indicator for one in shorter.totals] == ["dc.3.2"]
    (total,) = shorter.totals
    assert total == Difference(
        "dc.3.2", None, Share(8, 20), Share(0, 20), gained=NOBODY, lost=Share(8, 0)
    )
    assert [(one.area_id, one.lost) for one in shorter.by_unit] == [
        (LAO_CAI, Share(4, 0)),
        (YEN_BAI, Share(4, 0)),
    ]
    assert {one.indicator for one in shorter.indicators} == {
        "dc.3.2",
        "dc.group-3",
        "dc.digital-citizen",
    }


async def test_a_new_indicator_of_known_facts_gains_its_people(filled: Line) -> None:
    new = changed(
        lambda form: form["indicators"].append(
            indicator(form, "ds.smartphone") | {"id": "ds.phones-of-all", "bit": 62}
        )
    )
    (total,) = (await found(filled, new)).totals
    assert total.indicator == "ds.phones-of-all"
    assert (total.before, total.after, total.gained) == (NOBODY, Share(12, 20), Share(12, 20))


async def test_an_indicator_that_goes_loses_its_people(filled: Line) -> None:
    new = changed(lambda form: form["indicators"].remove(indicator(form, "ds.smartphone")))
    (total,) = (await found(filled, new)).totals
    assert (total.indicator, total.after, total.lost) == ("ds.smartphone", NOBODY, Share(12, 20))


async def test_gains_and_losses_do_not_hide_each_other(filled: Line) -> None:
    """Who has no smartphone comes in for who has one."""
    new = changed(
        lambda form: indicator(form, "ds.smartphone").update(numerator={"not": "smartphone"})
    )
    total = next(
        one for one in (await found(filled, new)).totals if one.indicator == "ds.smartphone"
    )
    assert (total.before.numerator, total.after.numerator) == (12, 8)
    assert (total.gained, total.lost) == (Share(8, 0), Share(12, 0))


async def test_who_lives_elsewhere_under_the_new_rules_moves(filled: Line) -> None:
    moved = event("identity.residence-changed.v1", citizen(0), {"area": "04252"}, id="moved")
    await filled.shards.take(0, batch(20, moved), NOW)
    new = changed(lambda form: form["subjects"][0].update(area=["registration"]))
    phones = [one for one in (await found(filled, new)).by_unit if one.indicator == "ds.smartphone"]
    assert [(one.area_id, one.gained, one.lost) for one in phones] == [
        (LAO_CAI, Share(1, 1), NOBODY),
        (YEN_BAI, NOBODY, Share(1, 1)),
    ]


async def test_a_new_fact_is_told_since_it_is_empty(filled: Line) -> None:
    def edit(form: Form) -> None:
        facts = form["subjects"][0]["facts"]
        payment = next(one for one in facts if one["name"] == "payment")
        facts.append(payment | {"name": "tuition", "slot": 40, "where": {"purpose": "tuition"}})
        form["conditions"]["paid-tuition"] = {"fact": "tuition"}
        form["indicators"].append(
            indicator(form, "dc.3.2") | {"id": "dc.tuition", "bit": 62, "numerator": "paid-tuition"}
        )

    new = await found(filled, changed(edit))
    assert new.empty_facts == ["citizen/tuition"]
    (total,) = new.totals
    assert total.after == Share(0, 20)


async def test_a_fact_that_goes_can_still_be_compared(filled: Line) -> None:
    def edit(form: Form) -> None:
        facts = form["subjects"][0]["facts"]
        facts.remove(next(one for one in facts if one["name"] == "handbook"))
        form["conditions"].pop("handbook-active")
        gone = ("dc.1.6", "dc.group-1", "dc.digital-citizen")
        form["indicators"] = [one for one in form["indicators"] if one["id"] not in gone]

    totals = (await found(filled, changed(edit))).totals
    assert {one.indicator for one in totals} == {"dc.group-1", "dc.digital-citizen"}
    assert all(one.lost == Share(0, 20) for one in totals)


async def test_nothing_is_written(filled: Line) -> None:
    async def stored() -> list[Any]:
        fetch = filled.pool.fetch
        return [await fetch("SELECT * FROM shards"), await fetch("SELECT * FROM rules")]

    before = await stored()
    new = changed(lambda form: form["conditions"]["payment-in-90-days"].update(within_days=60))
    await found(filled, new)
    assert await stored() == before


async def test_a_catalogue_that_misreads_what_is_stored_is_refused(filled: Line) -> None:
    """Also one that was taken up before the present one."""
    without = changed(lambda form: form["indicators"].remove(indicator(form, "ds.smartphone")))
    await take_up(filled.pool, without, NOW + timedelta(hours=1))
    new = changed(lambda form: indicator(form, "ds.smartphone").update(id="ds.telephone"))
    for refused in (found(filled, new), take_up(filled.pool, new, NOW)):
        with pytest.raises(
            CatalogueError, match=r"bit 15 is ds\.telephone, and was ds\.smartphone"
        ):
            await refused


async def test_the_catalogue_taken_up_last_is_the_present_one(filled: Line) -> None:
    other = changed(lambda form: form["conditions"]["payment-in-90-days"].update(within_days=60))
    async with filled.pool.acquire() as connection:
        assert await read_present(connection) == SHIPPED
        await take_up(filled.pool, other, NOW + timedelta(hours=1))
        assert await read_present(connection) == other
        # Back again, with another target: the same rules of counting.
        worded = changed(lambda form: indicator(form, "dc.1.1").update(targets={"2030": 99}))
        await take_up(filled.pool, worded, NOW + timedelta(hours=2))
        assert await read_present(connection) == worded
        assert await filled.pool.fetchval("SELECT count(*) FROM rules") == 2


async def test_without_a_catalogue_of_before_there_is_nothing_to_compare(line: Line) -> None:
    with pytest.raises(CatalogueError, match="start it first"):
        await found(line, SHIPPED)


def test_a_folder_is_read_as_the_services_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(Path(room.__file__).parent, folder)
    rules = yaml.safe_load((folder / "rules.yaml").read_text(encoding="utf-8"))
    rules["conditions"]["payment-in-90-days"]["within_days"] = 60
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules, allow_unicode=True), "utf-8")
    edited = changed(lambda form: form["conditions"]["payment-in-90-days"].update(within_days=60))
    assert read(folder) == edited


async def test_what_is_told_is_what_comes(filled: Line) -> None:
    """Every difference that was told is found in the counters once the rules are taken up."""

    def edit(form: Form) -> None:
        form["conditions"]["payment-in-90-days"].update(within_days=60)
        form["conditions"]["aged-15"].update(age={"from": 37})
        form["indicators"].append(
            indicator(form, "ds.smartphone") | {"id": "ds.phones-of-all", "bit": 62}
        )
        indicator(form, "ds.smartphone").update(numerator={"not": "smartphone"})

    new = changed(edit)
    told_of = await found(filled, new)
    shards = Shards(filled.pool, Rules(new, filled.rules.areas), refuse_silently)
    for shard in (0, 1):
        await shards.step(shard, NOW.date())
    bits = {one.id: one.bit or 0 for one in new.counted}
    counted = {
        (row["area_id"], bit): Share(row["numerators"][bit], row["denominators"][bit])
        for row in await filled.pool.fetch("SELECT * FROM counters")
        for bit in range(len(row["denominators"]))
    }
    assert {one.indicator for one in told_of.totals} >= {"dc.3.2", "ds.phones-of-all", "dc.1.1"}
    for one in told_of.by_unit:
        assert counted[one.area_id or "", bits[one.indicator]] == one.after


async def test_a_rebuild_fills_a_new_fact_from_the_topic(line: Line) -> None:
    def edit(form: Form) -> None:
        facts = form["subjects"][0]["facts"]
        payment = next(one for one in facts if one["name"] == "payment")
        facts.append(payment | {"name": "fee", "slot": 40, "where": {"purpose": "fee"}})
        form["conditions"]["paid-a-fee"] = {"fact": "fee"}
        form["indicators"].append(
            indicator(form, "dc.3.2") | {"id": "dc.fee", "bit": 62, "numerator": "paid-a-fee"}
        )

    for number in range(4):
        await line.take(0, registered(number), paid(number, "2026-10-01T08:00:00Z"))
    rules = Rules(changed(edit), line.rules.areas)
    await Shards(line.pool, rules, refuse_silently).step(0, NOW.date())
    fees = "SELECT numerators[63], denominators[63] FROM counters"
    assert tuple(await line.pool.fetchrow(fees)) in {(0, 4), (None, 4)}
    done = await rebuild(
        Asked(KafkaSettings(bootstrap_servers=line.kafka), line.dsn), rules, FixedClock(NOW), told
    )
    assert [one.indicator for one in done.differences] == ["dc.fee"]
    assert tuple(await line.pool.fetchrow(fees)) == (4, 4)
