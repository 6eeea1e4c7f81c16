"""What every connector keeps, whatever it reads; a connector's tests take this suite as their own.

A test module subclasses `Conformance` and gives it a fixture `ground`: a source of its kind that can
be filled. Ingest runs as a process of its own over a real Kafka and a real PostgreSQL.
"""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import aiohttp
import asyncpg
import pytest
import yaml
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from pydantic import SecretStr

from contracts.subjects import SubjectKind
from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS
from deploy.embedded.ports import free_port
from services.chassis.clock import SystemClock
from services.chassis.database import migrate, open_pool
from services.chassis.settings import KafkaSettings, PostgresSettings
from services.ingest import connectors
from services.ingest.connectors import configuration
from services.ingest.connectors.connector import Kind, Surroundings
from services.ingest.connectors.table import KINDS
from services.ingest.core.pseudonyms import Pseudonymiser
from tests.consumers import patience
from tests.contract.ingest.service import Keys

MIGRATIONS = Path(connectors.__file__).parents[1] / "migrations"
PATIENCE_SECONDS = 60
#: Where a process can be killed between reading a page and keeping its cursor.
POINTS = ("connector.after-read", "connector.before-checkpoint", "connector.after-checkpoint")


def new_source() -> str:
    """A source that no other test uses; its name could be a citizen's number, and is nobody's."""
    return f"urn:nhipso:source:{secrets.randbelow(10**12):012d}"


def citizen(number: int) -> str:
    """The invented citizen of a number, twelve digits that occur in nothing else by chance."""
    return f"09{number * 7_919 % 10_000_000_000:010d}"


class Ground(Protocol):
    """A source of one kind, which a test fills."""

    @property
    def kind(self) -> str:
        """The connector's row in the table."""
        ...

    @property
    def domains(self) -> Sequence[str]:
        """The domains of the events that it makes."""
        ...

    @property
    def source(self) -> str:
        """The CloudEvents source of its events, one for each ground: topics are shared."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """The connector's own config, as it stands in the YAML file."""
        ...

    async def add(self, numbers: Iterable[int]) -> None:
        """Add a record for each number; each makes one event about `citizen(number)`."""
        ...

    async def add_bad(self, count: int) -> None:
        """Add records that cannot become events, or none that is accepted."""
        ...


@dataclass
class Setting:
    """What a run of ingest needs, and what it leaves."""

    folder: Path
    kafka: str
    database: str
    keys: Keys
    source: str
    name: str = "under-test"
    program: str = "services.ingest"

    def __post_init__(self) -> None:
        (self.folder / "failpoints").mkdir()

    def describe(self, ground: Ground) -> None:
        """Write the file of connectors."""
        entry = {
            "name": self.name,
            "kind": ground.kind,
            "source": self.source,
            "domains": list(ground.domains),
            "interval_seconds": 0.2,
            "config": dict(ground.config),
        }
        text = yaml.safe_dump({"connectors": [entry]}, allow_unicode=True)
        (self.folder / "connectors.yaml").write_text(text, encoding="utf-8")

    def kill_at(self, point: str) -> None:
        """Let the next process that comes to a point die there."""
        (self.folder / "failpoints" / point).write_text("kill", encoding="ascii")

    def environment(self, port: int) -> dict[str, str]:
        return os.environ | {
            "NHIPSO_HTTP__HOST": "127.0.0.1",
            "NHIPSO_HTTP__PORT": str(port),
            "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": self.kafka,
            "NHIPSO_POSTGRES__DSN": self.database,
            "NHIPSO_TOKENS__JWKS_FILE": str(self.keys.folder / "jwks.json"),
            "NHIPSO_PSEUDONYM__KEY_FILE": str(self.keys.folder / "pseudonym.key"),
            "NHIPSO_REJECTIONS__KEY_FILE": str(self.keys.folder / "rejections.jwk"),
            "NHIPSO_CONNECTORS__FILE": str(self.folder / "connectors.yaml"),
            "NHIPSO_FAILPOINTS_DIR": str(self.folder / "failpoints"),
        }

    def subject(self, number: int) -> str:
        return Pseudonymiser(self.keys.pseudonym).inside(SubjectKind.CITIZEN, citizen(number))


class Process:
    """Ingest as a process of its own."""

    def __init__(self, setting: Setting) -> None:
        self.port = free_port()
        self.log = setting.folder / f"ingest-{self.port}.log"
        self._setting = setting
        with self.log.open("wb") as output:
            self.child = subprocess.Popen(
                [sys.executable, "-m", setting.program],
                env=setting.environment(self.port),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def gone(self) -> int:
        """Wait until it has ended; returns how."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asyncio.to_thread(self.child.wait)

    async def stop(self) -> int:
        """Ask it to end, and wait until it has."""
        self.child.send_signal(signal.SIGTERM)
        return await self.gone()

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    async def get(self, path: str) -> str:
        token = self._setting.keys.token(role="operator", sub="operator")
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{self.port}{path}", headers=headers) as answer,
        ):
            return await answer.text()

    async def until(self, path: str, found: Callable[[str], Any]) -> str:
        """Wait until an answer shows what is looked for."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    text = await self.get(path)
                except aiohttp.ClientError:
                    text = ""
                if found(text):
                    return text
                assert self.child.poll() is None, self.log.read_text(encoding="utf-8")[-3000:]
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running(setting: Setting) -> AsyncIterator[Process]:
    """Run ingest; it is killed at the end if it still lives."""
    process = Process(setting)
    try:
        yield process
    finally:
        process.kill()


class Heard:
    """What a topic has of one source, from the moment on at which this was made."""

    def __init__(self, consumer: AIOKafkaConsumer, source: str) -> None:
        self._consumer = consumer
        self._source = source
        self.records: list[dict[str, Any]] = []

    async def until(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Read on until there is enough."""
        async with patience(PATIENCE_SECONDS):
            while not enough(self.records):
                await self._read(timeout_ms=200)
        return self.records

    async def all(self) -> list[dict[str, Any]]:
        """Everything up to the present end of the topic."""
        assignment = self._consumer.assignment()
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(assignment)
        async with patience(PATIENCE_SECONDS):
            while any([await self._consumer.position(one) < ends[one] for one in assignment]):
                await self._read(timeout_ms=200)
        return self.records

    async def _read(self, timeout_ms: int) -> None:
        found: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]
        found = await self._consumer.getmany(timeout_ms=timeout_ms)
        for records in found.values():
            for record in records:
                decoded = json.loads(record.value or b"{}")
                if decoded.get("source") == self._source:
                    self.records.append(decoded)


@asynccontextmanager
async def hearing(setting: Setting, topic: str) -> AsyncIterator[Heard]:
    """Follow a topic from its present end."""
    consumer = AIOKafkaConsumer(bootstrap_servers=setting.kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = await _partitions(consumer, topic)
        consumer.assign(partitions)
        await consumer.seek_to_end()
        for one in partitions:
            await consumer.position(one)
        yield Heard(consumer, setting.source)
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (known := consumer.partitions_for_topic(topic)):
            await consumer._client.force_metadata_update()
            await consumer.topics()
            await asyncio.sleep(0.1)
    return [TopicPartition(topic, one) for one in sorted(known)]


class Conformance:
    """The suite; `ground` comes from the subclass's module."""

    #: The table of connectors, and the program that runs with it.
    kinds: ClassVar[Mapping[str, Kind[Any]]] = KINDS
    program: ClassVar[str] = "services.ingest"

    @pytest.fixture
    async def setting(
        self,
        kafka: str,
        database: str,
        tmp_path: Path,
        topics: None,  # noqa: ARG002 - they must be there
        ground: Ground,
    ) -> Setting:
        keys = Keys(tmp_path / "keys")
        keys.folder.mkdir()
        keys.write()
        setting = Setting(tmp_path, kafka, database, keys, ground.source, program=self.program)
        setting.describe(ground)
        return setting

    async def test_what_is_there_and_what_comes_later_arrives(
        self, setting: Setting, ground: Ground
    ) -> None:
        await ground.add(range(60))
        async with hearing(setting, SUBJECT_EVENTS) as heard, running(setting) as ingest:
            await heard.until(lambda found: len(found) >= 60)
            await ground.add(range(60, 90))
            found = await heard.until(lambda found: len(found) >= 90)
            assert {one["subject"] for one in found} == {setting.subject(n) for n in range(90)}
            assert len({one["id"] for one in found}) == 90
            await ingest.until("/v1/connectors", lambda text: '"running"' in text)

    @pytest.mark.parametrize("point", POINTS)
    async def test_killed_at_any_point_it_loses_nothing(
        self, setting: Setting, ground: Ground, point: str
    ) -> None:
        await ground.add(range(40))
        setting.kill_at(point)
        async with hearing(setting, SUBJECT_EVENTS) as heard:
            async with running(setting) as ingest:
                assert await ingest.gone() == -signal.SIGKILL
            await ground.add(range(40, 55))
            async with running(setting):
                wanted = {setting.subject(number) for number in range(55)}
                found = await heard.until(lambda found: {e["subject"] for e in found} >= wanted)
                # What came twice came under its old id, so that it counts once.
                assert len({one["id"] for one in found}) == 55

    async def test_bad_records_are_kept_and_the_run_goes_on(
        self, setting: Setting, ground: Ground
    ) -> None:
        async with (
            hearing(setting, SUBJECT_EVENTS) as heard,
            hearing(setting, REJECTED_EVENTS) as refused,
        ):
            await ground.add(range(5))
            await ground.add_bad(3)
            await ground.add(range(5, 10))
            async with running(setting) as ingest:
                wanted = {setting.subject(number) for number in range(10)}
                await heard.until(lambda found: {e["subject"] for e in found} >= wanted)
                kept = await refused.until(lambda found: len(found) >= 3)
                assert len(kept) == 3
                for one in kept:
                    assert one["origin"]["via"] == "connector"
                    assert one["origin"]["connector"] == setting.name
                    assert one["origin"]["place"]
                    assert one["detail"]
                await ingest.until("/v1/connectors", lambda text: '"running"' in text)

    async def test_it_tells_how_fresh_its_source_is(self, setting: Setting, ground: Ground) -> None:
        await ground.add(range(3))
        fresh = re.compile(
            r'ingest_source_last_event_timestamp_seconds\{source="' + re.escape(setting.source)
        )
        read = f'ingest_connector_last_read_timestamp_seconds{{connector="{setting.name}"}}'
        state = f'ingest_connector_state{{connector="{setting.name}",state="running"}} 1.0'
        async with running(setting) as ingest:
            await ingest.until(
                "/metrics", lambda text: fresh.search(text) and read in text and state in text
            )

    async def test_a_clean_stop_leaves_nothing_to_be_repeated(
        self, setting: Setting, ground: Ground
    ) -> None:
        await ground.add(range(20))
        async with hearing(setting, SUBJECT_EVENTS) as heard:
            async with running(setting) as ingest:
                await heard.until(lambda found: len(found) >= 20)
                cursor = re.compile(r'"cursor":(?!null)')
                await ingest.until("/v1/connectors", cursor.search)
                assert await ingest.stop() in (0, -signal.SIGTERM)
                lines = ingest.log.read_text(encoding="utf-8").splitlines()
                levels = [json.loads(line)["level"] for line in lines if line.startswith("{")]
                assert "error" not in levels
            async with running(setting):
                await ground.add([20])
                await heard.until(lambda found: len(found) >= 21)
                assert len(await heard.all()) == 21

    async def test_no_page_is_larger_than_what_is_taken_in_at_once(
        self, setting: Setting, ground: Ground
    ) -> None:
        await ground.add(range(1_500))
        [configured] = configuration.read(setting.folder / "connectors.yaml", self.kinds)
        await migrate(setting.database, schema="ingest", migrations=MIGRATIONS)
        postgres = PostgresSettings(dsn=SecretStr(setting.database), pool_min=0)
        pool = await open_pool(postgres, schema="ingest", application_name="test")
        surroundings = Surroundings(
            name=configured.name,
            source=configured.source,
            domains=configured.domains,
            kafka=KafkaSettings(bootstrap_servers=setting.kafka),
            pool=pool,
            pseudonymiser=Pseudonymiser(setting.keys.pseudonym),
            clock=SystemClock(),
        )
        connector = await self.kinds[ground.kind].open(configured.config, surroundings)
        try:
            cursor, seen = None, 0
            while seen < 1_500:
                page = await connector.read(cursor)
                assert len(page.records) <= 1_000
                assert sum(len(one.original) for one in page.records) <= 8 * 1024 * 1024
                seen += len(page.records)
                # What is kept between two readings goes through JSON.
                cursor = json.loads(json.dumps(page.cursor))
                assert page.records or not page.is_last or seen >= 1_500
        finally:
            await connector.close()
            await pool.close()

    async def test_nobodys_number_leaves_the_edge(self, setting: Setting, ground: Ground) -> None:
        await ground.add(range(10))
        await ground.add_bad(2)
        async with (
            hearing(setting, SUBJECT_EVENTS) as heard,
            hearing(setting, REJECTED_EVENTS) as refused,
            running(setting) as ingest,
        ):
            wanted = {setting.subject(number) for number in range(10)}
            found = await heard.until(lambda found: {e["subject"] for e in found} >= wanted)
            kept = await refused.until(lambda found: len(found) >= 2)
            shown = [json.dumps(one) for one in found]
            shown += [json.dumps(one | {"sealed": ""}) for one in kept]
            shown += [await ingest.get(path) for path in ("/metrics", "/v1/connectors")]
            await ingest.stop()
            shown.append(ingest.log.read_text(encoding="utf-8"))
            shown.append(await _tables(setting.database))
            for number in range(10):
                assert not any(citizen(number) in text for text in shown)


async def _tables(database: str) -> str:
    """Everything that ingest has in PostgreSQL, but sealed originals."""
    connection = await asyncpg.connect(database)
    try:
        names = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'ingest'"
        )
        texts = []
        for (name,) in names:
            rows = await connection.fetch(f'SELECT to_jsonb(t)::text FROM ingest."{name}" t')  # noqa: S608
            for (text,) in rows:
                texts.append(json.dumps(json.loads(text) | {"sealed": ""}))
        return "\n".join(texts)
    finally:
        await connection.close()
