"""Days go by and events come late: history is what the oracle counts for each of the days.

Of each subject there is one event of a type, so that the registers know everything of the past. Over
the reform of 2025 the units of before are read as carried to those that took over.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final

import asyncpg
import pytest

from contracts.events import TYPE_PREFIX, domain_of
from contracts.sources import SOURCE_OF_DOMAIN
from contracts.times import LOCAL_ZONE
from services.scoring.core.series import Point, daily, parts
from services.scoring.rollup import Rollup
from services.scoring.shard import Shards
from tests.integration.scoring.invented import AREAS, CATALOGUE, Told, batch, paid, registered
from tests.oracle.figures import figures
from tests.oracle.territory import Territory

DAYS: Final = 12
REFORM: Final = date(2025, 7, 1)
#: Before the reform 02647 and 04252 were other units, and the others were not valid or others too.
CODES: Final = ("02647", "04252", "02680", "04456")
CODES_BEFORE: Final = ("02647", "04252", "02635", "02641", "04456")
SHARDS: Final = 2

#: (area id, indicator) → (numerator, denominator), where anybody is counted.
Counts = dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Late:
    """An event in edge form, the local day on which it happened, and the one on which it comes."""

    event: dict[str, Any]
    day: date
    comes: date

    def record(self, offset: int) -> Told:
        kind, _, identifier = self.event["subject"].partition(":")
        if kind in {"citizen", "household"}:
            identifier = hashlib.blake2b(identifier.encode(), digest_size=16).hexdigest()
        inside = self.event | {"subject": f"{kind}:{identifier}"}
        return Told(offset, json.dumps(inside).encode())


class Lives:
    """Draws the events of invented subjects."""

    def __init__(self, first: date, seed: int) -> None:
        self._first = first
        self._random = Random(seed)

    def all(self) -> list[Late]:
        found = [late for number in range(60) for late in self._citizen(number)]
        found += [late for number in range(15) for late in self._household(number)]
        found += [late for number in range(15) for late in self._organisation(number)]
        self._random.shuffle(found)
        return found

    def _citizen(self, number: int) -> Iterator[Late]:
        choose, chance = self._random.choice, self._random.random
        birth = self._first.replace(year=choose([1950, 1966, 1990, 2007, 2010, 2011]))
        birth += timedelta(days=self._random.randint(-3, DAYS + 3))
        subject = f"citizen:{number:012d}"
        born = {"birth_date": birth.isoformat(), "area": "", "party_member": True}
        yield self._late("identity.citizen-registered.v1", subject, born)
        others: list[tuple[str, dict[str, Any]]] = [
            ("identity.residence-changed.v1", {"area": ""}),
            ("identity.eid-changed.v1", {"level": 2, "activated": chance() < 0.8}),
            ("identity.e-signature-changed.v1", {"active": True}),
            ("public-service.dossier-submitted.v1", {"portal": "national", "self_service": True}),
            ("public-service.account-changed.v1", {"portal": "provincial", "active": True}),
            ("payment.account-changed.v1", {"kind": "bank", "active": True}),
            ("payment.transaction-completed.v1", {"method": "card", "purpose": "shopping"}),
            ("health.record-changed.v1", {"active": chance() < 0.8}),
            ("community.training-completed.v1", {"topic": "digital-skills"}),
            (
                "telecom.subscription-changed.v1",
                {"own_name": True, "smartphone": chance() < 0.8, "internet": True},
            ),
        ]
        if chance() < 0.1:
            others.append(("identity.citizen-departed.v1", {"reason": "died"}))
        for name, data in others:
            if chance() < 0.6:
                yield self._late(name, subject, data)

    def _household(self, number: int) -> Iterator[Late]:
        data = {"area": "", "covered": True, "subscribed": number % 2 > 0}
        yield self._late("telecom.fibre-changed.v1", f"household:ho-{number:06d}", data)
        if number % 5 == 0:
            closed = {"reason": "moved"}
            yield self._late("registry.subject-closed.v1", f"household:ho-{number:06d}", closed)

    def _organisation(self, number: int) -> Iterator[Late]:
        said = dict.fromkeys(("cashless", "platform", "e_invoice"), number % 2 > 0)
        data = {"area": "", "size": "small", "e_contract": True, **said}
        yield self._late("registry.organisation-changed.v1", f"organisation:{number:010d}", data)

    def _late(self, name: str, subject: str, data: dict[str, Any]) -> Late:
        """An event of long ago or of just now; it comes the same day or later."""
        random, last = self._random, self._first + timedelta(days=DAYS)
        back = random.choice([random.randint(0, DAYS), random.randint(0, 480)])
        day = last - timedelta(days=back)
        comes = max(day, self._first) + timedelta(days=random.choice([0, 0, 1, 2, 5]))
        moment = datetime.combine(day, time(random.randint(0, 23), 30), LOCAL_ZONE)
        if "area" in data:
            data = data | {"area": random.choice(CODES_BEFORE if day < REFORM else CODES)}
        event_type = TYPE_PREFIX + name
        event = {
            "specversion": "1.0",
            "id": f"{name}-{subject.replace(':', '-')}"[:20] + str(random.random()),
            "source": SOURCE_OF_DOMAIN[domain_of(event_type)],
            "type": event_type,
            "subject": subject,
            "time": moment.isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        return Late(event, day, min(comes, last))


class TerritoryOfReform(Territory):
    """The units of the reform, on the days before it too."""

    def __init__(self, today: date) -> None:
        super().__init__(max(today, REFORM))


def right(events: list[Late], day: date) -> Counts:
    """What the oracle counts at the end of a day."""
    known = [late.event for late in events if late.day <= day]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.oracle.figures.Territory", TerritoryOfReform)
        found = figures(known, day)
    return {
        place: (figure.numerator or 0, figure.denominator)
        for place, figure in found.items()
        if figure.basis == "events" and figure.denominator
    }


@dataclass(frozen=True)
class History:
    """What is told of each day on the units of the reform, and what is marked as restated."""

    told: dict[date, Counts]
    marked: set[tuple[date, str, str]]


async def read(pool: asyncpg.Pool, days: list[date], tree: date | None) -> History:
    stored: defaultdict[str, defaultdict[str, list[Point]]]
    stored = defaultdict(lambda: defaultdict(list))
    for row in await pool.fetch("SELECT * FROM history ORDER BY day"):
        figure = (row["numerator"], row["denominator"], row["value"])
        point = Point(row["day"], *figure, restated_at=row["restated_at"])
        stored[row["indicator"]][row["area_id"]].append(point)
    found = History({day: {} for day in days}, set())
    for unit in AREAS.on(REFORM):
        of_parts = parts(AREAS, unit, tree)
        for indicator, points in stored.items():
            for point in daily(of_parts, points, days[0], days[-1]):
                if point.denominator:
                    figures_of_day = found.told[point.day]
                    figures_of_day[unit.area_id, indicator] = (
                        point.numerator or 0,
                        point.denominator,
                    )
                if point.restated_at is not None:
                    found.marked.add((point.day, unit.area_id, indicator))
    return found


async def test_who_takes_up_late_events_after_midnight_finds_where_they_end(
    pool: asyncpg.Pool, shards: Shards
) -> None:
    """A payment of 91 days ago comes today: its 90 days ended yesterday."""
    first, registered_at = date(2026, 11, 22), "2026-01-05T08:00:00+07:00"
    today = first + timedelta(days=3)
    paid_at = f"{today - timedelta(days=91)}T08:00:00+07:00"
    rollup = Rollup(AREAS, CATALOGUE)
    for place, records in enumerate(
        [batch(0, registered(1, time=registered_at)), [], [], batch(1, paid(1, paid_at)), []]
    ):
        day = first + timedelta(days=place)
        now = datetime.combine(day, time(23, 59, 59), LOCAL_ZONE).astimezone(UTC)
        await shards.step(0, day)
        if records:
            await shards.take(0, records, now)
        if day != today:
            async with pool.acquire() as connection:
                await rollup.run(connection, now)
    rows = await pool.fetch(
        "SELECT day, numerator, restated_at IS NOT NULL AS is_restated FROM history "
        "WHERE area_id = '2025:02647' AND indicator = 'dc.3.2' ORDER BY day"
    )
    assert [tuple(row) for row in rows] == [(first, 1, True), (today, 0, False)]


@pytest.mark.parametrize(
    ("first", "down", "seed"),
    [
        (date(2026, 11, 22), range(0), 1),
        (date(2028, 2, 22), range(0), 2),
        (date(2028, 2, 22), range(3, 9), 2),
        (REFORM - timedelta(days=6), range(0), 3),
        (REFORM - timedelta(days=10), range(8, 12), 4),
    ],
)
async def test_history_is_what_the_oracle_counts(
    pool: asyncpg.Pool, shards: Shards, first: date, down: range, seed: int
) -> None:
    """`down`: the places of days on which nothing runs."""
    events, random = Lives(first, seed).all(), Random(seed)
    days = [first + timedelta(days=place) for place in range(-1, DAYS + 1)]
    rollup = Rollup(AREAS, CATALOGUE)
    offsets = [0] * SHARDS
    first_told: dict[date, Counts] = {}
    waiting: list[Late] = []
    for place, day in enumerate(days[1:]):
        now = datetime.combine(day, time(9), LOCAL_ZONE).astimezone(UTC)
        waiting += [late for late in events if late.comes == day]
        if place in down:
            continue
        # The daily step is a loop of its own: records may be quicker.
        steps_first = place - 1 not in down
        for shard in range(SHARDS if steps_first else 0):
            await shards.step(shard, day)
        while waiting:
            size = random.randint(1, 40)
            some, waiting = waiting[:size], waiting[size:]
            for shard in range(SHARDS):
                its = [one for one in some if int(one.event["subject"][-1]) % SHARDS == shard]
                records = [one.record(offset) for offset, one in enumerate(its, offsets[shard])]
                if records:
                    offsets[shard] += len(records)
                    await shards.take(shard, records, now)
            if random.random() < 0.5:
                async with pool.acquire() as connection:
                    await rollup.run(connection, now)
        for shard in range(SHARDS):
            await shards.step(shard, day)
        async with pool.acquire() as connection:
            await rollup.run(connection, now)
        first_told[day] = (await read(pool, days, REFORM)).told[day]
    history = await read(pool, days, REFORM)
    assert history.told[days[0]] == {}, "days before the first one are invented"
    for day in days[1:]:
        expected = right(events, day)
        assert history.told[day] == expected, day
        changed = {
            (day, *pair)
            for pair in expected.keys() | first_told.get(day, {}).keys()
            if expected.get(pair) != first_told.get(day, expected).get(pair)
        }
        assert changed <= history.marked
    assert history.marked
    assert all(days[0] < day < days[-1] for day, *_ in history.marked)
    # From the reform on its units read the same without anything carried; before it they were not.
    then = await read(pool, days, None)
    assert then.told == {day: told if day >= REFORM else {} for day, told in history.told.items()}
    assert await pool.fetchval("SELECT count(*) FROM corrections") == 0
