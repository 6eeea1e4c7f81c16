"""What the one pipeline of connectors promises, whichever connector it runs."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, SecretStr

from contracts.tokens import Principal
from services.chassis.clock import SystemClock
from services.chassis.database import migrate, open_pool
from services.chassis.settings import KafkaSettings, PostgresSettings
from services.ingest.connectors import checkpoints
from services.ingest.connectors.checkpoints import OvertakenError
from services.ingest.connectors.connector import (
    Configured,
    Cursor,
    Event,
    Kind,
    Page,
    SourceError,
    SourceRecord,
    Surroundings,
    UnmappableError,
)
from services.ingest.connectors.metrics import ConnectorMetrics
from services.ingest.connectors.running import Connectors
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.pauses import Pauses
from services.ingest.pipeline import OriginOf, Outcome
from services.ingest.publisher import BrokerAwayError
from services.ingest.wire import Received
from tests.fakes.lines.connector import LINES, LinesConnector
from tests.fault.waiting import until as asked
from tests.integration.ingest.connectors.conformance import (
    MIGRATIONS,
    PATIENCE_SECONDS,
    Process,
    Setting,
    hearing,
    running,
)
from tests.integration.ingest.connectors.test_lines import Lines

SOURCE = "urn:nhipso:source:scripted"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class NoConfig(BaseModel):
    """Nothing to say."""


class Scripted:
    """A connector that does what a test says: pages, errors, and a mapping that may fail."""

    def __init__(self, script: Sequence[Page | Exception]) -> None:
        self.script = list(script)
        self.read_from: list[Cursor | None] = []
        self.opened = self.closed = 0
        self.fails_to_close: BaseException | None = None
        self.reading = asyncio.Event()

    def kind(self) -> Kind[NoConfig]:
        async def open_(_: NoConfig, __: Surroundings) -> "Scripted":
            self.opened += 1
            return self

        return Kind(NoConfig, open_)

    async def read(self, cursor: Cursor | None) -> Page:
        self.read_from.append(cursor)
        self.reading.set()
        if not self.script:
            await asyncio.Event().wait()
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def map(self, original: bytes) -> Sequence[Event]:
        if original == b"bad":
            raise UnmappableError("the field colour is missing")
        if original == b"broken":
            return [json.loads("{}")["no such field"]]
        return [] if original == b"none" else [{"id": original.decode()}]

    async def close(self) -> None:
        self.closed += 1
        if self.fails_to_close is not None:
            raise self.fails_to_close


class Taken:
    """In the pipeline's place: keeps what it is given, and answers when it is told to."""

    def __init__(self) -> None:
        self.events: list[Received] = []
        self.places: list[str] = []
        self.callers: list[Principal] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fails: list[Exception] = []

    async def take(
        self, events: Sequence[Received], origin_of: OriginOf, caller: Principal
    ) -> Outcome:
        await self.open.wait()
        if self.fails:
            raise self.fails.pop(0)
        self.events += events
        self.places += [origin_of(event).place for event in events]  # type: ignore[union-attr]
        self.callers.append(caller)
        return Outcome()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await migrate(database, schema="ingest", migrations=MIGRATIONS)
    settings = PostgresSettings(dsn=SecretStr(database), pool_min=0)
    opened = await open_pool(settings, schema="ingest", application_name="test-ingest")
    yield opened
    opened.terminate()


def page(*originals: bytes, cursor: int, is_last: bool = False) -> Page:
    records = [SourceRecord(f"line {place}", one) for place, one in enumerate(originals, start=1)]
    return Page(records, cursor, is_last)


def connectors(
    pool: asyncpg.Pool,
    kind: Kind[Any],
    taken: Taken,
    *,
    pauses: Pauses | None = None,
    interval: float = 0.05,
) -> Connectors:
    configured = Configured(
        name="scripted",
        kind="scripted",
        source=SOURCE,
        domains=frozenset({"identity"}),
        interval_seconds=interval,
        config=NoConfig(),
    )
    surroundings = Surroundings(
        name="scripted",
        source=SOURCE,
        domains=configured.domains,
        kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        pool=pool,
        pseudonymiser=Pseudonymiser(bytes(32)),
        clock=SystemClock(),
    )
    return Connectors(
        [configured],
        {"scripted": kind},
        {"scripted": surroundings},
        pool=pool,
        pipeline=taken,  # type: ignore[arg-type]
        pauses=pauses or Pauses(),
        metrics=ConnectorMetrics(CollectorRegistry()),
        clock=SystemClock(),
    )


@asynccontextmanager
async def going(one: Connectors) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(found: Any) -> None:
    async with asyncio.timeout(30):
        while not (await found() if asyncio.iscoroutinefunction(found) else found()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_cursor_is_kept_when_its_page_is_with_the_broker_and_not_before(
    pool: asyncpg.Pool,
) -> None:
    connector, taken = Scripted([page(b"1", b"2", cursor=2), page(b"3", cursor=3)]), Taken()
    taken.open.clear()
    async with going(connectors(pool, connector.kind(), taken)):
        await connector.reading.wait()
        # The first page waits for the broker: nothing more is read, and nothing is kept.
        connector.reading.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connector.reading.wait(), 0.3)
        assert (await checkpoints.read(pool, "scripted")).cursor is None
        taken.open.set()
        await until(lambda: len(connector.read_from) == 3)
    assert connector.read_from == [None, 2, 3]
    assert [event.decoded["id"] for event in taken.events] == ["1", "2", "3"]
    assert (await checkpoints.read(pool, "scripted")).cursor == 3
    assert taken.callers[0] == Principal(
        sub="connector:scripted", role="source", sources={SOURCE}, domains={"identity"}
    )


async def test_what_cannot_be_mapped_is_refused_where_it_stands(pool: asyncpg.Pool) -> None:
    connector, taken = Scripted([page(b"1", b"bad", b"none", b"broken", b"2", cursor=5)]), Taken()
    async with going(connectors(pool, connector.kind(), taken)):
        await until(lambda: len(connector.read_from) == 2)
    said = [
        (place, event.original, event.objection.detail if event.objection else None)
        for place, event in zip(taken.places, taken.events, strict=True)
    ]
    assert said[0] == ("line 1", b"1", None)
    assert said[1] == ("line 2", b"bad", "the field colour is missing")
    assert said[2][:2] == ("line 4", b"broken")
    assert "KeyError at test_running.py:" in (said[2][2] or "")
    assert said[3] == ("line 5", b"2", None)
    assert taken.events[1].decoded == {"source": SOURCE}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            SourceError("orders.example does not answer; is it up?"),
            "orders.example does not answer",
        ),
        (ZeroDivisionError("somebody's number 012345678901"), "ZeroDivisionError at "),
    ],
)
async def test_a_source_that_fails_is_tried_again_and_its_state_says_why(
    pool: asyncpg.Pool, error: Exception, told: str
) -> None:
    connector, taken = Scripted([page(b"1", cursor=1), error, page(b"2", cursor=2)]), Taken()
    states: list[str] = []
    async with going(connectors(pool, connector.kind(), taken)):

        async def failing() -> bool:
            standing = (await checkpoints.standings(pool)).get("scripted")
            states.append(f"{standing and standing.state}: {standing and standing.detail}")
            return len(taken.events) == 2

        await until(failing)
        await until(lambda: len(connector.read_from) == 4)
    assert connector.read_from == [None, 1, 1, 2]
    assert connector.opened == 2 == connector.closed
    assert any(one.startswith(f"failing: {told}") for one in states), set(states)
    assert "012345678901" not in "".join(states)
    assert (await checkpoints.standings(pool))["scripted"].state == "running"


@pytest.mark.parametrize("error", [asyncio.CancelledError(), OSError("the socket is gone")])
async def test_a_connector_that_cannot_be_closed_is_opened_again(
    pool: asyncpg.Pool, error: BaseException
) -> None:
    """A client may raise a cancellation that nobody asked for when its server is away."""
    connector, taken = Scripted([SourceError("away"), page(b"1", cursor=1)]), Taken()
    connector.fails_to_close = error
    async with going(connectors(pool, connector.kind(), taken)):
        await until(lambda: len(taken.events) == 1)
    assert connector.opened == 2


async def test_a_page_that_the_broker_did_not_take_is_read_again(pool: asyncpg.Pool) -> None:
    connector, taken = Scripted([page(b"1", cursor=1), page(b"1", cursor=1)]), Taken()
    taken.fails.append(BrokerAwayError("subject-events.v1: TimeoutError"))
    async with going(connectors(pool, connector.kind(), taken)):
        await until(lambda: len(connector.read_from) == 3)
    assert connector.read_from == [None, None, 1]
    assert len(taken.events) == 1


async def test_a_paused_source_is_not_read(pool: asyncpg.Pool) -> None:
    class Paused(Pauses):
        why: str | None = "more than half was refused"

        def __init__(self) -> None:
            """Nothing is counted."""

        def paused(self, sources: Any) -> str | None:
            return self.why if SOURCE in sources else None

    connector, taken, pauses = Scripted([page(b"1", cursor=1)]), Taken(), Paused()
    async with going(connectors(pool, connector.kind(), taken, pauses=pauses)):

        async def is_paused() -> bool:
            standing = (await checkpoints.standings(pool)).get("scripted")
            return standing is not None and standing.state == "paused"

        await until(is_paused)
        assert connector.read_from == []
        pauses.why = None
        await until(lambda: len(taken.events) == 1)


async def test_it_waits_for_its_interval_or_until_it_is_woken(pool: asyncpg.Pool) -> None:
    connector = Scripted([page(cursor=0, is_last=True), page(b"1", cursor=1)])
    taken = Taken()
    one = connectors(pool, connector.kind(), taken, interval=3_600)
    async with going(one):
        await until(lambda: len(connector.read_from) == 1)

        async def woken() -> bool:
            # Whoever is told says it to the database, so that it reaches the process that reads.
            await one.wake("scripted")
            return len(taken.events) == 1

        await until(woken)


async def test_a_stop_in_the_middle_takes_the_page_to_its_end(pool: asyncpg.Pool) -> None:
    connector, taken = Scripted([page(b"1", cursor=1)]), Taken()
    taken.open.clear()
    async with going(connectors(pool, connector.kind(), taken)):
        await connector.reading.wait()
        asyncio.get_running_loop().call_later(0.2, taken.open.set)
    assert len(taken.events) == 1
    assert (await checkpoints.read(pool, "scripted")).cursor == 1
    assert connector.closed == 1


async def test_whoever_lost_its_turn_does_not_move_the_cursor_back(pool: asyncpg.Pool) -> None:
    first = await checkpoints.move(
        pool, "scripted", await checkpoints.read(pool, "scripted"), 1, NOW
    )
    await checkpoints.move(pool, "scripted", first, 2, NOW)
    with pytest.raises(OvertakenError):
        await checkpoints.move(pool, "scripted", first, 1, NOW)
    assert (await checkpoints.read(pool, "scripted")).cursor == 2


async def test_a_lost_connection_gives_the_turn_away_and_takes_it_again(
    pool: asyncpg.Pool, database: str
) -> None:
    connector, taken = Scripted([page(b"1", cursor=1)]), Taken()
    async with going(connectors(pool, connector.kind(), taken)):
        await until(lambda: len(taken.events) == 1)
        other = await asyncpg.connect(database)
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            "test-ingest",
        )
        await other.close()
        connector.script = [page(b"2", cursor=2)]
        await until(lambda: connector.read_from[-2:] == [1, 2])
    assert len(taken.events) == 2


async def test_of_two_processes_one_reads_and_the_other_takes_over(
    kafka: str, database: str, tmp_path: Path, topics: None
) -> None:
    from tests.contract.ingest.service import Keys  # noqa: PLC0415

    keys = Keys(tmp_path / "keys")
    keys.folder.mkdir()
    keys.write()
    file = tmp_path / "events.ndjson"
    file.touch()
    ground = Lines(file)
    setting = Setting(tmp_path, kafka, database, keys, ground.source, program="tests.fakes.lines")
    setting.describe(ground)
    await ground.add(range(10))
    reads = 'ingest_connector_state{connector="under-test",state="running"} 1.0'
    async with (
        hearing(setting, "subject-events.v1") as heard,
        running(setting) as one,
        running(setting) as other,
    ):
        await heard.until(lambda found: len(found) >= 10)
        for process in (one, other):
            await process.until("/metrics", bool)

        async def readers() -> list[Process]:
            return [each for each in (one, other) if reads in await each.get("/metrics")]

        # That it reads is told a moment after what it has read.
        async with asyncio.timeout(PATIENCE_SECONDS):
            (reader,) = await asked(readers)
        reader.kill()
        await ground.add(range(10, 20))
        await heard.until(lambda found: len(found) >= 20)
        assert len(await heard.all()) == 20


def test_the_example_reads_whole_lines_alone(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(b'{"id": "1"}\n{"id": "2"')
    found = LinesConnector(file)._read(0)
    assert [one.original for one in found.records] == [b'{"id": "1"}\n']
    assert found.cursor == 12
    assert LINES.config.model_fields.keys() == {"path"}
