"""Reports in PostgreSQL: versions that are only ever added, and the outbox of their events."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg

from services.chassis.database import load_queries
from services.ingest.reports.core.figures import Change, Figure

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "reports.sql")

#: First key of the advisory locks; the second is reporter and period, hashed.
_LOCKS: Final = 0x6E68_7270

State = Literal["pending", "accepted", "refused"]


@dataclass(frozen=True, slots=True)
class Latest:
    """The version of a reporter and period that holds or is about to."""

    id: UUID
    version: int
    state: State
    submitted_at: datetime
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a report beside its file and figures."""

    id: UUID
    reporter: str
    """The subject of its events: ``area:…`` or ``agency:…``."""
    period: str
    version: int
    state: State
    submitted_at: datetime
    accepted_at: datetime | None
    detail: str
    remarks: Mapping[str, str]
    sub: str
    role: str
    media_type: str
    sha256: bytes
    file_bytes: int


@dataclass(frozen=True, slots=True)
class New:
    """A report to be kept."""

    id: UUID
    reporter: str
    period: str
    version: int
    submitted_at: datetime
    sub: str
    role: str
    media_type: str
    sha256: bytes
    file: bytes
    figures: Sequence[Figure]
    remarks: Mapping[str, str]
    events: Sequence[Mapping[str, Any]]


async def take_turn(connection: asyncpg.Connection, reporter: str, period: str) -> None:
    """Wait until nobody else makes a version of this reporter and period; to the transaction's end."""
    await connection.execute(_SQL["take_turn"], _LOCKS, f"{reporter} {period}")


async def latest(connection: asyncpg.Connection, reporter: str, period: str) -> Latest | None:
    """The version that holds, or is about to as soon as the broker has it."""
    row = await connection.fetchrow(_SQL["latest"], reporter, period)
    return None if row is None else Latest(*row)


async def last_version(
    connection: asyncpg.Connection, reporter: str, period: str
) -> tuple[int, datetime | None]:
    """The highest number that a version has (0: none), and the latest time of one."""
    return tuple(await connection.fetchrow(_SQL["last_version"], reporter, period))


async def keep(connection: asyncpg.Connection, new: New) -> None:
    """Keep a report as pending, with its figures and events."""
    remarks = json.dumps(dict(new.remarks), ensure_ascii=False)
    await connection.execute(
        _SQL["keep"],
        new.id,
        new.reporter,
        new.period,
        new.version,
        new.submitted_at,
        remarks,
        new.sub,
        new.role,
        new.media_type,
        new.sha256,
        new.file,
    )
    columns: list[list[Any]] = [
        [getattr(figure, name) for figure in new.figures]
        for name in ("indicator", "numerator", "denominator", "value", "note", "change")
    ]
    await connection.execute(_SQL["keep_figures"], new.id, *columns)
    events = [json.dumps(event, ensure_ascii=False) for event in new.events]
    await connection.execute(_SQL["keep_events"], new.id, events)


async def waiting(pool: asyncpg.Pool, before: datetime) -> list[UUID]:
    """Pending reports that were submitted before a moment, earliest first."""
    return [row["id"] for row in await pool.fetch(_SQL["waiting"], before)]


async def count_waiting(pool: asyncpg.Pool) -> int:
    """How many reports are pending."""
    return int(await pool.fetchval(_SQL["count_waiting"]))


async def events(pool: asyncpg.Pool, report: UUID) -> list[bytes]:
    """The events of a pending report, as they are to be published."""
    return [row["event"].encode() for row in await pool.fetch(_SQL["events"], report)]


async def settle(
    connection: asyncpg.Connection,
    report: UUID,
    state: State,
    *,
    detail: str = "",
    accepted_at: datetime | None = None,
) -> bool:
    """End the waiting of a report; False when somebody else has."""
    done = await connection.fetchval(_SQL["settle"], report, state, detail, accepted_at)
    if done is not None:
        await connection.execute(_SQL["forget_events"], report)
    return done is not None


async def read(pool: asyncpg.Pool, report: UUID) -> Kept | None:
    """What is kept of a report."""
    row = await pool.fetchrow(_SQL["report"], report)
    return None if row is None else _kept(row)


async def read_file(pool: asyncpg.Pool, report: UUID) -> bytes:
    """The file as it was sent."""
    return bytes(await pool.fetchval(_SQL["file"], report))


async def figures(connection: asyncpg.Connection | asyncpg.Pool, report: UUID) -> dict[str, Figure]:
    """The figures of a report, by indicator."""
    rows = await connection.fetch(_SQL["figures"], report)
    return {row["indicator"]: _figure(row) for row in rows}


async def figures_of(
    pool: asyncpg.Pool, reporter: str, periods: Sequence[str]
) -> dict[str, tuple[int, dict[str, Figure]]]:
    """Period → number and figures of the version that holds."""
    found: dict[str, dict[str, Figure]] = defaultdict(dict)
    versions: dict[str, int] = {}
    for row in await pool.fetch(_SQL["figures_of"], reporter, list(periods)):
        found[row["period"]][row["indicator"]] = _figure(row)
        versions[row["period"]] = row["version"]
    return {period: (versions[period], by_id) for period, by_id in found.items()}


async def listed(
    pool: asyncpg.Pool,
    reporters: Sequence[str] | None,
    period: str | None,
    after: UUID | None,
    limit: int,
) -> list[Kept]:
    """Reports, the latest first; of all reporters without a list of them."""
    rows = await pool.fetch(
        _SQL["list"], None if reporters is None else list(reporters), period, after, limit
    )
    return [_kept(row) for row in rows]


def _kept(row: Any) -> Kept:
    return Kept(**{**row, "remarks": json.loads(row["remarks"])})


def _figure(row: Any) -> Figure:
    return Figure(
        row["indicator"],
        row["numerator"],
        row["denominator"],
        row["value"],
        row["note"],
        Change(row["change"]),
    )
