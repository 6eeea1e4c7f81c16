"""No identifier of a citizen or household that was sent to the edge is found behind it."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer

from tests.e2e.comparison import Oracle, settled_differences
from tests.e2e.conftest import Sent
from tests.e2e.hard.stream import hard_stream
from tests.e2e.line import Line
from tests.e2e.sending import batches, sender

EVENTS: Final = 5_000
FAULTS: Final = 400
SETTLED_SECONDS: Final = 60.0
SERVICES: Final = ("ingest", "scoring", "notifier", "dashboard")

#: Twelve digits or more, also with one sign between two of them.
LONG_NUMBER: Final = re.compile(r"\d(?:[ ._-]?\d){11,}")
HOUSEHOLD_CODE: Final = re.compile(r"HoKhau-\d{8}-Q", re.IGNORECASE)


class Watch:
    """Knows what must not be found, and what was looked through."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        self._identifiers = frozenset(identifiers)
        self.found: list[str] = []

    def look(self, place: str, content: Any) -> None:
        """Look through a text, or bytes as they are; note each place where something stands."""
        text = content.decode("latin-1") if isinstance(content, bytes) else str(content)
        if any(one in self._identifiers for one in _candidates(text)):
            # The place alone: a failing test must not print numbers either.
            self.found.append(place)


def _candidates(text: str) -> Iterator[str]:
    """Everything in a text that could be an identifier of those that were sent."""
    for match in LONG_NUMBER.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        yield from (digits[at : at + 12] for at in range(len(digits) - 11))
    yield from HOUSEHOLD_CODE.findall(text)


def identifiers_of(sent: Sent) -> set[str]:
    """Identifiers of all citizens and households in what was sent, accepted or refused."""
    found = set()
    for item in sent.ledger.items:
        kind, _, identifier = str(item.event["subject"]).partition(":")
        if kind == "citizen":
            found.add(identifier[:12])  # a faulty number is one digit too long
        elif kind == "household":
            found.add(identifier)
    return found


async def test_no_identifier_is_found_behind_the_edge(sent: Sent) -> None:
    rng = Random(3)
    items = hard_stream(20_263, EVENTS, datetime.now(UTC), faults=FAULTS)
    sent.ledger.items += items
    async with sender(sent.line) as to:
        await to.send(batches(items, lambda: rng.choice((1, 40, 200))), mode=rng)
    oracle: Oracle = sent.ledger.oracle()
    assert not await settled_differences(sent.line, oracle, SETTLED_SECONDS)

    identifiers = identifiers_of(sent)
    assert {text.partition("-")[0] for text in identifiers if text[0] == "H"} == {"HoKhau"}
    watch = Watch(identifiers)
    records = await look_through_topics(sent.line, watch)
    refused = sum(item.reason is not None for item in sent.ledger.items)
    assert records["subject-events.v1"] >= len(sent.ledger.items) - refused
    assert records["rejected-events.v1"] >= refused
    assert await look_through_tables(sent.line, watch) > EVENTS / 20
    await look_through_metrics(sent.line, watch)
    assert await asyncio.to_thread(look_through_files, sent.line, watch) >= len(SERVICES)
    assert not watch.found, f"found in {len(watch.found)} places: {watch.found[:10]}"


def test_the_watch_sees_what_it_must_see() -> None:
    watch = Watch({"000123456789", "HoKhau-00000001-Q"})
    watch.look("as it is", 'x"000123456789"')
    watch.look("inside a longer number", b"\x0099000123456789")
    watch.look("broken up", "000 123 456 789")
    watch.look("a code", "hộ HoKhau-00000001-Q")
    watch.look("another", "000123456780 HoKhau-00000002-Q")
    assert watch.found == ["as it is", "inside a longer number", "broken up", "a code"]


async def look_through_topics(line: Line, watch: Watch) -> Counter[str]:
    """Look through every record of every topic; how many there are of each."""
    seen: Counter[str] = Counter()
    bootstrap = line.endpoints()["kafka"]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as asking:
        topics = await asking.topics()
    # Without a group a consumer is given every partition of its topics.
    async with AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    ) as reading:
        async for record in whole(reading):
            seen[record.topic] += 1
            parts = (record.key, record.value, *(value for _, value in record.headers))
            for part in filter(None, parts):
                watch.look(f"{record.topic} {record.partition} {record.offset}", part)
    return seen


async def whole(reading: AIOKafkaConsumer) -> AsyncIterator[Any]:
    """All records from the beginning up to the present end."""
    ends = await reading.end_offsets(reading.assignment())
    while any([await reading.position(one) < end for one, end in ends.items()]):
        for records in (await reading.getmany(timeout_ms=1000)).values():
            for record in records:
                yield record


async def look_through_tables(line: Line, watch: Watch) -> int:
    """Look through every row of every table in every schema; how many there are."""
    connection = await asyncpg.connect(line.endpoints()["postgres"])
    tables = """
        SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
        WHERE table_type = 'BASE TABLE'
            AND table_schema NOT IN ('pg_catalog', 'information_schema')
    """
    rows = 0
    try:
        for (table,) in await connection.fetch(tables):
            for row in await connection.fetch(f"SELECT * FROM {table}"):  # noqa: S608  # our own
                rows += 1
                for column, value in row.items():
                    watch.look(f"{table}.{column}", value)
    finally:
        await connection.close()
    return rows


async def look_through_metrics(line: Line, watch: Watch) -> None:
    async with aiohttp.ClientSession() as http:
        for service in SERVICES:
            async with http.get(f"{line.endpoints()[service]}/metrics") as answer:
                assert answer.status == 200
                watch.look(f"/metrics of {service}", await answer.text())


def look_through_files(line: Line, watch: Watch) -> int:
    """Look through logs, mail and everything else that is no data of a broker or database."""
    looked = 0
    for path in line.data_dir.rglob("*"):
        inside = path.relative_to(line.data_dir).parts[0]
        if path.is_file() and inside not in {"kafka", "postgres"}:
            looked += 1
            watch.look(str(path.relative_to(line.data_dir)), path.read_bytes())
    return looked
