"""An invented source's database: a table of accounts, and an outbox."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from services.chassis.clock import SystemClock
from services.chassis.settings import KafkaSettings
from services.ingest.connectors.connector import Cursor, Page, Surroundings
from services.ingest.connectors.postgres.config import PostgresConfig
from services.ingest.connectors.postgres.connector import PostgresConnector
from services.ingest.core.pseudonyms import Pseudonymiser
from tests.integration.ingest.connectors.conformance import citizen, new_source

TABLES = """
CREATE SCHEMA eid;
CREATE TABLE eid.accounts (
    cccd text PRIMARY KEY, level numeric(1), status text, updated_at timestamptz NOT NULL);
CREATE INDEX ON eid.accounts (updated_at);
CREATE TABLE public.outbox (id bigserial PRIMARY KEY, event jsonb);
"""

MAPPING = {
    "events": [
        {
            "type": "vn.nhipso.identity.eid-changed.v1",
            "when": {"status": ["ACTIVE", "LOCKED"]},
            "subject": "citizen:{cccd}",
            "time": {"field": "updated_at", "form": "rfc3339"},
            "data": {
                "level": {"field": "level", "as": "integer"},
                "activated": {"field": "status", "values": {"ACTIVE": True, "LOCKED": False}},
            },
        }
    ]
}

INSERT = "INSERT INTO eid.accounts VALUES ($1, 2, 'ACTIVE', coalesce($2, now()))"


def event(number: int, source: str) -> dict[str, Any]:
    """An invented event about the citizen of a number."""
    return {
        "specversion": "1.0",
        "id": f"outbox-{number}",
        "source": source,
        "type": "vn.nhipso.identity.eid-changed.v1",
        "subject": f"citizen:{citizen(number)}",
        "time": "2026-03-01T08:30:00+07:00",
        "data": {"level": 2, "activated": True},
    }


@dataclass
class Source:
    """The source's database, with a role that may only read."""

    url: str
    reader: str
    dsn_file: Path
    connection: asyncpg.Connection

    @classmethod
    async def make(cls, url: str, folder: Path) -> "Source":
        connection = await asyncpg.connect(url)
        await connection.execute(TABLES)
        role, password = f"reader_{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
        await connection.execute(
            f"CREATE ROLE {role} LOGIN PASSWORD '{password}';"
            f"GRANT USAGE ON SCHEMA eid TO {role};"
            f"GRANT SELECT ON eid.accounts, public.outbox TO {role}"
        )
        address = url.partition("@")[2]
        dsn_file = folder / "source.dsn"
        dsn_file.write_text(f"postgresql://{role}:{password}@{address}\n", encoding="utf-8")
        return cls(url, role, dsn_file, connection)

    async def close(self) -> None:
        await self.connection.execute(f"DROP OWNED BY {self.reader}; DROP ROLE {self.reader}")
        await self.connection.close()

    def accounts(self, **changes: Any) -> PostgresConfig:
        return PostgresConfig.model_validate(
            {
                "dsn_file": self.dsn_file,
                "table": "eid.accounts",
                "watermark": "updated_at",
                "mapping": MAPPING,
                **changes,
            }
        )

    def outbox(self, **changes: Any) -> PostgresConfig:
        return PostgresConfig.model_validate(
            {
                "dsn_file": self.dsn_file,
                "table": "outbox",
                "watermark": "id",
                "event_column": "event",
                **changes,
            }
        )


def surroundings() -> Surroundings:
    return Surroundings(
        name="under-test",
        source="urn:nhipso:source:vneid",
        domains=frozenset({"identity"}),
        kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        pool=None,
        pseudonymiser=Pseudonymiser(bytes(32)),
        clock=SystemClock(),
    )


@dataclass
class Reading:
    """A connector, and where it stands: what the pipeline keeps."""

    connector: PostgresConnector
    cursor: Cursor | None = None
    originals: list[bytes] = field(default_factory=list)

    async def page(self) -> Page:
        page = await self.connector.read(self.cursor)
        self.cursor = json.loads(json.dumps(page.cursor))
        self.originals += [record.original for record in page.records]
        return page

    async def all(self) -> list[bytes]:
        """Everything that is new, page by page."""
        before = len(self.originals)
        while not (await self.page()).is_last:
            pass
        return self.originals[before:]

    async def subjects(self) -> list[str]:
        """The citizens of everything that is new, in order of their numbers."""
        events = [event for one in await self.all() for event in self.connector.map(one)]
        return sorted(event["subject"].removeprefix("citizen:") for event in events)


@dataclass
class Outbox:
    """The outbox, as a ground of the conformance suite."""

    database: Source
    kind: str = "postgres"
    domains: Sequence[str] = ("identity",)
    source: str = field(default_factory=new_source)

    @property
    def config(self) -> Mapping[str, Any]:
        return self.database.outbox().model_dump(mode="json", exclude_unset=True)

    async def add(self, numbers: Iterable[int]) -> None:
        await self.database.connection.executemany(
            "INSERT INTO outbox (event) VALUES ($1)",
            [(json.dumps(event(number, self.source)),) for number in numbers],
        )

    async def add_bad(self, count: int) -> None:
        wrong = {**event(0, self.source), "specversion": "0.3"}
        bad = [None, '["no", "event"]', json.dumps(wrong)]
        await self.database.connection.executemany(
            "INSERT INTO outbox (event) VALUES ($1)",
            [(bad[number % len(bad)],) for number in range(count)],
        )


@dataclass
class Accounts:
    """The table of accounts, as a ground of the conformance suite."""

    database: Source
    kind: str = "postgres"
    domains: Sequence[str] = ("identity",)
    source: str = field(default_factory=new_source)

    @property
    def config(self) -> Mapping[str, Any]:
        return {
            "dsn_file": str(self.database.dsn_file),
            "table": "eid.accounts",
            "watermark": "updated_at",
            "late": 3_600,
            "mapping": MAPPING,
        }

    async def add(self, numbers: Iterable[int]) -> None:
        await self.database.connection.executemany(
            INSERT, [(citizen(number), None) for number in numbers]
        )

    async def add_bad(self, count: int) -> None:
        await self.database.connection.executemany(
            "INSERT INTO eid.accounts VALUES ($1, NULL, 'ACTIVE', now())",
            [(f"{number:012}",) for number in range(count)],
        )
