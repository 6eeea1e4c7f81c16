"""The consumer on a real Kafka and PostgreSQL: gaps, rebalances, lost connections, bad records."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from services.chassis.batches import broker_of
from services.chassis.clock import FixedClock
from services.chassis.database import is_transient
from services.chassis.settings import KafkaSettings
from services.scoring.consumer import Consumer, _Sought
from services.scoring.metrics import Metrics
from services.scoring.settings import ScoringSettings
from services.scoring.shard import Shards
from tests.integration.scoring.invented import (
    NOW,
    batch,
    counters,
    recount,
    registered,
    smartphone,
)
from tests.integration.scoring.on_kafka import (
    commit,
    committed,
    delete_before,
    fresh_topics,
    send,
    until,
)

PARTITIONS = 2


class Worker:
    """A consumer, and what it has told Prometheus."""

    def __init__(self, kafka: str, shards: Shards, group: str) -> None:
        self.registry = CollectorRegistry()
        settings = ScoringSettings(group_id=group, batch_records=100, poll_seconds=0.02)
        self.consumer = Consumer(shards, FixedClock(NOW), Metrics(self.registry), settings)
        self.broker = broker_of(
            KafkaSettings(bootstrap_servers=kafka),
            client_id="test-scoring",
            registry=CollectorRegistry(),
        )
        self.consumer.subscribe(self.broker)

    def told(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


Start = Callable[[], Coroutine[None, None, Worker]]


@pytest.fixture
def group() -> str:
    return f"scoring-{uuid.uuid4().hex}"


@pytest.fixture
async def start(kafka: str, shards: Shards, group: str) -> AsyncIterator[Start]:
    """Start workers of one group on fresh topics."""
    await fresh_topics(kafka, PARTITIONS)
    workers: list[Worker] = []

    async def started() -> Worker:
        worker = Worker(kafka, shards, group)
        workers.append(worker)
        await worker.broker.start()
        return worker

    yield started
    for worker in workers:
        await worker.broker.stop()


def standing_at(shards: Shards, **wanted: int) -> Callable[[], Awaitable[bool]]:
    places = {int(name.removeprefix("shard_")): at for name, at in wanted.items()}

    async def reached() -> bool:
        found = await shards.positions(places)
        return {shard: at for shard, (at, _) in found.items()} == places

    return reached


async def test_batches_are_taken_and_then_committed(
    kafka: str, pool: asyncpg.Pool, shards: Shards, group: str, start: Start
) -> None:
    one = [value for number in range(150) for value in (registered(number), smartphone(number))]
    other = [registered(number) for number in range(1000, 1050)]
    await send(kafka, one, 0)
    await send(kafka, other, 1)
    worker = await start()
    await until(standing_at(shards, shard_0=300, shard_1=50))
    assert await counters(pool) == recount(one + other, NOW)

    async def kafka_knows() -> bool:
        return await committed(kafka, group) == {0: 300, 1: 50}

    await until(kafka_knows)
    assert worker.told("scoring_records_total", result="taken") == 350
    assert worker.consumer.assigned() == [0, 1]
    assert await worker.consumer.reachable() is None
    await worker.consumer.measure_lag()
    assert worker.told("scoring_consumer_lag", partition="0") == 0


async def test_when_kafka_has_run_ahead_records_are_fetched_again(
    kafka: str, pool: asyncpg.Pool, shards: Shards, group: str, start: Start
) -> None:
    """As after a restore of PostgreSQL from a backup."""
    told = [registered(number) for number in range(300)]
    await send(kafka, told, 0)
    await commit(kafka, group, {0: 250})
    worker = await start()
    await until(standing_at(shards, shard_0=300))
    assert await counters(pool) == recount(told, NOW)
    assert worker.told("scoring_reseeks_total") == 1
    assert worker.told("scoring_missing_records_total") == 0


async def test_a_seek_of_a_former_assignment_proves_no_gap(
    kafka: str, pool: asyncpg.Pool, shards: Shards, group: str, start: Start
) -> None:
    """A rebalance between the seek and the next batch begins at the committed offset again."""
    told = [registered(number) for number in range(300)]
    await send(kafka, told, 0)
    await commit(kafka, group, {0: 250})
    worker = Worker(kafka, shards, group)
    worker.consumer._sought[0] = _Sought(0, frozenset())
    await worker.broker.start()
    try:
        await until(standing_at(shards, shard_0=300))
    finally:
        await worker.broker.stop()
    assert await counters(pool) == recount(told, NOW)
    assert worker.told("scoring_missing_records_total") == 0


async def test_records_that_the_broker_has_lost_are_told_and_passed(
    kafka: str, pool: asyncpg.Pool, shards: Shards, start: Start
) -> None:
    told = [registered(number) for number in range(60)]
    await send(kafka, told, 0)
    await delete_before(kafka, 0, 40)
    worker = await start()
    await until(standing_at(shards, shard_0=60))
    assert await counters(pool) == recount(told[40:], NOW)
    assert worker.told("scoring_missing_records_total") == 40


async def test_records_that_cannot_be_read_are_refused_and_the_shard_goes_on(
    kafka: str, pool: asyncpg.Pool, shards: Shards, start: Start
) -> None:
    told = [registered(1), None, b"", b"\xff", b"[]", registered(2)]
    await send(kafka, told, 0)
    worker = await start()
    await until(standing_at(shards, shard_0=6))
    assert await pool.fetchval("SELECT count(*) FROM refusals") == 4
    assert worker.told("scoring_rejected_total", reason="bad-envelope") == 4
    assert worker.told("scoring_records_total", result="refused") == 4
    assert worker.told("scoring_records_total", result="taken") == 2


async def test_workers_that_come_and_go_count_once(
    kafka: str, pool: asyncpg.Pool, shards: Shards, start: Start
) -> None:
    told = [registered(number) for number in range(3000)]
    first = await start()
    await send(kafka, told[:1000], 0)
    second = asyncio.create_task(start())
    await send(kafka, told[1000:2000], 1)
    await second
    await first.broker.stop()
    await send(kafka, told[2000:], 0)
    await until(standing_at(shards, shard_0=2000, shard_1=1000), 60)
    assert await counters(pool) == recount(told, NOW)


async def test_connections_that_are_cut_cost_nothing(
    kafka: str, database: str, pool: asyncpg.Pool, shards: Shards, start: Start
) -> None:
    told = [registered(number) for number in range(2000)]
    worker = await start()
    killer = await asyncpg.connect(database)
    for first in range(0, 2000, 200):
        await send(kafka, told[first : first + 200], 0)
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'test-scoring'"
        )
    await killer.close()

    async def reached() -> bool:
        try:
            return await standing_at(shards, shard_0=2000)()
        except Exception as error:
            if not is_transient(error):
                raise
            return False

    await until(reached, 60)
    assert await counters(pool) == recount(told, NOW)
    assert not worker.consumer._failed.done()


async def test_a_topic_that_was_made_anew_is_noticed(shards: Shards, start: Start) -> None:
    await shards.take(0, batch(0, *(registered(number) for number in range(10))), NOW)
    worker = await start()

    async def assigned() -> bool:
        return worker.consumer.assigned() == [0, 1]

    await until(assigned)
    with capture_logs() as logs:
        await worker.consumer.measure_lag()
    found = [(entry["log_level"], entry["shard"], entry["position"]) for entry in logs]
    assert found == [("error", 0, 10)]
    assert worker.told("scoring_consumer_lag", partition="0") == 0


async def test_positions_of_shards_that_are_gone_are_not_committed(
    kafka: str, group: str, start: Start
) -> None:
    worker = await start()
    await worker.consumer._commit({99: 5})
    await worker.consumer._commit({0: None})
    assert await committed(kafka, group) == {}


async def test_what_cannot_be_explained_ends_the_work_before_any_commit(
    kafka: str, pool: asyncpg.Pool, group: str, start: Start
) -> None:
    await pool.execute("ALTER TABLE journal RENAME TO lost")
    await send(kafka, [registered(1)], 0)
    worker = await start()
    with pytest.raises(asyncpg.UndefinedTableError):
        await asyncio.wait_for(worker.consumer.watch(), 20)
    await send(kafka, [registered(2)], 0)
    await asyncio.sleep(0.5)
    assert await committed(kafka, group) == {}
    assert await pool.fetchval("SELECT count(*) FROM shards") == 0


def test_an_argument_that_cannot_be_encoded_is_no_lost_connection() -> None:
    # asyncpg's own DataError is hidden behind the server's of the same name.
    unencodable = next(
        kind for kind in asyncpg.InterfaceError.__subclasses__() if issubclass(kind, ValueError)
    )
    assert not is_transient(unencodable("invalid input for query argument $1"))
    assert is_transient(asyncpg.InterfaceError("connection is closed"))
    assert is_transient(ConnectionResetError())
    assert not is_transient(asyncpg.UndefinedTableError("relation does not exist"))
