"""What is peculiar to topics: codecs, transactions, partitions, retention, damage."""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.record.util import calc_crc32c
from structlog.testing import capture_logs

from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from services.chassis.clock import SystemClock
from services.chassis.settings import KafkaSettings
from services.ingest.connectors.connector import (
    Connector,
    Event,
    Page,
    SourceError,
    Surroundings,
    UnmappableError,
)
from services.ingest.connectors.kafka import connector as module
from services.ingest.connectors.kafka.config import KafkaConfig
from services.ingest.connectors.kafka.connector import open_connector
from services.ingest.connectors.kafka.records import UNREADABLE
from services.ingest.core.pseudonyms import Pseudonymiser
from tests.integration.ingest.connectors.test_kafka_conformance import create, event, producing

CODECS = ("gzip", "snappy", "lz4", "zstd")
PATIENCE_SECONDS = 60


@pytest.fixture
async def topic(kafka: str) -> str:
    name = f"inbox.{secrets.token_hex(6)}.v1"
    await create(kafka, name, partitions=2)
    return name


@pytest.fixture
async def pool() -> asyncpg.Pool:
    # The connector does not use it, so it is never connected.
    return asyncpg.create_pool("postgresql://127.0.0.1:1/none", min_size=0)


@asynccontextmanager
async def opened(kafka: str, pool: asyncpg.Pool, **config: Any) -> AsyncIterator[Connector]:
    surroundings = Surroundings(
        name="under-test",
        source=f"urn:nhipso:source:{secrets.randbelow(10**9)}",
        domains=frozenset({"identity"}),
        kafka=KafkaSettings(bootstrap_servers=kafka),
        pool=pool,
        pseudonymiser=Pseudonymiser(secrets.token_bytes(32)),
        clock=SystemClock(),
    )
    connector = await open_connector(KafkaConfig.model_validate(config), surroundings)
    try:
        yield connector
    finally:
        await connector.close()


async def pages_until(
    connector: Connector, cursor: Any, enough: Callable[[list[Page]], bool]
) -> list[Page]:
    """Read on from a cursor."""
    pages: list[Page] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not enough(pages):
            page = await connector.read(cursor)
            cursor = json.loads(json.dumps(page.cursor))
            pages.append(page)
    return pages


async def read(connector: Connector, count: int, cursor: Any = None) -> list[Event]:
    """The next events."""
    pages = await pages_until(
        connector, cursor, lambda pages: sum(len(page.records) for page in pages) >= count
    )
    return [
        event for page in pages for one in page.records for event in connector.map(one.original)
    ]


def records(pages: Sequence[Page]) -> int:
    return sum(len(page.records) for page in pages)


async def send(kafka: str, topic: str, numbers: Sequence[int], partition: int = 0) -> None:
    async with producing(kafka) as producer:
        for number in numbers:
            await producer.send_and_wait(topic, value(number), partition=partition)


def value(number: int) -> bytes:
    return json.dumps(event(number, "urn:nhipso:source:invented")).encode()


@pytest.mark.parametrize("codec", CODECS)
async def test_every_codec_of_aiokafka_is_read(
    kafka: str, topic: str, pool: asyncpg.Pool, codec: str
) -> None:
    async with producing(kafka, compression_type=codec, linger_ms=20) as producer:
        sent = [await producer.send(topic, value(number)) for number in range(50)]
        await asyncio.gather(*sent)
    async with opened(kafka, pool, topic=topic) as connector:
        found = await read(connector, 50)
    assert {one["id"] for one in found} == {f"eid-{number}" for number in range(50)}


async def test_every_codec_of_apache_kafka_is_read(
    kafka: str, topic: str, pool: asyncpg.Pool
) -> None:
    lines = [
        value(number).decode().replace(f"eid-{number}", f"CODEC-{number}") for number in range(50)
    ]
    command = [sys.executable, "-m", "tests.debezium.produce", kafka, topic, *CODECS]
    await asyncio.to_thread(
        subprocess.run, command, input="\n".join(lines), text=True, check=True, timeout=120
    )
    async with opened(kafka, pool, topic=topic) as connector:
        found = await read(connector, 200)
    wanted = {f"{codec}-{number}" for codec in CODECS for number in range(50)}
    assert {one["id"] for one in found} == wanted


async def test_binary_mode_is_read(kafka: str, topic: str, pool: asyncpg.Pool) -> None:
    whole = event(7, "urn:nhipso:source:invented")
    headers = [
        (f"ce_{name}", text.encode()) for name, text in whole.items() if isinstance(text, str)
    ]
    data = json.dumps(whole["data"]).encode()
    async with producing(kafka) as producer:
        await producer.send(topic, data, headers=[*headers, ("content-type", b"application/json")])
    async with opened(kafka, pool, topic=topic) as connector:
        assert await read(connector, 1) == [whole | {"datacontenttype": "application/json"}]


async def test_what_a_transaction_took_back_is_not_read(
    kafka: str, topic: str, pool: asyncpg.Pool
) -> None:
    async with producing(kafka, transactional_id=secrets.token_hex(6)) as producer:
        for number, committed in ((1, True), (2, False), (3, True), (4, False)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value(number), partition=0)
            await (producer.commit_transaction if committed else producer.abort_transaction)()
        await producer.begin_transaction()
        await producer.send_and_wait(topic, value(5), partition=0)
        async with opened(kafka, pool, topic=topic) as connector:
            # The last one is open: it is not waited for, and does not count as waiting.
            pages = await pages_until(
                connector, None, lambda pages: bool(pages) and pages[-1].cursor == {"0": 8, "1": 0}
            )
            found = [connector.map(one.original)[0] for page in pages for one in page.records]
            assert [one["id"] for one in found] == ["eid-1", "eid-3"]
            assert pages[-1].behind == 0
            await producer.commit_transaction()
            assert [one["id"] for one in await read(connector, 1, pages[-1].cursor)] == ["eid-5"]


async def test_the_checkpoint_of_another_kind_is_refused(
    kafka: str, topic: str, pool: asyncpg.Pool
) -> None:
    await send(kafka, topic, [1])
    async with opened(kafka, pool, topic=topic) as connector:
        with pytest.raises(SourceError, match="not one of a kafka connector"):
            await connector.read({"identity": "a", "horizon": 3})


async def test_a_new_partition_is_noticed(
    kafka: str, topic: str, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_METADATA_MS", 500)
    await send(kafka, topic, [1])
    async with opened(kafka, pool, topic=topic) as connector:
        pages = await pages_until(connector, None, lambda pages: records(pages) == 1)
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        try:
            await admin.create_partitions({topic: NewPartitions(3)})
        finally:
            await admin.close()
        await send(kafka, topic, [2], partition=2)
        [found] = await read(connector, 1, pages[-1].cursor)
        assert found["id"] == "eid-2"


async def test_what_retention_removed_is_told_and_the_run_goes_on(
    kafka: str, topic: str, pool: asyncpg.Pool
) -> None:
    await send(kafka, topic, range(10))
    async with opened(kafka, pool, topic=topic) as connector:
        await delete_before(kafka, topic, 4)
        with capture_logs() as logs:
            pages = await pages_until(connector, {"0": 1}, lambda pages: records(pages) == 6)
        assert sum(page.lost for page in pages) == 3
        [line] = [line for line in logs if "retention" in line["event"]]
        assert (line["log_level"], line["offsets"], line["reading_from"]) == ("error", 3, 4)

        # While it reads, too: what it stands at is removed before it comes.
        cursor = pages[-1].cursor
        await connector.close()
    await send(kafka, topic, range(10, 15))
    async with opened(kafka, pool, topic=topic, page_records=1) as connector:
        first = await connector.read(cursor)
        await delete_before(kafka, topic, 13)
        rest = await pages_until(
            connector,
            first.cursor,
            lambda pages: bool(pages) and pages[-1].cursor == {"0": 15, "1": 0},
        )
        # What was fetched ahead may still come; what is gone is counted, and nothing else.
        assert records([first, *rest]) + sum(page.lost for page in rest) == 5


async def delete_before(kafka: str, topic: str, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(offset)})
    finally:
        await admin.close()


async def test_a_topic_that_was_made_anew_is_read_from_its_beginning(
    kafka: str, topic: str, pool: asyncpg.Pool
) -> None:
    await send(kafka, topic, range(3))
    async with opened(kafka, pool, topic=topic) as connector:
        with capture_logs() as logs:
            found = await read(connector, 3, {"0": 1_000, "1": 0})
    assert len(found) == 3
    assert [line["partition"] for line in logs if "read anew" in line["event"]] == [0]


async def test_a_record_that_cannot_be_decoded_takes_no_more_with_it_than_the_rest_of_its_batch(
    kafka: str, topic: str, pool: asyncpg.Pool
) -> None:
    async with producing(kafka) as producer:
        await producer.send_and_wait(topic, value(1), partition=0)
        await send_with_bad_header(producer, topic, [2, 3, 4], bad=3)
        await producer.send_and_wait(topic, value(5), partition=0)
        await producer.send_and_wait(topic, value(6), partition=1)
    async with opened(kafka, pool, topic=topic) as connector:
        pages = await pages_until(connector, None, lambda pages: records(pages) >= 6)
        mapped: list[str] = []
        refused: list[str] = []
        for one in (one for page in pages for one in page.records):
            try:
                mapped += [found["id"] for found in connector.map(one.original)]
            except UnmappableError as error:
                refused.append(f"{one.place}: {error.detail}")
        assert sorted(mapped) == ["eid-1", "eid-2", "eid-5", "eid-6"]
        assert [why.partition(":")[0] for why in refused] == [
            f"topic {topic}, partition 0, offset {offset}" for offset in (2, 3)
        ]
        assert all("cannot decode" in why for why in refused)


async def send_with_bad_header(
    producer: AIOKafkaProducer, topic: str, numbers: Sequence[int], bad: int
) -> None:
    """Send a batch as a client of another language might: Kafka does not check headers' names."""
    batch = producer.create_batch()
    for number in numbers:
        headers = [("XX", b"")] if number == bad else []
        batch.append(timestamp=None, key=None, value=value(number), headers=headers)
    batch.close()
    batch._build()
    buffer = bytearray(batch._buffer)
    at = buffer.index(b"XX")
    buffer[at : at + 2] = b"\xff\xfe"
    # Magic 2: the checksum stands in bytes 17 to 20 and covers what comes after.
    buffer[17:21] = calc_crc32c(bytes(buffer[21:])).to_bytes(4)
    batch._buffer = buffer
    await (await producer.send_batch(batch, topic, partition=0))


async def test_a_page_is_bounded_in_bytes(kafka: str, topic: str, pool: asyncpg.Pool) -> None:
    async with producing(kafka) as producer:
        for number in range(6):
            padded = value(number) + b" " * 400_000
            await producer.send_and_wait(topic, padded, partition=number % 2)
    async with opened(kafka, pool, topic=topic, page_bytes=1_000_000) as connector:
        pages = await pages_until(connector, None, lambda pages: records(pages) >= 6)
        assert max(len(page.records) for page in pages) <= 2
        found = [connector.map(one.original)[0]["id"] for page in pages for one in page.records]
        assert sorted(found) == [f"eid-{number}" for number in range(6)]


async def test_behind_is_the_lag(kafka: str, topic: str, pool: asyncpg.Pool) -> None:
    await send(kafka, topic, range(5))
    async with opened(kafka, pool, topic=topic, page_records=2) as connector:
        pages = await pages_until(connector, None, lambda pages: records(pages) >= 5)
    behind = [page.behind for page in pages if page.records]
    assert behind == [3, 1, 0]


async def test_a_topic_or_broker_that_is_not_there_is_an_error_of_the_source(
    kafka: str, pool: asyncpg.Pool
) -> None:
    with pytest.raises(SourceError, match=r"no topic inbox\.nowhere\.v1"):
        async with opened(kafka, pool, topic="inbox.nowhere.v1"):
            pass
    with pytest.raises(SourceError, match="does not answer"):
        async with opened(f"127.0.0.1:{free_port()}", pool):
            pass


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Kafka]:
    """A broker of this test's own, which it may stop."""
    broker = Kafka(tmp_path, port=free_port(), controller_port=free_port(), heap="256m")
    broker.start()
    try:
        broker.wait_ready(60)
        yield broker
    finally:
        broker.stop()


async def test_a_broker_that_goes_away_is_noticed_and_damage_on_its_disk_passed(
    own_broker: Kafka, pool: asyncpg.Pool
) -> None:
    kafka, topic = own_broker.bootstrap, "inbox.away.v1"
    await create(kafka, topic)
    await send(kafka, topic, [1])
    async with opened(kafka, pool, topic=topic) as connector:
        pages = await pages_until(connector, None, lambda pages: records(pages) == 1)
        await send(kafka, topic, [2, 3, 4])
        own_broker.stop()
        cursor = pages[-1].cursor
        # aiokafka by itself would only say that there is nothing.
        with pytest.raises(SourceError, match="cannot be read"):
            await pages_until(connector, cursor, lambda _: False)

    log = own_broker.directory / "log" / f"{topic}-0" / f"{0:020d}.log"
    log.write_bytes(log.read_bytes().replace(b"eid-3", b"eid-X"))
    own_broker.start()
    own_broker.wait_ready(60)
    async with opened(kafka, pool, topic=topic) as connector:
        pages = await pages_until(connector, cursor, lambda pages: records(pages) >= 3)
        found = [one.original for page in pages for one in page.records]
    assert found == [value(2), UNREADABLE, value(4)]
