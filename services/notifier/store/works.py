"""Acknowledgements, silences, and the record of who did what when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

import asyncpg

from services.chassis.database import load_queries
from services.notifier.core.acknowledgement import Acknowledgement
from services.notifier.core.alert import Alert
from services.notifier.core.silence import Silence, SilenceState
from services.notifier.store import queries_of
from services.notifier.store.alerts import alert_of

_SQL: Final = load_queries(queries_of("works"))

NOTIFIER: Final = "notifier"
"""Who did what nobody asked for."""

WorkName = Literal["acknowledged", "promise-broken", "silenced", "silence-ended", "escalated"]


@dataclass(frozen=True, slots=True)
class Work:
    """Who did what, when, and what they said of it."""

    work: WorkName
    done_at: datetime
    done_by: str
    note: str | None = None
    promised_on: date | None = None


async def record(
    connection: asyncpg.Connection,
    work: Work,
    *,
    alert: UUID | None = None,
    silence: UUID | None = None,
) -> None:
    """Keep what was done with one alert or one silence."""
    await connection.execute(
        _SQL["add"],
        work.work,
        work.done_at,
        work.done_by,
        alert,
        silence,
        work.note,
        work.promised_on,
    )


async def of_alert(connection: asyncpg.Connection, alert: UUID) -> list[Work]:
    """What was done with an alert, in its order."""
    return [Work(**row) for row in await connection.fetch(_SQL["of_alert"], alert)]


async def of_silence(connection: asyncpg.Connection, silence: UUID) -> list[Work]:
    """What was done with a silence, in its order."""
    return [Work(**row) for row in await connection.fetch(_SQL["of_silence"], silence)]


async def acknowledge(connection: asyncpg.Connection, alert: UUID, said: Acknowledgement) -> None:
    """Keep what a unit says of an alert, in the place of what it said before."""
    await connection.execute(
        _SQL["acknowledge"],
        alert,
        said.note,
        said.promised_on,
        said.acknowledged_at,
        said.acknowledged_by,
    )
    work = Work(
        "acknowledged", said.acknowledged_at, said.acknowledged_by, said.note, said.promised_on
    )
    await record(connection, work, alert=alert)


async def acknowledgements(
    connection: asyncpg.Connection, alerts: Iterable[UUID]
) -> dict[UUID, Acknowledgement]:
    """What has been said last of these alerts."""
    rows = await connection.fetch(_SQL["acknowledgements"], list(alerts))
    return {row["alert"]: _acknowledgement(row) for row in rows}


async def overdue(connection: asyncpg.Connection, today: date) -> list[Alert]:
    """The firing alerts whose promised day has passed."""
    return [alert_of(row) for row in await connection.fetch(_SQL["overdue"], today)]


async def break_promise(connection: asyncpg.Connection, alert: UUID, at: datetime) -> None:
    """Keep that a promise was broken."""
    await connection.execute(_SQL["break_promise"], alert, at)
    await record(connection, Work("promise-broken", at, NOTIFIER), alert=alert)


async def add_silence(connection: asyncpg.Connection, silence: Silence) -> None:
    """Keep a new silence."""
    await connection.execute(
        _SQL["add_silence"],
        silence.id,
        silence.area,
        silence.indicator,
        silence.indicator_set,
        silence.severity,
        silence.starts_at,
        silence.ends_at,
        silence.comment,
        silence.created_at,
        silence.created_by,
    )
    work = Work("silenced", silence.created_at, silence.created_by, silence.comment)
    await record(connection, work, silence=silence.id)


async def silences(
    connection: asyncpg.Connection,
    now: datetime,
    *,
    state: SilenceState | None = None,
    visible: Sequence[str] | None = None,
    silence: UUID | None = None,
    limit: int | None = None,
) -> list[Silence]:
    """Silences, those that end last first; None lets everything pass.

    `visible` are the units whose silences may be seen; those about no single unit always may.
    """
    seen = None if visible is None else list(visible)
    rows = await connection.fetch(_SQL["silences"], silence, seen, state, now, limit)
    return [Silence(**row) for row in rows]


async def end_silence(connection: asyncpg.Connection, silence: UUID, at: datetime, by: str) -> bool:
    """End a silence before its end; False when it had ended already."""
    ended: bool | None = await connection.fetchval(_SQL["end_silence"], silence, at)
    if ended:
        await record(connection, Work("silence-ended", at, by), silence=silence)
    return ended is True


def _acknowledgement(row: asyncpg.Record) -> Acknowledgement:
    return Acknowledgement(
        note=row["note"],
        promised_on=row["promised_on"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        broken_at=row["broken_at"],
    )
