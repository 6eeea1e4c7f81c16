"""A reform of units through scoring's shard transaction: new files move counters without replay."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import asyncpg
import pytest

from contracts.areas import Areas, AreasError, load
from contracts.times import local_day
from services.chassis.clock import FixedClock
from services.scoring.care.reconciling import reconcile
from services.scoring.core.rules import Rules
from services.scoring.http.history import Histories, Span, Tree
from services.scoring.rollup import Rollup
from services.scoring.shard import Refuse, Shards
from services.scoring.units import refuse_missing_units
from tests.fakes.reform import (
    CAM_DUONG,
    HOP_THANH,
    KIM_TAN,
    LAO_CAI,
    NEW_CAM_DUONG,
    NEW_LAO_CAI,
    NGUYEN_THAI_HOC,
    PROVINCE,
    YEN_BAI,
    reformed,
    rows,
)
from tests.integration.scoring.invented import (
    CATALOGUE,
    batch,
    citizen,
    counters,
    event,
    figures,
    recount,
    registered,
    smartphone,
)

SHARDS: Final = 3
#: Noon of 30 December 2026, a minute before and a minute after midnight of the reform, in Viet Nam.
BEFORE: Final = datetime(2026, 12, 30, 5, tzinfo=UTC)
EVE: Final = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
NEW_YEAR: Final = datetime(2026, 12, 31, 17, 1, tzinfo=UTC)

#: Commune code → how many citizens live there; every third has a smartphone.
PEOPLED: Final = {"02671": 40, "02680": 30, "02647": 60, "04252": 50, "02683": 20}
ENDED: Final = {CAM_DUONG, HOP_THANH, LAO_CAI, YEN_BAI}


def province() -> dict[int, list[bytes]]:
    """What was told of each invented citizen."""
    people: dict[int, list[bytes]] = {}
    for code, count in PEOPLED.items():
        for _ in range(count):
            number = len(people) + 1
            people[number] = [registered(number, code, time="2026-11-20T01:30:00Z")]
            if number % 3 == 0:
                people[number].append(smartphone(number, time="2026-11-20T02:30:00Z"))
    return people


def moved(number: int, code: str, time: str) -> bytes:
    """A citizen's residence in a commune from a moment on."""
    subject = citizen(number)
    return event(
        "identity.residence-changed.v1", subject, {"area": code}, time=time, id=f"{subject}-{time}"
    )


def added(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Numerators and denominators of two units together."""
    return one[0] + other[0], one[1] + other[1]


class Scoring:
    """Shards and the roll-up of a process that was started with some units."""

    def __init__(self, dsn: str, pool: asyncpg.Pool, refuse: Refuse) -> None:
        self._dsn = dsn
        self.pool = pool
        self._refuse = refuse
        self._next = [0] * SHARDS
        self.told: list[bytes] = []
        self.start(load())

    def start(self, areas: Areas) -> None:
        """Start anew: nothing is left of what was in memory."""
        self.areas = areas
        self._rules = Rules(CATALOGUE, areas)
        self.shards = Shards(self.pool, self._rules, self._refuse)
        self._rollup = Rollup(areas, CATALOGUE)

    async def say(self, number: int, *values: bytes, now: datetime) -> None:
        """Something about one citizen arrives."""
        shard = number % SHARDS
        taken = await self.shards.take(shard, batch(self._next[shard], *values), now)
        assert not taken.refused
        self._next[shard] += len(values)
        self.told += values

    async def settle(self, now: datetime) -> int:
        """The daily step where it is due, and the roll-up; returns how many were evaluated."""
        today = local_day(now)
        outdated = await self.shards.outdated(range(SHARDS), today)
        evaluated = sum([await self.shards.step(shard, today) for shard in outdated])
        async with self.pool.acquire() as connection:
            await self._rollup.run(connection, now)
        return evaluated

    async def is_right(self, now: datetime) -> bool:
        """Whether counters are those of a recount from nothing, and nothing differs from its sum."""
        found = await reconcile(self._dsn, self._rules, FixedClock(now), lambda *_: None)
        assert (found.shards, found.elsewhere, found.differences) == (SHARDS, 0, 0), found
        return await counters(self.pool) == recount(self.told, now, self._rules)

    async def positions(self) -> list[int]:
        stored = await self.shards.positions(range(SHARDS))
        return [stored[shard][0] for shard in range(SHARDS)]

    async def smartphones(self) -> dict[str, tuple[int, int]]:
        """Adults with a smartphone in the figures of each unit that has any adults."""
        found = await figures(self.pool)
        return {unit: found[unit, one] for unit, one in found if one == "ds.smartphone"}


@pytest.fixture
async def scoring(database: str, pool: asyncpg.Pool, refuse: Refuse) -> Scoring:
    """A province that was counted before anybody knew of the reform."""
    line = Scoring(database, pool, refuse)
    people = province()
    for shard in range(SHARDS):
        values = [
            one for number, told in people.items() if number % SHARDS == shard for one in told
        ]
        await line.say(shard, *values, now=BEFORE)
    await line.settle(BEFORE)
    assert await line.is_right(BEFORE)
    return line


async def test_new_files_before_the_day_change_no_figure(scoring: Scoring) -> None:
    before, positions = await scoring.smartphones(), await scoring.positions()
    scoring.start(reformed())
    assert len(await scoring.shards.outdated(range(SHARDS), local_day(BEFORE))) == SHARDS
    await scoring.settle(BEFORE)
    assert await scoring.is_right(BEFORE)
    assert await scoring.smartphones() == before
    await scoring.settle(EVE)
    assert await scoring.smartphones() == before
    assert await scoring.positions() == positions


async def test_the_day_moves_counters_by_difference_without_replay(scoring: Scoring) -> None:
    before = await scoring.smartphones()
    scoring.start(reformed())
    await scoring.settle(EVE)
    positions = await scoring.positions()
    # Those who live in units that end, and nobody else.
    assert await scoring.settle(NEW_YEAR) == sum(PEOPLED.values()) - PEOPLED["02683"]
    assert await scoring.is_right(NEW_YEAR)
    assert await scoring.positions() == positions
    after = await scoring.smartphones()
    assert after[PROVINCE] == before[PROVINCE]
    assert not ENDED & after.keys()
    assert after[NEW_CAM_DUONG] == added(before[CAM_DUONG], before[HOP_THANH])
    assert after[NEW_LAO_CAI] == before[LAO_CAI]
    assert after[NGUYEN_THAI_HOC] == before[YEN_BAI]
    assert after["2025:02683"] == before["2025:02683"]
    # Nobody is due again, and nothing is left to be told.
    assert await scoring.settle(NEW_YEAR) == 0


async def test_what_was_moved_is_what_is_stored(scoring: Scoring) -> None:
    scoring.start(reformed())
    await scoring.settle(EVE)
    await scoring.settle(NEW_YEAR)
    after = await scoring.smartphones()
    scoring.start(reformed())
    # An event for each shard, so that each is read from PostgreSQL.
    for number in range(1, SHARDS + 1):
        await scoring.say(number, smartphone(number, id="again"), now=NEW_YEAR)
    await scoring.settle(NEW_YEAR)
    assert await scoring.is_right(NEW_YEAR)
    assert (await scoring.smartphones())[PROVINCE][1] == after[PROVINCE][1]


async def test_codes_are_read_as_of_the_day_of_the_event(scoring: Scoring) -> None:
    scoring.start(reformed())
    await scoring.settle(EVE)
    await scoring.settle(NEW_YEAR)
    before = await scoring.smartphones()
    now = NEW_YEAR + timedelta(days=2)
    # A late event of the year before: Xã Hợp Thành bore the code then.
    await scoring.say(901, registered(901, "02680", time="2026-12-31T16:59:59Z"), now=now)
    # One of the new year: Phường Kim Tân does.
    await scoring.say(902, registered(902, "02680", time="2026-12-31T17:00:00Z"), now=now)
    await scoring.settle(now)
    after = await scoring.smartphones()
    assert after[NEW_CAM_DUONG][1] == before[NEW_CAM_DUONG][1] + 1
    assert after[KIM_TAN] == (0, 1)
    assert await scoring.is_right(now)


async def test_residents_of_a_split_unit_go_where_later_events_say(scoring: Scoring) -> None:
    scoring.start(reformed())
    await scoring.settle(EVE)
    await scoring.settle(NEW_YEAR)
    before = await scoring.smartphones()
    now = NEW_YEAR + timedelta(days=5)
    first = PEOPLED["02671"] + PEOPLED["02680"] + 1
    residents = range(first, first + PEOPLED["02647"])
    for number in residents[::2]:
        await scoring.say(number, moved(number, "02680", "2027-01-03T01:00:00Z"), now=now)
    await scoring.settle(now)
    after = await scoring.smartphones()
    assert after[KIM_TAN][1] == len(residents[::2])
    assert added(after[KIM_TAN], after[NEW_LAO_CAI]) == before[NEW_LAO_CAI]
    assert after[PROVINCE] == before[PROVINCE]
    assert await scoring.is_right(now)


async def test_an_event_of_the_new_day_before_the_step_moves_its_subject_alone(
    scoring: Scoring,
) -> None:
    scoring.start(reformed())
    await scoring.settle(EVE)
    await scoring.say(
        3, smartphone(3, has=False, id="new-year", time="2026-12-31T17:00:30Z"), now=NEW_YEAR
    )
    counted = await counters(scoring.pool)
    assert counted[NEW_CAM_DUONG, "ds.smartphone"] == (0, 1)
    await scoring.settle(NEW_YEAR)
    assert await scoring.is_right(NEW_YEAR)


async def test_files_that_come_late_move_everybody_at_the_start(scoring: Scoring) -> None:
    now = NEW_YEAR + timedelta(days=40)
    await scoring.settle(now)
    before = await scoring.smartphones()
    scoring.start(reformed())
    await scoring.settle(now)
    after = await scoring.smartphones()
    assert after[PROVINCE] == before[PROVINCE]
    assert not ENDED & after.keys()
    assert await scoring.is_right(now)


async def test_what_came_between_the_day_and_the_files_is_not_lost(scoring: Scoring) -> None:
    now = NEW_YEAR + timedelta(days=10)
    # Ingest does not know of the reform either: to it both codes are those of before.
    await scoring.say(901, registered(901, "02671", time="2027-01-05T01:00:00Z"), now=now)
    await scoring.say(902, registered(902, "04252", time="2027-01-05T01:00:00Z"), now=now)
    await scoring.settle(now)
    before = await scoring.smartphones()
    scoring.start(reformed())
    await scoring.settle(now)
    after = await scoring.smartphones()
    assert after[PROVINCE] == before[PROVINCE]
    assert after[NEW_CAM_DUONG] == added(before[CAM_DUONG], before[HOP_THANH])
    assert after[NGUYEN_THAI_HOC] == before[YEN_BAI]
    # Read anew from the topic they are not refused either.
    assert await scoring.is_right(now)


async def test_another_heir_of_a_split_takes_the_residents_over(scoring: Scoring) -> None:
    scoring.start(reformed())
    await scoring.settle(EVE)
    await scoring.settle(NEW_YEAR)
    before = await scoring.smartphones()
    units, lineage = rows()
    scoring.start(
        Areas(
            units,
            [
                replace(one, takes_residents=not one.takes_residents)
                if one.from_area_id == LAO_CAI
                else one
                for one in lineage
            ],
        )
    )
    await scoring.settle(NEW_YEAR)
    after = await scoring.smartphones()
    assert after[KIM_TAN] == before[NEW_LAO_CAI]
    assert NEW_LAO_CAI not in after
    assert after[PROVINCE] == before[PROVINCE]
    assert await scoring.is_right(NEW_YEAR)


async def test_rows_in_another_order_mean_the_same_units(scoring: Scoring) -> None:
    before = await scoring.smartphones()
    units, lineage = rows(date(2028, 1, 1))
    scoring.start(Areas(units[::-1], lineage[::-1]))
    await scoring.settle(BEFORE)
    assert await scoring.smartphones() == before
    assert await scoring.is_right(BEFORE)


async def test_the_reform_of_2025(database: str, pool: asyncpg.Pool, refuse: Refuse) -> None:
    line = Scoring(database, pool, refuse)
    eve = datetime(2025, 6, 30, 5, tzinfo=UTC)
    old = [area for area in line.areas.on(local_day(eve)) if area.level == "commune"]
    for number, area in enumerate(old, start=1):
        told = registered(number, area.code, time="2025-06-01T01:30:00Z")
        await line.say(number, told, now=eve)
    await line.settle(eve)
    before = await line.smartphones()
    assert before["legacy:02647"] == (0, 1)
    assert before["legacy:15"][1] + before["legacy:10"][1] == 319
    now = eve + timedelta(days=1)
    assert await line.settle(now) == 319
    assert await line.is_right(now)
    after = await line.smartphones()
    assert after[PROVINCE] == (0, 319)
    assert {unit.partition(":")[0] for unit in after} == {"2025"}
    # 02647 was Phường Kim Tân and is Phường Lào Cai: its former units', and one told today.
    former = len(line.areas.former(LAO_CAI, local_day(now)))
    await line.say(1, registered(999, "02647", time="2025-07-01T01:00:00Z"), now=now)
    await line.settle(now)
    assert (await line.smartphones())[LAO_CAI] == (0, former + 1)


async def test_history_reads_as_it_was_or_carried_over_the_day(scoring: Scoring) -> None:
    before = await scoring.smartphones()
    scoring.start(reformed())
    now = NEW_YEAR + timedelta(days=1)
    for moment in (EVE, NEW_YEAR, now):
        await scoring.settle(moment)
    days = [local_day(BEFORE) + timedelta(days=count) for count in range(4)]

    async def series(area_id: str, tree: Tree) -> dict[date, tuple[int | None, int | None]]:
        answer = await Histories(scoring.pool, scoring.areas).read(
            scoring.areas[area_id],
            CATALOGUE.by_id["ds.smartphone"],
            Span(days[0], days[-1]),
            tree,
            basis=None,
            today=local_day(now),
        )
        return {point.day: (point.numerator, point.denominator) for point in answer.points}

    assert await series(PROVINCE, "then") == dict.fromkeys(days, before[PROVINCE])
    assert await series(PROVINCE, "today") == dict.fromkeys(days, before[PROVINCE])
    merged = added(before[CAM_DUONG], before[HOP_THANH])
    assert await series(CAM_DUONG, "then") == dict.fromkeys(days[:2], before[CAM_DUONG])
    assert await series(NEW_CAM_DUONG, "then") == dict.fromkeys(days[2:], merged)
    assert await series(NEW_CAM_DUONG, "today") == dict.fromkeys(days, merged)
    assert await series(NEW_LAO_CAI, "today") == dict.fromkeys(days, before[LAO_CAI])
    assert await series(NGUYEN_THAI_HOC, "today") == dict.fromkeys(days, before[YEN_BAI])
    assert await series(KIM_TAN, "today") == {}


async def test_units_that_have_figures_must_be_known_at_the_start(scoring: Scoring) -> None:
    await refuse_missing_units(scoring.pool, load())
    scoring.start(reformed())
    await scoring.settle(EVE)
    await scoring.settle(NEW_YEAR)
    await refuse_missing_units(scoring.pool, reformed())
    with pytest.raises(AreasError, match=rf"areas\.csv lacks: {NEW_LAO_CAI}, {NEW_CAM_DUONG}, "):
        await refuse_missing_units(scoring.pool, load())
