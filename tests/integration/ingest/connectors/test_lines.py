"""The smallest connector passes the suite, so the suite asks for nothing that a small one lacks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from services.ingest.connectors.connector import Kind
from tests.fakes.lines.connector import LINES
from tests.integration.ingest.connectors.conformance import Conformance, citizen, new_source


@dataclass
class Lines:
    """A file of events."""

    path: Path
    kind: str = "lines"
    domains: Sequence[str] = ("identity",)
    source: str = field(default_factory=new_source)

    @property
    def config(self) -> Mapping[str, Any]:
        return {"path": str(self.path)}

    async def add(self, numbers: Iterable[int]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            for number in numbers:
                event = {
                    "specversion": "1.0",
                    "id": f"line-{number}",
                    "source": self.source,
                    "type": "vn.nhipso.identity.eid-changed.v1",
                    "subject": f"citizen:{citizen(number)}",
                    "time": "2026-03-01T08:30:00+07:00",
                    "data": {"level": 2, "activated": True},
                }
                file.write(json.dumps(event) + "\n")

    async def add_bad(self, count: int) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines("not an event\n" for _ in range(count))


@pytest.fixture
def ground(tmp_path: Path) -> Lines:
    path = tmp_path / "events.ndjson"
    path.touch()
    return Lines(path)


class TestLines(Conformance):
    kinds: ClassVar[Mapping[str, Kind[Any]]] = {"lines": LINES}
    program = "tests.fakes.lines"
