"""Reads the rows that transactions have written since the last pass."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import asyncpg
import structlog

from services.chassis.database import load_queries
from services.ingest.connectors.connector import (
    Cursor,
    Event,
    Kind,
    Page,
    RecordMapping,
    SourceRecord,
    Surroundings,
)
from services.ingest.connectors.page_size import fitting
from services.ingest.connectors.postgres import mapping, position
from services.ingest.connectors.postgres.config import PostgresConfig
from services.ingest.connectors.postgres.faults import LEAVING, told
from services.ingest.connectors.postgres.position import Position, Snapshot
from services.ingest.connectors.postgres.table import Table, table_of
from services.ingest.connectors.secret_file import secret_in

_SQL: Final = load_queries(Path(__file__).parent / "queries.sql")
_CONNECT_SECONDS: Final = 10.0
_LEAVE_SECONDS: Final = 2.0
#: The server should give up first, and say so.
_GRACE_SECONDS: Final = 10.0
_HELD: Final = timedelta(minutes=10)
#: So many rows are remembered so that they are not sent again while a transaction stays open.
_MOST_REMEMBERED: Final = 100_000


class PostgresConnector:
    """One table of a source's database."""

    def __init__(
        self, config: PostgresConfig, surroundings: Surroundings, connection: asyncpg.Connection
    ) -> None:
        self._config = config
        self._surroundings = surroundings
        self._connection = connection
        self._events_of = mapping_for(config, surroundings)
        self._table: Table | None = None
        self._log = structlog.get_logger(__name__)
        self._left = 0
        self._answered: Cursor | None = None
        #: Row versions that are with the broker, and would be read again: place → transaction.
        self._remembered: dict[str, int] = {}
        self._filenode: int | None = None
        self._warned_of: int | None = None

    @classmethod
    async def open(cls, config: PostgresConfig, surroundings: Surroundings) -> "PostgresConnector":
        """Connect to the source's database.

        Raises:
            SourceError: it does not answer, refuses us, or the file with its URL cannot be read.
        """
        dsn = secret_in(config.dsn_file)
        with told():
            connection = await asyncpg.connect(
                dsn,
                timeout=_CONNECT_SECONDS,
                command_timeout=config.statement_timeout_seconds + _GRACE_SECONDS,
                statement_cache_size=0,
                server_settings={"application_name": f"nhipso {surroundings.name}"},
            )
        return cls(config, surroundings, connection)

    async def read(self, cursor: Cursor | None) -> Page:
        """Read a page of the rows written since the last pass; see `position`.

        Raises:
            SourceError: what to look at in the source's database.
        """
        # Asked again from elsewhere than where the last answer ended, nothing of it is taken as sent.
        if cursor != self._answered:
            self._remembered.clear()
        before = position.position_of(cursor)
        with told():
            async with self._transaction():
                page = await self._read(before, cursor)
        self._answered = page.cursor
        return page

    def map(self, original: bytes) -> Sequence[Event]:
        """The events of a row, as the configuration says."""
        return self._events_of(original)

    async def close(self) -> None:
        """Close the connection; by force if the database does not take leave."""
        with suppress(*LEAVING):
            await self._connection.close(timeout=_LEAVE_SECONDS)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """A transaction that reads; each of its statements sees what is committed then."""
        milliseconds = int(self._config.statement_timeout_seconds * 1000)
        async with self._connection.transaction(isolation="read_committed", readonly=True):
            await self._connection.execute("SET LOCAL search_path TO pg_catalog")
            await self._connection.fetchrow(_SQL["settings"], str(milliseconds))
            yield

    async def _read(self, before: Position | None, cursor: Cursor | None) -> Page:
        if self._table is None:
            self._table = await table_of(self._connection, self._config)
            if not self._table.is_indexed:
                self._log.warning(
                    "no index begins with the watermark: every page reads the whole table",
                    connector=self._surroundings.name,
                    table=self._config.table,
                )
        table = self._table
        # Nobody may write the table anew between the question where it lies and the reading.
        await self._connection.execute(table.lock)
        filenode = await self._connection.fetchval(_SQL["filenode"], table.oid)
        if filenode != self._filenode:
            self._remembered.clear()
            self._filenode = filenode
        snapshot = await self._snapshot(table.oid)
        if before is None or before.under_way is None or not position.goes_on(before, snapshot):
            if cursor is not None and position.is_idle(before, snapshot):
                return Page([], cursor, is_last=True, behind=0)
            now = position.begin(before, snapshot, filenode)
        else:
            now = position.resume(before, filenode)
        found = await self._rows(table, now)
        rows = found[: fitting(len(_original(row)) for row in found)]
        last = (rows[-1]["watermark"], rows[-1]["ctid"]) if rows else None
        if last is not None and (len(found) == self._config.page_rows or len(rows) < len(found)):
            after = position.advance(now, last, is_number=table.is_numbered)
            behind = await self._behind(table, now, len(rows))
            is_last = False
        else:
            after = position.finish(now, last, is_number=table.is_numbered)
            behind, is_last = 0, True
            self._look_at_horizon(after, snapshot)
        records = self._new(rows, now, after)
        return Page(records, position.cursor_of(after), is_last=is_last, behind=behind)

    async def _snapshot(self, oid: int) -> Snapshot:
        row = await self._connection.fetchrow(_SQL["snapshot"], oid)
        return Snapshot.model_validate(dict(row))

    async def _rows(self, table: Table, now: Position) -> Sequence[Any]:
        after = now.under_way.after if now.under_way else None
        watermark, ctid = after or (None, None)
        rows: Sequence[Any] = await self._connection.fetch(
            table.rows,
            now.horizon,
            self._least(table, now),
            watermark,
            ctid,
            self._config.page_rows,
        )
        return rows

    async def _behind(self, table: Table, now: Position, read: int) -> int:
        """How many rows wait; counted once a pass."""
        if self._left <= 0 or (now.under_way is not None and now.under_way.after is None):
            self._left = await self._connection.fetchval(
                table.count, now.horizon, self._least(table, now)
            )
        self._left = max(0, self._left - read)
        return self._left

    def _least(self, table: Table, now: Position) -> str | None:
        return position.least_watermark(now, self._config.late, table.watermark_type)

    def _new(self, rows: Sequence[Any], now: Position, after: Position) -> list[SourceRecord]:
        """The rows that were not sent yet; those that the next pass will see are remembered."""
        new = [row for row in rows if self._remembered.get(row["ctid"]) != row["xid"]]
        keep_from = now.under_way.horizon if now.under_way else after.horizon
        if after.under_way is None:
            self._remembered = {
                ctid: xid for ctid, xid in self._remembered.items() if xid >= keep_from
            }
        for row in new:
            if row["xid"] >= keep_from and len(self._remembered) < _MOST_REMEMBERED:
                self._remembered[row["ctid"]] = row["xid"]
        return [
            SourceRecord(
                place=f"{self._config.table} ctid {row['ctid']} xmin {row['xid']}",
                original=_original(row),
            )
            for row in new
        ]

    def _look_at_horizon(self, after: Position, snapshot: Snapshot) -> None:
        since = after.held_since
        if since is None or snapshot.began - since < _HELD or self._warned_of == after.horizon:
            return
        self._warned_of = after.horizon
        self._log.warning(
            "a transaction of the source stays open: nothing is missed, but all that was written "
            "since is looked at again and again; see pg_stat_activity and pg_prepared_xacts there",
            connector=self._surroundings.name,
            transaction=after.horizon,
            since=since.isoformat(),
            rows=len(self._remembered),
        )


def _original(row: Any) -> bytes:
    """What is kept of a row: its columns as JSON, or the event in it, if there is one."""
    return (row["content"] or "null").encode()


def mapping_for(config: PostgresConfig, surroundings: Surroundings) -> RecordMapping:
    """The mapping alone, for records that are tried again."""
    return partial(
        mapping.events_of,
        config=config,
        source=surroundings.source,
        event_id=surroundings.pseudonymiser.event_id,
    )


POSTGRES: Final = Kind(config=PostgresConfig, open=PostgresConnector.open, mapping=mapping_for)
"""The row of the table of connectors."""
