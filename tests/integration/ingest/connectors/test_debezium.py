"""Change records of the real Debezium engine on a real PostgreSQL, all the way to events."""

import json
import secrets
import signal
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS
from deploy.embedded.ports import free_port
from deploy.embedded.postgres import Postgres
from tests.contract.ingest.service import Keys
from tests.debezium.running import Engine
from tests.integration.ingest.connectors.conformance import (
    Heard,
    Setting,
    citizen,
    hearing,
    new_source,
    running,
)
from tests.integration.ingest.connectors.test_kafka_conformance import create

REGISTERED = "vn.nhipso.identity.citizen-registered.v1"
MOVED = "vn.nhipso.identity.residence-changed.v1"
DEPARTED = "vn.nhipso.identity.citizen-departed.v1"

# As README.md of the connector shows it. The database writes its times in local time.
RULES = [
    {
        "type": REGISTERED,
        "when": {"table": ["citizens"], "op": ["r", "c"]},
        "id": "registered-{id}",
        "subject": "citizen:{cccd}",
        "time": {"field": "changed_at", "form": "epoch-us", "zone": "Asia/Ho_Chi_Minh"},
        "data": {
            "birth_date": {"field": "born", "as": "date"},
            "area": {"field": "area", "as": "text"},
            "party_member": {"field": "party"},
        },
    },
    {
        "type": MOVED,
        "when": {"table": ["citizens"], "op": ["u"]},
        "id": "moved-{id}-{lsn}",
        "subject": "citizen:{cccd}",
        "time": {"field": "changed_at", "form": "epoch-us", "zone": "Asia/Ho_Chi_Minh"},
        "data": {"area": {"field": "area", "as": "text"}},
    },
    {
        "type": DEPARTED,
        "when": {"table": ["citizens"], "op": ["d"]},
        "id": "departed-{id}",
        "subject": "citizen:{cccd}",
        "time": {"field": "ts_ms", "form": "epoch-ms"},
        "data": {"reason": {"constant": "moved-away"}},
    },
]


@pytest.fixture(scope="session")
def logical(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of a source that lets its log be decoded."""
    server = Postgres(
        tmp_path_factory.mktemp("logical"),
        port=free_port(),
        password=uuid.uuid4().hex,
        settings={"wal_level": "logical", "shared_buffers": "32MB", "max_replication_slots": "20"},
    )
    server.start()
    try:
        server.wait_ready(60)
        yield server.dsn
    finally:
        server.stop()


@dataclass
class Registry:
    """A source's table of citizens, and the engine that follows it."""

    connection: asyncpg.Connection
    engine: Engine
    schema: str
    source: str = field(default_factory=new_source)
    kind: str = "kafka"
    domains: Sequence[str] = ("identity",)

    @property
    def config(self) -> Mapping[str, Any]:
        rules: Any = RULES
        if self.engine.unwrapped:
            # The same rules, with the names that ExtractNewRecordState gives.
            text = json.dumps(RULES).replace('"op"', '"__op"').replace('"table"', '"__table"')
            rules = json.loads(text.replace("{lsn}", "{__lsn}").replace("ts_ms", "__source_ts_ms"))
        debezium = {"events": rules, "unwrapped": self.engine.unwrapped}
        return {"topic": self.engine.topic, "debezium": debezium}

    async def add(self, numbers: Iterable[int], area: Any = "02647") -> None:
        await self.connection.executemany(
            f"INSERT INTO {self.schema}.citizens VALUES"  # noqa: S608 - our own schema
            " ($1, $2, '1990-05-17', $3, true, '2026-03-01 08:30:00.25')",
            [(number, citizen(number), area) for number in numbers],
        )

    async def add_bad(self, count: int) -> None:
        raise NotImplementedError

    async def run(self, statement: str) -> None:
        await self.connection.execute(statement.replace("citizens", f"{self.schema}.citizens"))


@asynccontextmanager
async def registry_of(
    logical: str, kafka: str, folder: Path, *, with_schema: bool, area: str = "text"
) -> AsyncIterator[Registry]:
    schema = f"s_{secrets.token_hex(6)}"
    topic = f"inbox.{schema}.v1"
    await create(kafka, topic)
    connection = await asyncpg.connect(logical)
    registry = Registry(
        connection, Engine(folder, logical, schema, kafka, topic, with_schema), schema
    )
    try:
        await connection.execute(f"CREATE SCHEMA {schema}")
        await registry.run(
            "CREATE TABLE citizens (id bigint PRIMARY KEY, cccd text NOT NULL, born date,"
            f" area {area}, party boolean, changed_at timestamp)"
        )
        await registry.run("ALTER TABLE citizens REPLICA IDENTITY FULL")
        yield registry
    finally:
        registry.engine.kill()
        await connection.close()


def setting_of(folder: Path, kafka: str, database: str, registry: Registry) -> Setting:
    keys = Keys(folder / "keys")
    keys.folder.mkdir()
    keys.write()
    setting = Setting(folder, kafka, database, keys, registry.source)
    setting.describe(registry)
    return setting


async def one_more(heard: Heard) -> dict[str, Any]:
    """The next event."""
    count = len(heard.records)
    return (await heard.until(lambda found: len(found) > count))[count]


@pytest.mark.parametrize(
    ("with_schema", "unwrapped"),
    [(True, False), (False, False), (False, True)],
    ids=["with schema", "without schema", "unwrapped"],
)
async def test_rows_become_events_from_the_snapshot_to_the_deletion(
    logical: str,
    kafka: str,
    database: str,
    tmp_path: Path,
    topics: None,
    *,
    with_schema: bool,
    unwrapped: bool,
) -> None:
    async with registry_of(logical, kafka, tmp_path, with_schema=with_schema) as registry:
        registry.engine.unwrapped = unwrapped
        await registry.add([1])
        setting = setting_of(tmp_path, kafka, database, registry)
        async with (
            hearing(setting, SUBJECT_EVENTS) as heard,
            hearing(setting, REJECTED_EVENTS) as refused,
            running(setting),
        ):
            registry.engine.start()
            snapshot = await one_more(heard)
            assert snapshot == {
                "specversion": "1.0",
                "id": "registered-1",
                "source": registry.source,
                "type": REGISTERED,
                "subject": setting.subject(1),
                # 08:30 on the wall in Lào Cai.
                "time": "2026-03-01T01:30:00.250000Z",
                "datacontenttype": "application/json",
                "data": {"birth_date": "1990-05-17", "area": "02647", "party_member": True},
            }
            await registry.add([2])
            created = await one_more(heard)
            assert (created["type"], created["subject"]) == (REGISTERED, setting.subject(2))
            await registry.run("UPDATE citizens SET area = '04252' WHERE id = 2")
            moved = await one_more(heard)
            assert (moved["type"], moved["data"]) == (MOVED, {"area": "04252"})
            assert moved["subject"] == setting.subject(2)
            # A deletion brings a tombstone after it, which is no event and no fault.
            await registry.run("DELETE FROM citizens WHERE id = 2")
            departed = await one_more(heard)
            assert (departed["type"], departed["subject"]) == (DEPARTED, setting.subject(2))
            assert await refused.all() == []
            assert len(await heard.all()) == 4

            # Flat records do not tell of it.
            if unwrapped:
                return
            await registry.run("TRUNCATE citizens")
            [kept] = await refused.until(lambda found: len(found) >= 1)
            assert "TRUNCATE" in kept["detail"]


async def test_a_column_changes_its_type_while_it_is_followed(
    logical: str, kafka: str, database: str, tmp_path: Path, topics: None
) -> None:
    async with registry_of(logical, kafka, tmp_path, with_schema=True, area="integer") as registry:
        await registry.add([1], area=2647)
        setting = setting_of(tmp_path, kafka, database, registry)
        async with (
            hearing(setting, SUBJECT_EVENTS) as heard,
            hearing(setting, REJECTED_EVENTS) as refused,
            running(setting),
        ):
            registry.engine.start()
            # A number has lost the zeros of the code.
            [kept] = await refused.until(lambda found: len(found) >= 1)
            assert (kept["event_type"], kept["reason"]) == (REGISTERED, "bad-data")
            await registry.run(
                "ALTER TABLE citizens ALTER area TYPE text USING lpad(area::text, 5, '0')"
            )
            await registry.run("UPDATE citizens SET party = false WHERE id = 1")
            moved = await one_more(heard)
            assert (moved["type"], moved["data"]) == (MOVED, {"area": "02647"})
            assert len(await refused.all()) == 1


async def test_kills_of_ingest_and_of_the_engine_lose_nothing(
    logical: str, kafka: str, database: str, tmp_path: Path, topics: None
) -> None:
    async with registry_of(logical, kafka, tmp_path, with_schema=False) as registry:
        await registry.add(range(30))
        setting = setting_of(tmp_path, kafka, database, registry)
        # The broker has the events, and the cursor is not kept yet.
        setting.kill_at("ingest.after-acknowledgement")
        async with hearing(setting, SUBJECT_EVENTS) as heard:
            registry.engine.start()
            async with running(setting) as ingest:
                assert await ingest.gone() == -signal.SIGKILL, ingest.log.read_text()
            await registry.add(range(30, 60))
            async with running(setting) as ingest:
                await heard.until(lambda found: len(found) >= 45)
                registry.engine.kill()
                ingest.kill()
            await registry.add(range(60, 90))
            registry.engine.start()
            async with running(setting):
                wanted = {setting.subject(number) for number in range(90)}
                found = await heard.until(lambda found: {e["subject"] for e in found} >= wanted)
            # What came twice came under its old id, so that it counts once.
            assert len({one["id"] for one in found}) == 90
