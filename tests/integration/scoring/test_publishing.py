"""The outbox on a real Kafka: a version is told once, and again under the same id after a crash."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from contracts.topics import INDICATOR_EVENTS, REJECTED_EVENTS
from contracts.updates import IndicatorUpdated
from services.scoring import publishing
from services.scoring.publishing import Publisher
from services.scoring.rollup import Rollup
from tests.integration.scoring.counted import LAO_CAI, PROVINCE, YEN_BAI, Shard, heard, report
from tests.integration.scoring.invented import AREAS, CATALOGUE, NOW, Counts
from tests.integration.scoring.on_kafka import fresh_topics, read

SMARTPHONE = "ds.smartphone"
FIGURE = ("numerator", "denominator", "value")
#: One adult in Phường Lào Cai, of whom two indicators speak.
ONE: Counts = {(LAO_CAI, SMARTPHONE): (0, 1), (LAO_CAI, "dc.1.1"): (0, 1)}
UNTOLD = (
    "SELECT area_id, indicator FROM figures "
    "WHERE round > (SELECT round FROM rounds WHERE step = 'told')"
)


@pytest.fixture
async def publisher(kafka: str) -> AsyncIterator[Publisher]:
    await fresh_topics(kafka, 3)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    await producer.start()
    yield Publisher(producer, CATALOGUE)
    await producer.stop()


@pytest.fixture
async def leader(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    async with pool.acquire() as connection:
        yield connection


async def told(kafka: str, count: int) -> list[IndicatorUpdated]:
    records = await read(kafka, INDICATOR_EVENTS, count)
    events = []
    for record in records:
        event = IndicatorUpdated.model_validate_json(record.value or b"")
        assert record.key == event.data.area.encode()
        assert dict(record.headers) == {"content-type": b"application/cloudevents+json"}
        events.append(event)
    return events


def about(events: list[IndicatorUpdated], area: str, indicator: str) -> list[IndicatorUpdated]:
    return [one for one in events if (one.data.area, one.data.indicator) == (area, indicator)]


async def test_each_version_is_told_once(
    kafka: str, pool: asyncpg.Pool, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    rollup, shard = Rollup(AREAS, CATALOGUE), Shard(pool, 0)
    await shard.add(ONE)
    assert await rollup.run(leader, NOW) == 4
    assert await publisher.tell_figures(leader) == 4
    assert await publisher.tell_figures(leader) == 0
    await shard.add({(LAO_CAI, SMARTPHONE): (1, 0)})
    assert await rollup.run(leader, NOW + timedelta(seconds=1)) == 2
    assert await publisher.tell_figures(leader) == 2
    assert await leader.fetch(UNTOLD) == []

    events = await told(kafka, 6)
    assert len({event.id for event in events}) == len(events) == 6
    first, second = about(events, PROVINCE, SMARTPHONE)
    assert (first.id, second.id) == (
        "2025:15/ds.smartphone/events/1",
        "2025:15/ds.smartphone/events/2",
    )
    assert first.data.model_dump(include={*FIGURE}) == dict(zip(FIGURE, (0, 1, 0), strict=True))
    assert second.data.model_dump(include={*FIGURE}) == dict(zip(FIGURE, (1, 1, 100), strict=True))
    assert second.time == NOW + timedelta(seconds=1)


async def test_between_two_rounds_the_latest_version_is_told(
    kafka: str, pool: asyncpg.Pool, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    rollup, shard = Rollup(AREAS, CATALOGUE), Shard(pool, 0)
    for _ in range(3):
        await shard.add({(LAO_CAI, SMARTPHONE): (0, 1)})
        await rollup.run(leader, NOW)
    assert await publisher.tell_figures(leader) == 2
    assert {event.data.version for event in await told(kafka, 2)} == {3}


async def test_figures_are_told_page_by_page_where_the_producer_would_send_them(
    kafka: str,
    pool: asyncpg.Pool,
    publisher: Publisher,
    leader: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "PAGE", 7)
    monkeypatch.setattr(publishing, "_TURN", 2)
    communes = [area.area_id for area in AREAS if area.parent_id == PROVINCE]
    indicators = [one.id for one in CATALOGUE.counted]
    await Shard(pool, 0).add({(area, one): (1, 2) for area in communes for one in indicators})
    count = await Rollup(AREAS, CATALOGUE).run(leader, NOW)
    assert count > 4_000
    assert await publisher.tell_figures(leader) == count
    assert await publisher.tell_figures(leader) == 0

    records = await read(kafka, INDICATOR_EVENTS, count)
    assert len({IndicatorUpdated.model_validate_json(one.value or b"").id for one in records}) == (
        len(records)
    )
    places = {record.key: record.partition for record in records}
    assert set(places.values()) == {0, 1, 2}
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        sent = {key: await producer.send_and_wait(INDICATOR_EVENTS, b"{}", key) for key in places}
    finally:
        await producer.stop()
    assert {key: one.partition for key, one in sent.items()} == places


async def test_after_a_crash_before_the_mark_it_is_told_again_under_the_same_id(
    kafka: str, pool: asyncpg.Pool, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    await Shard(pool, 0).add(ONE)
    count = await Rollup(AREAS, CATALOGUE).run(leader, NOW)
    transaction = leader.transaction()
    await transaction.start()
    await publisher.tell_figures(leader)
    await transaction.rollback()
    assert await publisher.tell_figures(leader) == count
    events = await told(kafka, 2 * count)
    one, other = about(events, LAO_CAI, SMARTPHONE)
    assert one == other


async def test_what_the_broker_has_not_acknowledged_is_not_marked(
    pool: asyncpg.Pool,
    publisher: Publisher,
    leader: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send = publisher._producer.send_batch
    sent: list[int] = []

    async def sent_or_lost(batch: Any, topic: str, *, partition: int) -> Any:
        """The first batch arrives; of the second nobody hears again."""
        sent.append(partition)
        if len(sent) == 1:
            return await send(batch, topic, partition=partition)
        lost = asyncio.get_running_loop().create_future()
        lost.set_exception(KafkaTimeoutError())
        return lost

    # Two units on two partitions.
    await Shard(pool, 0).add({(LAO_CAI, SMARTPHONE): (0, 1)})
    count = await Rollup(AREAS, CATALOGUE).run(leader, NOW)
    monkeypatch.setattr(publisher._producer, "send_batch", sent_or_lost)
    with pytest.raises(KafkaTimeoutError):
        await publisher.tell_figures(leader)
    assert len(sent) == len(set(sent)) == count == 2
    assert len(await leader.fetch(UNTOLD)) == count
    monkeypatch.undo()
    assert await publisher.tell_figures(leader) == count


async def test_a_change_while_telling_is_told_next(
    pool: asyncpg.Pool, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    """The mark is of the round that there was at the beginning."""
    rollup, shard = Rollup(AREAS, CATALOGUE), Shard(pool, 0)
    await shard.add(ONE)
    await rollup.run(leader, NOW)

    class Changing:
        """A connection on which figures change as soon as they are read."""

        fetchrow = staticmethod(leader.fetchrow)
        execute = staticmethod(leader.execute)

        @staticmethod
        async def fetch(query: str, *arguments: Any) -> Any:
            rows = await leader.fetch(query, *arguments)
            if "FROM figures" in query:
                await shard.add({(LAO_CAI, "dc.1.1"): (1, 1)})
                await rollup.run(leader, NOW)
            return rows

    await publisher.tell_figures(Changing())
    assert {row["indicator"] for row in await leader.fetch(UNTOLD)} == {"dc.1.1"}
    assert await publisher.tell_figures(leader) == 2


async def test_fresh_at_is_of_the_feed_that_has_been_silent_longest(
    kafka: str, pool: asyncpg.Pool, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    later = NOW + timedelta(minutes=1)
    await heard(pool, {"identity": NOW, "telecom": later})
    await Shard(pool, 0).add({(LAO_CAI, one): (0, 1) for one in ("dc.1.1", "dc.1.2", "dc.group-1")})
    count = await Rollup(AREAS, CATALOGUE).run(leader, NOW)
    await publisher.tell_figures(leader)
    events = await told(kafka, count)

    def fresh_at(indicator: str) -> object:
        return about(events, LAO_CAI, indicator)[0].data.fresh_at

    assert fresh_at("dc.1.2") == NOW
    assert fresh_at("dc.1.1") == later
    # Group 1 also hangs on payments, which nobody has ever sent.
    assert fresh_at("dc.group-1") is None


async def test_reports_are_told_with_their_period_and_add_up(
    kafka: str, pool: asyncpg.Pool, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    for area in (LAO_CAI, YEN_BAI):
        await report(pool, f"area:{area}", "dt.gov.1", "2026-Q3", numerator=1, denominator=3)
    await report(pool, "agency:so-a", "dt.eco.2", "2026", value=150.25)
    count = await Rollup(AREAS, CATALOGUE).run(leader, NOW)
    assert count == 4
    await publisher.tell_figures(leader)
    events = await told(kafka, count)
    share = about(events, PROVINCE, "dt.gov.1")[0].data
    assert (share.basis, share.numerator, share.denominator) == ("reported", 2, 6)
    assert (str(share.value), share.period) == ("33.33", "2026-Q3")
    quantity = about(events, PROVINCE, "dt.eco.2")[0].data
    assert (quantity.numerator, quantity.denominator, str(quantity.value)) == (None, None, "150.25")


async def test_refusals_are_told_and_then_forgotten(
    kafka: str, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    for offset, record in enumerate(("{}", "[]")):
        await leader.execute("INSERT INTO refusals VALUES (2, $1, 'unknown', $2)", offset, record)
    assert await publisher.tell_refusals(leader) == 2
    assert await publisher.tell_refusals(leader) == 0
    assert await leader.fetchval("SELECT count(*) FROM refusals") == 0
    records = await read(kafka, REJECTED_EVENTS, 2)
    assert {(record.key, record.value) for record in records} == {
        (b"unknown", b"{}"),
        (b"unknown", b"[]"),
    }
