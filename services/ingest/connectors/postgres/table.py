"""Looks at the table once, and writes the queries for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from services.chassis.database import load_queries
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.postgres.config import PostgresConfig
from services.ingest.connectors.postgres.position import NUMBERS, TIMES

_SQL: Final = load_queries(Path(__file__).parent / "queries.sql")
#: PostgreSQL writes the values itself: the same row gives the same text, under the settings there.
_ROW: Final = "(SELECT row_to_json(r)::text FROM (SELECT {columns}) r)"
_LOCK: Final = "LOCK TABLE ONLY {table} IN ACCESS SHARE MODE"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be read, and what to ask for."""

    oid: int
    watermark_type: str
    is_indexed: bool
    rows: str
    count: str
    lock: str

    @property
    def is_numbered(self) -> bool:
        """Whether the watermark counts, instead of telling a time."""
        return self.watermark_type in NUMBERS


async def table_of(connection: asyncpg.Connection, config: PostgresConfig) -> Table:
    """Look at the table.

    Raises:
        SourceError: it cannot be read, or not without missing rows; says why.
    """
    schema, _, name = config.table.rpartition(".")
    table = f"{_quoted(schema or 'public')}.{_quoted(name)}"
    found = await connection.fetchrow(_SQL["describe"], table, config.watermark)
    if found is None:
        raise SourceError(f"there is no table {config.table}, or the role may not use its schema")
    fault = _fault(found, config)
    if fault is not None:
        raise SourceError(f"the table {config.table} {fault}")
    names = {
        "table": table,
        "watermark": _quoted(config.watermark),
        "type": found["type"],
        "content": _content(config),
    }
    return Table(
        oid=found["oid"],
        watermark_type=found["type"],
        is_indexed=found["is_indexed"],
        rows=_filled(_SQL["rows"], names),
        count=_filled(_SQL["count"], names),
        lock=_filled(_LOCK, names),
    )


def _fault(found: Any, config: PostgresConfig) -> str | None:
    missing = sorted({config.watermark, *config.columns} - set(found["columns"]))
    if found["kind"] != "r":
        return "is no plain table; of a partitioned one, name each partition by itself"
    if not found["is_readable"]:
        return "may not be read by this role; GRANT SELECT on it"
    if missing:
        return f"has no column {', '.join(missing)}"
    if found["type"] not in NUMBERS | TIMES:
        return f"has in {config.watermark} neither times nor whole numbers"
    if not found["is_never_null"]:
        return f"may hold null in {config.watermark}, and such rows would not be found"
    return None


def _content(config: PostgresConfig) -> str:
    columns = ", ".join(f"t.{_quoted(column)}" for column in config.columns)
    if config.mapping is None:
        return f"{columns}::text"
    return _filled(_ROW, {"columns": columns})


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _filled(query: str, names: dict[str, str]) -> str:
    for name, text in names.items():
        query = query.replace("{" + name + "}", text)
    return query
