"""The outbox on a real Kafka: a version is told once, and again under the same id after a crash."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from joserfc.jwk import ECKey

from contracts.rejected import RejectedEvent, unseal
from contracts.topics import INDICATOR_EVENTS, REJECTED_EVENTS
from contracts.updates import IndicatorUpdated
from services.scoring.publishing import Publisher
from services.scoring.rollup import Rollup
from services.scoring.shard import Shards
from tests.integration.scoring.invented import (
    AREAS,
    CATALOGUE,
    NOW,
    batch,
    registered,
    reported,
    smartphone,
)
from tests.integration.scoring.on_kafka import fresh_topics, read

FIGURE = ("numerator", "denominator", "value")
LAO_CAI, PROVINCE = "2025:02647", "2025:15"


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
    kafka: str, shards: Shards, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    rollup = Rollup(AREAS)
    await shards.take(0, batch(0, registered(1)), NOW)
    count = await rollup.run(leader, NOW)
    assert await publisher.tell_figures(leader) == count
    assert await publisher.tell_figures(leader) == 0
    await shards.take(0, batch(1, smartphone(1)), NOW)
    more = await rollup.run(leader, NOW + timedelta(seconds=1))
    assert await publisher.tell_figures(leader) == more

    events = await told(kafka, count + more)
    assert len({event.id for event in events}) == len(events) == count + more
    first, second = about(events, PROVINCE, "ds.smartphone")
    assert (first.id, second.id) == (
        "2025:15/ds.smartphone/events/1",
        "2025:15/ds.smartphone/events/2",
    )
    assert first.data.model_dump(include={*FIGURE}) == dict(zip(FIGURE, (0, 1, 0), strict=True))
    assert second.data.model_dump(include={*FIGURE}) == dict(zip(FIGURE, (1, 1, 100), strict=True))
    assert second.time == NOW + timedelta(seconds=1)


async def test_after_a_crash_before_the_mark_it_is_told_again_under_the_same_id(
    kafka: str, shards: Shards, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    await shards.take(0, batch(0, registered(1)), NOW)
    count = await Rollup(AREAS).run(leader, NOW)
    transaction = leader.transaction()
    await transaction.start()
    await publisher.tell_figures(leader)
    await transaction.rollback()
    assert await publisher.tell_figures(leader) == count
    events = await told(kafka, 2 * count)
    one, other = about(events, LAO_CAI, "ds.smartphone")
    assert one == other


async def test_a_change_while_telling_is_told_next(
    shards: Shards, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    """The mark is of the version that was sent, not of the one that stands by then."""
    await shards.take(0, batch(0, registered(1)), NOW)
    await Rollup(AREAS).run(leader, NOW)
    sent = leader.fetch

    async def sent_and_then_changed(query: str, *arguments: Any) -> Any:
        rows = await sent(query, *arguments)
        if "published_version" in query:
            await leader.execute(
                "UPDATE figures SET version = version + 1 WHERE indicator = 'dc.1.1'"
            )
        return rows

    class Changing:
        """A connection on which figures change as soon as they are read."""

        fetch = staticmethod(sent_and_then_changed)
        execute = staticmethod(leader.execute)

    await publisher.tell_figures(Changing())
    untold = await leader.fetch("SELECT * FROM figures WHERE version > published_version")
    assert {row["indicator"] for row in untold} == {"dc.1.1"}


async def test_fresh_at_is_of_the_feed_that_has_been_silent_longest(
    kafka: str, shards: Shards, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    await shards.take(0, batch(0, registered(1)), NOW)
    await shards.take(0, batch(1, smartphone(1)), NOW + timedelta(minutes=1))
    count = await Rollup(AREAS).run(leader, NOW)
    await publisher.tell_figures(leader)
    events = await told(kafka, count)

    def fresh_at(indicator: str) -> object:
        return about(events, LAO_CAI, indicator)[0].data.fresh_at

    assert fresh_at("dc.1.2") == NOW
    assert fresh_at("dc.1.1") == NOW + timedelta(minutes=1)
    # Group 1 also hangs on payments, which nobody has ever sent.
    assert fresh_at("dc.group-1") is None


async def test_reports_are_told_with_their_period_and_add_up(
    kafka: str, shards: Shards, publisher: Publisher, leader: asyncpg.Connection
) -> None:
    values = [
        reported("area:2025:02647", "dt.gov.1", "2026-Q3", numerator=1, denominator=3),
        reported("area:2025:04252", "dt.gov.1", "2026-Q3", numerator=1, denominator=3),
        reported("agency:so-a", "dt.eco.2", "2026", value=150.25),
    ]
    await shards.take(0, batch(0, *values), NOW)
    count = await Rollup(AREAS).run(leader, NOW)
    assert count == 4
    await publisher.tell_figures(leader)
    events = await told(kafka, count)
    share = about(events, PROVINCE, "dt.gov.1")[0].data
    assert (share.basis, share.numerator, share.denominator) == ("reported", 2, 6)
    assert (str(share.value), share.period) == ("33.33", "2026-Q3")
    quantity = about(events, PROVINCE, "dt.eco.2")[0].data
    assert (quantity.numerator, quantity.denominator, str(quantity.value)) == (None, None, "150.25")


async def test_refusals_are_told_and_then_forgotten(
    kafka: str,
    shards: Shards,
    publisher: Publisher,
    leader: asyncpg.Connection,
    private_key: ECKey,
) -> None:
    await shards.take(2, batch(0, b"{", registered(1), b"[]"), NOW)
    assert await publisher.tell_refusals(leader) == 2
    assert await publisher.tell_refusals(leader) == 0
    assert await leader.fetchval("SELECT count(*) FROM refusals") == 0
    records = await read(kafka, REJECTED_EVENTS, 2)
    kept = [RejectedEvent.model_validate_json(record.value or b"") for record in records]
    assert {record.key for record in records} == {b"unknown"}
    assert [one.stage for one in kept] == ["scoring", "scoring"]
    assert {unseal(private_key, one.sealed) for one in kept} == {b"{", b"[]"}
