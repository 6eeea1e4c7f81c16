"""Alerts, and the events about them that are still to be published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from contracts.updates import AlertState, Severity
from services.chassis.database import load_queries
from services.notifier.core.alert import Alert, AlertKind, Step
from services.notifier.core.decide import Reason
from services.notifier.core.figure import FigureKey, Other, Standing
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("alerts"))
_OUTBOX: Final = load_queries(queries_of("outbox"))


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None lets everything pass. `visible` are the areas a unit may see."""

    state: AlertState | None = None
    area: str | None = None
    indicator: str | None = None
    severity: Severity | None = None
    visible: Sequence[str] | None = None
    id: UUID | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event that waits for its topic."""

    number: int
    id: str
    key: str
    payload: str


async def open_of_keys(
    connection: asyncpg.Connection, keys: Sequence[FigureKey]
) -> dict[FigureKey, Alert]:
    """The pending and firing alerts of these figures."""
    if not keys:
        return {}
    columns = (list(part) for part in zip(*keys, strict=True))
    return _by_key(await connection.fetch(_SQL["open_of_keys"], *columns))


async def open_of_kind(connection: asyncpg.Connection, kind: AlertKind) -> dict[FigureKey, Alert]:
    """The pending and firing alerts of one kind."""
    return _by_key(await connection.fetch(_SQL["open_of_kind"], kind))


async def pending(connection: asyncpg.Connection) -> list[Alert]:
    """The alerts that wait for their confirmation."""
    return [alert_of(row) for row in await connection.fetch(_SQL["pending"])]


async def apply(connection: asyncpg.Connection, steps: Iterable[Step]) -> None:
    """Write what decisions did: alerts, dropped ones, and events into the outbox."""
    steps = list(steps)
    dropped = [step.alert.id for step in steps if step.dropped]
    if dropped:
        await connection.execute(_SQL["drop"], dropped)
    kept = [_row(step.alert) for step in steps if not step.dropped]
    if kept:
        await connection.executemany(_SQL["save"], kept)
    events = [step.event for step in steps if step.event is not None]
    if events:
        rows = [(event.id, event.data.area, event.model_dump_json()) for event in events]
        await connection.executemany(_OUTBOX["add"], rows)


async def mark_told(connection: asyncpg.Connection, alerts: Iterable[UUID], at: datetime) -> None:
    """Remember that these have been told."""
    await connection.execute(_SQL["told"], list(alerts), at)


async def search(connection: asyncpg.Connection, wanted: Search) -> tuple[list[Alert], int]:
    """The alerts that are looked for, worst first, and how many there are without the limit."""
    rows = await connection.fetch(
        _SQL["search"],
        wanted.state,
        wanted.area,
        wanted.indicator,
        wanted.severity,
        None if wanted.visible is None else list(wanted.visible),
        wanted.id,
        wanted.limit,
    )
    return [alert_of(row) for row in rows], rows[0]["total"] if rows else 0


async def next_outgoing(connection: asyncpg.Connection, limit: int) -> list[Outgoing]:
    """The events that wait longest for their topic, in order."""
    return [Outgoing(**row) for row in await connection.fetch(_OUTBOX["next"], limit)]


async def mark_published(connection: asyncpg.Connection, numbers: Sequence[int]) -> None:
    """Remove events that the broker has acknowledged."""
    await connection.execute(_OUTBOX["done"], list(numbers))


def _by_key(rows: Iterable[asyncpg.Record]) -> dict[FigureKey, Alert]:
    return {alert.key: alert for alert in map(alert_of, rows)}


def _row(alert: Alert) -> tuple[object, ...]:
    standing = alert.standing
    return (
        alert.id,
        alert.kind,
        *alert.key,
        alert.state,
        alert.severity,
        alert.reason.value,
        alert.version,
        standing.value,
        standing.pace,
        standing.target,
        standing.behind,
        standing.gap_people,
        standing.numerator,
        standing.denominator,
        alert.opened_at,
        alert.changed_at,
        alert.fired_at,
        alert.resolved_at,
        alert.due_on,
        standing.aim,
        standing.other.aim if standing.other is not None else None,
        standing.other.pace if standing.other is not None else None,
        standing.other.target if standing.other is not None else None,
        standing.target_on,
        standing.missed_on,
    )


def alert_of(row: asyncpg.Record) -> Alert:
    """An alert as a row of its table holds it."""
    return Alert(
        id=row["id"],
        kind=row["kind"],
        key=FigureKey(row["area"], row["indicator"], row["basis"]),
        state=row["state"],
        severity=row["severity"],
        reason=Reason(row["reason"]),
        version=row["version"],
        standing=Standing(
            value=row["value"],
            pace=row["pace"],
            target=row["target"],
            behind=row["behind"],
            gap_people=row["gap_people"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            aim=row["aim"],
            other=_other(row),
            target_on=row["target_on"],
            missed_on=row["missed_on"],
        ),
        opened_at=row["opened_at"],
        changed_at=row["changed_at"],
        fired_at=row["fired_at"],
        resolved_at=row["resolved_at"],
        told_at=row["told_at"],
        due_on=row["due_on"],
    )


def _other(row: asyncpg.Record) -> Other | None:
    if row["other_target"] is None:
        return None
    return Other(row["other_aim"], row["other_pace"], row["other_target"])
