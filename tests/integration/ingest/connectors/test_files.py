"""A watched folder passes the suite of connectors, and puts its files where they belong."""

import asyncio
import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest

from services.chassis.clock import FixedClock, SystemClock
from services.chassis.settings import KafkaSettings
from services.ingest.connectors.connector import SourceError, Surroundings
from services.ingest.connectors.files.config import FilesConfig
from services.ingest.connectors.files.connector import FilesConnector
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import ObjectionError, Refused
from tests.fakes.workbook import of_rows
from tests.integration.ingest.connectors.conformance import (
    Conformance,
    Setting,
    citizen,
    new_source,
    running,
)

HEADING = ("type", "subject", "time", "id", "level", "activated")


def row(number: int, level: str = "2") -> tuple[str, ...]:
    subject = f"citizen:{citizen(number)}"
    return ("identity.eid-changed.v1", subject, "01/03/2026 08:30", "", level, "true")


def text(rows: Iterable[Sequence[str]]) -> bytes:
    return "\n".join(",".join(one) for one in (HEADING, *rows)).encode()


@dataclass
class Drop:
    """A folder; whole files are renamed into it."""

    folder: Path
    kind: str = "files"
    domains: Sequence[str] = ("identity",)
    source: str = field(default_factory=new_source)
    count: int = 0

    @property
    def config(self) -> Mapping[str, Any]:
        return {"folder": str(self.folder), "settled_seconds": 0}

    def put(self, name: str, content: bytes) -> None:
        partial = self.folder / f".{name}"
        partial.write_bytes(content)
        partial.rename(self.folder / name)

    async def add(self, numbers: Iterable[int]) -> None:
        self.count += 1
        rows = [row(number) for number in numbers]
        if self.count % 2:
            self.put(f"{self.count}.csv", text(rows))
        else:
            self.put(f"{self.count}.xlsx", of_rows([HEADING, *rows]))

    async def add_bad(self, count: int) -> None:
        self.count += 1
        # The name of the file says whom it is about.
        name = f"{citizen(0)}-{self.count}.csv"
        self.put(name, text(row(number, level="two") for number in range(count)))


@pytest.fixture
def ground(tmp_path: Path) -> Drop:
    folder = tmp_path / "drop"
    folder.mkdir()
    return Drop(folder)


class TestFiles(Conformance):
    async def test_a_file_goes_to_done_with_a_report_of_what_was_refused(
        self, setting: Setting, ground: Drop
    ) -> None:
        rows = [row(1), row(2, level="two"), row(3, level="7"), row(4)]
        ground.put("tháng 3.csv", text(rows))
        ground.put("broken.csv", text(rows)[:-30] + b"\xff\xff")
        async with running(setting):
            await _until(lambda: not files_in(ground.folder))
        assert files_in(ground.folder / "done") == ["tháng 3.csv", "tháng 3.csv.report.csv"]
        report = reported(ground.folder / "done" / "tháng 3.csv.report.csv")
        assert report[0] == ["line", "column", "reason", "what to do"]
        assert [line[:3] for line in report[1:]] == [
            ["3", "level", "bad-data"],
            ["4", "level", "bad-data"],
        ]
        assert files_in(ground.folder / "failed") == ["broken.csv", "broken.csv.report.csv"]
        report = reported(ground.folder / "failed" / "broken.csv.report.csv")
        assert [line[0] for line in report[1:-1]] == ["3", "4"]
        assert report[-1][:3] == ["", "", "unreadable"]
        assert "is not UTF-8" in report[-1][3]


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def reported(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))


async def _until(done: Any) -> None:
    async with asyncio.timeout(60):
        while not done():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.05)


@pytest.fixture
def surroundings(ground: Drop) -> Surroundings:
    return Surroundings(
        name="drop",
        source=ground.source,
        domains=frozenset(ground.domains),
        kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        pool=cast("asyncpg.Pool", None),
        pseudonymiser=Pseudonymiser(b"k" * 32),
        clock=SystemClock(),
    )


def connector(ground: Drop, surroundings: Surroundings, **config: Any) -> FilesConnector:
    made = FilesConfig.model_validate({**ground.config, **config})
    return FilesConnector(made, surroundings)


async def read_all(reader: FilesConnector, cursor: Any = None) -> tuple[list[bytes], Any]:
    originals: list[bytes] = []
    while True:
        page = await reader.read(cursor)
        originals += [one.original for one in page.records]
        cursor = json.loads(json.dumps(page.cursor))
        if page.is_last:
            return originals, cursor


async def test_a_second_file_of_the_same_name_keeps_the_first(
    ground: Drop, surroundings: Surroundings
) -> None:
    reader = connector(ground, surroundings)
    cursor = None
    for number in range(3):
        ground.put("same.csv", text([row(number)]))
        originals, cursor = await read_all(reader, cursor)
        assert len(originals) == 1
    await reader.close()
    assert files_in(ground.folder / "done") == ["same (2).csv", "same (3).csv", "same.csv"]


async def test_reading_goes_on_where_it_stopped(ground: Drop, surroundings: Surroundings) -> None:
    for name, content in (
        ("a.csv", text(row(number) for number in range(1_200))),
        ("b.xlsx", of_rows([HEADING, *(row(number) for number in range(1_200, 2_000))])),
    ):
        ground.put(name, content)
    cursor, seen = None, []
    while True:
        reader = connector(ground, surroundings)  # each page by another process
        page = await reader.read(cursor)
        again = connector(ground, surroundings)
        assert (await again.read(cursor)).records == page.records
        seen += [reader.map(one.original)[0]["subject"] for one in page.records]
        cursor = json.loads(json.dumps(page.cursor))
        await reader.close()
        await again.close()
        if page.is_last:
            break
    assert seen == [f"citizen:{citizen(number)}" for number in range(2_000)]
    assert files_in(ground.folder / "done") == ["a.csv", "b.xlsx"]


async def test_a_file_is_left_alone_until_it_is_complete(
    ground: Drop, surroundings: Surroundings
) -> None:
    for name in (".hidden.csv", "~$open.xlsx", "coming.csv.part", "coming.tmp"):
        (ground.folder / name).write_bytes(text([row(1)]))
    (ground.folder / "folder.csv").mkdir()
    (ground.folder / "link.csv").symlink_to(ground.folder / ".hidden.csv")
    ground.put("fresh.csv", text([row(1)]))
    clock = FixedClock(SystemClock().now())
    reader = connector(ground, replace(surroundings, clock=clock), settled_seconds=20)
    originals, cursor = await read_all(reader)
    assert originals == []
    # An old time of change that a copy brought along does not make it complete.
    os.utime(ground.folder / "fresh.csv", (0, 0))
    assert (await read_all(reader, cursor))[0] == []
    clock.advance(timedelta(seconds=21))
    assert len((await read_all(reader, cursor))[0]) == 1
    await reader.close()


async def test_the_checkpoint_of_another_kind_is_refused(
    ground: Drop, surroundings: Surroundings
) -> None:
    reader = connector(ground, surroundings)
    with pytest.raises(SourceError, match="not one of a files connector"):
        await reader.read({"identity": "a", "horizon": 3})
    await reader.close()


async def test_a_file_that_changes_while_it_is_read_is_read_again(
    ground: Drop, surroundings: Surroundings
) -> None:
    ground.put("a.csv", text([row(1)]))
    reader = connector(ground, surroundings)
    page = await reader.read(None)
    with (ground.folder / "a.csv").open("ab") as file:
        file.write(b"\n" + ",".join(row(2)).encode())
    originals, _ = await read_all(reader, page.cursor)
    assert len(originals) == 2
    await reader.close()
    assert files_in(ground.folder / "done") == ["a.csv"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.pdf", b"%PDF", "only .csv and .xlsx"),
        ("a.xlsx", b"PK\x03\x04", "damaged"),
        ("a.csv", b"", "is empty"),
        ("a.csv", text([row(1)]) * 40, "is larger than 2,000 bytes"),
    ],
)
async def test_what_cannot_be_read_goes_to_failed_and_the_next_is_read(
    ground: Drop, surroundings: Surroundings, name: str, content: bytes, told: str
) -> None:
    ground.put(name, content)
    ground.put("fit.csv", text([row(1)]))
    reader = connector(ground, surroundings, max_bytes=2_000)
    assert len((await read_all(reader))[0]) == 1
    await reader.close()
    assert files_in(ground.folder / "failed") == [name, f"{name}.report.csv"]
    assert told in reported(ground.folder / "failed" / f"{name}.report.csv")[1][3]


async def test_what_is_told_twice_stands_in_the_report_once(
    ground: Drop, surroundings: Surroundings
) -> None:
    ground.put("a.csv", text([row(1, level="two")]))
    refused = None
    for _ in range(2):  # killed before the cursor was kept
        reader = connector(ground, surroundings)
        page = await reader.read(None)
        with pytest.raises(ObjectionError) as objection:
            reader.map(page.records[0].original)
        refused = Refused(
            objection.value.reason, objection.value.detail, None, None, None, None, None
        )
        await reader.heard([(0, refused)])
        await reader.close()
    reader = connector(ground, surroundings)
    await read_all(reader, page.cursor)
    await reader.close()
    assert len(reported(ground.folder / "done" / "a.csv.report.csv")) == 2
    assert files_in(ground.folder / ".refused") == []


async def test_a_reading_that_is_given_up_spoils_nothing(
    ground: Drop, surroundings: Surroundings
) -> None:
    ground.put("a.xlsx", of_rows([HEADING, *(row(number) for number in range(3_000))]))
    reader = connector(ground, surroundings)
    reading = asyncio.create_task(reader.read(None))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await reader.close()
    assert files_in(ground.folder) == ["a.xlsx"]
    again = connector(ground, surroundings)
    assert len((await read_all(again))[0]) == 3_000
    await again.close()


async def test_a_folder_that_is_not_there_is_told(ground: Drop, surroundings: Surroundings) -> None:
    reader = connector(ground, surroundings, folder=str(ground.folder / "no"))
    with pytest.raises(SourceError, match="the folder must be there"):
        await reader.read(None)
