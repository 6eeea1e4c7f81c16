"""The leader's loops: one process at a time, and neither loop in the way of the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import pytest
from aiokafka.errors import KafkaTimeoutError
from prometheus_client import CollectorRegistry

from services.chassis.clock import FixedClock
from services.scoring.metrics import Metrics
from services.scoring.rollup import Rollup
from services.scoring.settings import ScoringSettings
from services.scoring.work import Work
from tests.integration.scoring.counted import LAO_CAI, PROVINCE, Shard
from tests.integration.scoring.invented import AREAS, CATALOGUE, NOW
from tests.integration.scoring.on_kafka import until

SMARTPHONE = "ds.smartphone"

CUT_LEADER = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Unheard:
    """Stands where the publisher stands; the leader tells nobody here."""

    rounds = 0

    async def tell_figures(self, _: asyncpg.Connection) -> int:
        self.rounds += 1
        return 0

    async def tell_refusals(self, _: asyncpg.Connection) -> int:
        return 0


@dataclass
class Reading:
    """Stands where the consumer stands."""

    is_behind: bool = False


class Counting(Rollup):
    """Knows how many roll-ups run at the same time."""

    running = 0
    most = 0

    def __init__(self) -> None:
        super().__init__(AREAS, CATALOGUE)
        self.runs = 0

    async def run(self, connection: asyncpg.Connection, now: datetime) -> int:
        Counting.running += 1
        Counting.most = max(Counting.most, Counting.running)
        self.runs += 1
        try:
            await connection.execute("SELECT pg_sleep(0.02)")
            return await super().run(connection, now)
        finally:
            Counting.running -= 1


@pytest.fixture
async def lead() -> AsyncIterator[Callable[[Work], asyncio.Task[None]]]:
    """Start leaders; they end before the pool does."""
    tasks: list[asyncio.Task[None]] = []

    def start(one: Work) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(one.lead()))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def work(
    pool: asyncpg.Pool,
    rollup: Rollup,
    *,
    publisher: Unheard | None = None,
    consumer: Reading | None = None,
) -> Work:
    return Work(
        pool=pool,
        shards=None,  # type: ignore[arg-type]  # the leader's loops do not use them
        consumer=consumer or Reading(),  # type: ignore[arg-type]
        rollup=rollup,
        publisher=publisher or Unheard(),  # type: ignore[arg-type]
        clock=FixedClock(NOW),
        metrics=Metrics(CollectorRegistry()),
        settings=ScoringSettings(rollup_seconds=0.02, publish_seconds=0.02),
    )


async def test_one_process_leads_and_another_follows_when_it_ends(
    pool: asyncpg.Pool, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    rollups = [Counting(), Counting()]
    works = [work(pool, one) for one in rollups]
    tasks = [lead(one) for one in works]

    async def somebody_leads() -> bool:
        return rollups[0].runs + rollups[1].runs > 3

    await until(somebody_leads)
    leader = 0 if rollups[0].runs else 1
    assert rollups[1 - leader].runs == 0
    # Who waits goes forward, too: the other one does the work.
    assert [await one.going() for one in works] == [None, None]
    tasks[leader].cancel()

    async def the_other_leads() -> bool:
        return rollups[1 - leader].runs > 2

    await until(the_other_leads)
    assert Counting.most == 1


async def test_who_comes_to_lead_sums_up_what_another_catalogue_had_no_bit_for(
    pool: asyncpg.Pool, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    """While processes are replaced one after the other, the leader may still be a former one."""
    indicators = tuple(one for one in CATALOGUE.indicators if one.id != SMARTPHONE)
    former = CATALOGUE.model_copy(update={"indicators": indicators})
    vars(former).pop("counted", None)
    await Shard(pool, 0).add({(LAO_CAI, SMARTPHONE): (1, 2)})
    # A unit that has gone from the files altogether.
    await pool.execute("INSERT INTO counters VALUES ('2025:none', 0, '{1}', '{1}')")
    async with pool.acquire() as connection:
        assert await Rollup(AREAS, former).run(connection, NOW) == 0
    lead(work(pool, Rollup(AREAS, CATALOGUE)))

    async def is_there() -> bool:
        query = "SELECT denominator FROM figures WHERE area_id = $1 AND indicator = $2"
        return bool(await pool.fetchval(query, PROVINCE, SMARTPHONE) == 2)

    await until(is_there, 10)


class Stopped(Counting):
    """Stops in a roll-up, as by SIGSTOP: the connection lives, and holds the leader's lock."""

    def __init__(self, *, in_transaction: bool) -> None:
        super().__init__()
        self.stops = asyncio.Event()
        self._in_transaction = in_transaction

    async def run(self, connection: asyncpg.Connection, now: datetime) -> int:  # noqa: ARG002
        if self._in_transaction:
            await connection.execute("BEGIN; SELECT 1")
        self.stops.set()
        await asyncio.Event().wait()
        return 0


@pytest.mark.parametrize("in_transaction", [True, False])
async def test_a_leader_that_stops_is_followed(
    pool: asyncpg.Pool,
    lead: Callable[[Work], asyncio.Task[None]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    in_transaction: bool,
) -> None:
    monkeypatch.setattr("services.scoring.work.PATIENCE_SECONDS", 0.3)
    stopped, next_one = Stopped(in_transaction=in_transaction), Counting()
    lead(work(pool, stopped))
    await stopped.stops.wait()
    lead(work(pool, next_one))

    async def is_followed() -> bool:
        return next_one.runs > 2

    await until(is_followed)


async def test_a_leader_whose_connection_is_cut_leads_again(
    pool: asyncpg.Pool, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    rollup = Counting()
    task = lead(work(pool, rollup))
    await asyncio.sleep(0.3)
    await pool.execute(CUT_LEADER)
    before = rollup.runs

    async def leads_again() -> bool:
        return rollup.runs > before + 2

    await until(leads_again)
    assert not task.done()


async def test_a_leader_whose_connection_is_cut_can_be_stopped(
    pool: asyncpg.Pool, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    class Idle(Counting):
        """Does not notice that its connection is gone."""

        async def run(self, *_: object) -> int:
            self.runs += 1
            return 0

    rollup = Idle()
    task = lead(work(pool, rollup))
    await asyncio.sleep(0.3)
    await pool.execute(CUT_LEADER)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_no_roll_up_waits_for_the_broker(
    pool: asyncpg.Pool, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    class Slow(Unheard):
        """Hears nothing of the broker for a long time."""

        async def tell_figures(self, _: asyncpg.Connection) -> int:
            self.rounds += 1
            await asyncio.sleep(3600)
            return 0

    rollup, publisher = Counting(), Slow()
    lead(work(pool, rollup, publisher=publisher))

    async def rolls_up() -> bool:
        return publisher.rounds == 1 and rollup.runs > 5

    await until(rolls_up)


async def test_a_broker_that_is_away_is_tried_again(
    pool: asyncpg.Pool, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    class Away(Unheard):
        """Gets no answer of the broker, three times."""

        async def tell_figures(self, _: asyncpg.Connection) -> int:
            self.rounds += 1
            if self.rounds <= 3:
                raise KafkaTimeoutError
            return 0

    publisher = Away()
    lead(work(pool, Counting(), publisher=publisher))

    async def tells() -> bool:
        return publisher.rounds > 5

    await until(tells)


async def test_what_cannot_be_mended_ends_the_leader(
    pool: asyncpg.Pool, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    class Broken(Unheard):
        """Fails as a fault of ours would."""

        async def tell_figures(self, _: asyncpg.Connection) -> int:
            raise ZeroDivisionError

    rollup = Counting()
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(lead(work(pool, rollup, publisher=Broken())), 5)
    runs = rollup.runs
    await asyncio.sleep(0.2)
    assert rollup.runs == runs


async def test_far_behind_the_leader_rests_until_the_consumer_has_caught_up(
    pool: asyncpg.Pool, lead: Callable[[Work], asyncio.Task[None]]
) -> None:
    consumer, publisher, rollup = Reading(is_behind=True), Unheard(), Counting()
    lead(work(pool, rollup, publisher=publisher, consumer=consumer))

    async def began() -> bool:
        return rollup.runs == 1 and publisher.rounds == 1

    await until(began)
    await asyncio.sleep(0.5)
    assert (rollup.runs, publisher.rounds) == (1, 1)
    consumer.is_behind = False

    async def goes_on() -> bool:
        return rollup.runs > 2 and publisher.rounds > 2

    await until(goes_on, 5)
