"""Digests in the log of messages, the periods they are about, and the measures they compare."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

import asyncpg

from contracts.times import local_day
from services.chassis.database import load_queries
from services.notifier.core.alert import Alert
from services.notifier.core.digest import Digest
from services.notifier.core.digest_lines import Measures
from services.notifier.core.figure import Figure, FigureKey
from services.notifier.core.occasion import Cadence, Occasion
from services.notifier.store import alerts, deliveries, figures, queries_of
from services.notifier.store.deliveries import Addressee

_SQL: Final = load_queries(queries_of("digests"))
_DELIVERIES: Final = load_queries(queries_of("deliveries"))
_NAMESPACE: Final = UUID("4a7e5b52-0a7c-5b0c-9b55-6f0c43c1d907")

#: Before the audience in the log, so that a digest does not put off a letter about alerts.
_LOGGED_AS: Final = "digest/"

claim: Final = partial(deliveries.claim, read=Digest.model_validate_json)
"""Take deliveries of digests that are due, as those of letters are taken."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A digest in the log, who asked for it, if anybody, and how its deliveries stand."""

    id: UUID
    asked_by: str | None
    digest: Digest
    deliveries: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which digests; None lets everything pass. `visible` are the areas a caller may see."""

    id: UUID | None = None
    cadence: Cadence | None = None
    area: str | None = None
    visible: Sequence[str] | None = None
    limit: int = 100


async def measured(connection: asyncpg.Connection, cadence: Cadence) -> str | None:
    """The latest period whose measure was taken."""
    period: str | None = await connection.fetchval(_SQL["measured"], cadence)
    return period


async def take_measure(
    connection: asyncpg.Connection, occasion: Occasion, now: datetime, *, is_told: bool
) -> None:
    """Keep the figures as they stand now, and forget all but the last two measures."""
    name = (occasion.cadence, occasion.period)
    await connection.execute(_SQL["add_period"], *name, now, is_told)
    await connection.execute(_SQL["mark"], *name)
    await connection.execute(_SQL["forget"], occasion.cadence)


async def unfinished(connection: asyncpg.Connection, occasion: Occasion) -> datetime | None:
    """When a period was measured whose digests are not all written yet; None: there are none."""
    row = await connection.fetchrow(_SQL["unfinished"], occasion.cadence, occasion.period)
    moment: datetime | None = row["marked_at"] if row is not None else None
    return moment


async def finish(connection: asyncpg.Connection, occasion: Occasion, now: datetime) -> None:
    """Remember that every digest of the period has been written."""
    await connection.execute(_SQL["finish"], occasion.cadence, occasion.period, now)


async def measures(
    connection: asyncpg.Connection,
    occasion: Occasion,
    areas: Sequence[str],
    measured_at: datetime,
    *,
    is_kept: bool,
) -> Measures:
    """The figures of these units for an occasion, and at the measure before it.

    `is_kept`: as they were measured for the period; else as they stand now.
    """
    if is_kept:
        latest = await _marks(connection, occasion.cadence, occasion.period, areas)
    else:
        latest = _by_key(await connection.fetch(_SQL["figures_now"], list(areas)))
    before = await connection.fetchrow(_SQL["before"], occasion.cadence, occasion.period)
    if before is None:
        return Measures(measured_at, latest, {}, None)
    earlier = await _marks(connection, occasion.cadence, before["period"], areas)
    return Measures(measured_at, latest, earlier, local_day(before["marked_at"]))


async def with_figures(connection: asyncpg.Connection, areas: Sequence[str]) -> list[str]:
    """Those of these units that have figures."""
    rows = await connection.fetch(_SQL["with_figures"], list(areas))
    return [row["area"] for row in rows]


async def firing(connection: asyncpg.Connection, areas: Sequence[str]) -> list[Alert]:
    """What fires in these units, and which feeds are silent."""
    rows = await connection.fetch(_SQL["firing"], list(areas))
    return [alerts.alert_of(row) for row in rows]


async def log(
    connection: asyncpg.Connection,
    digest: Digest,
    addressees: Iterable[Addressee],
    *,
    asked_by: str | None = None,
) -> UUID | None:
    """Log a digest and its deliveries before anything is sent; None when it is there already.

    The id is made of audience and period, so there is one, whoever writes it and how often; an
    agency has one for each province.
    """
    by = "" if asked_by is None else "/by-hand"
    name = f"{digest.cadence}/{digest.period}{by}/{digest.audience}"
    if digest.form == "agency":
        name += f"/{digest.area}"
    message = uuid5(_NAMESPACE, name)
    is_new = await connection.fetchval(
        _SQL["add_message"],
        message,
        _LOGGED_AS + digest.audience,
        digest.area,
        digest.written_at,
        digest.model_dump_json(),
    )
    if not is_new:
        return None
    await connection.execute(
        _SQL["add"], message, digest.cadence, digest.period, digest.form, asked_by
    )
    await connection.executemany(
        _DELIVERIES["add_delivery"],
        [
            (uuid5(message, one.name), message, one.kind, one.name, digest.written_at)
            for one in addressees
        ],
    )
    return message


async def search(connection: asyncpg.Connection, wanted: Wanted) -> list[Kept]:
    """Digests, newest first."""
    rows = await connection.fetch(
        _SQL["search"],
        wanted.id,
        wanted.cadence,
        wanted.area,
        None if wanted.visible is None else list(wanted.visible),
        wanted.limit,
    )
    return [
        Kept(
            id=row["id"],
            asked_by=row["asked_by"],
            digest=Digest.model_validate_json(row["letter"]),
            deliveries=[json.loads(one) for one in row["deliveries"]],
        )
        for row in rows
    ]


async def _marks(
    connection: asyncpg.Connection, cadence: Cadence, period: str, areas: Sequence[str]
) -> dict[FigureKey, Figure]:
    return _by_key(await connection.fetch(_SQL["marks"], cadence, period, list(areas)))


def _by_key(rows: Iterable[asyncpg.Record]) -> dict[FigureKey, Figure]:
    return {figure.key: figure for figure in map(figures.read, rows)}
