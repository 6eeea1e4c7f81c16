"""What the stages need: firing alerts by unit, and what the log says has been told of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import asyncpg

from services.chassis.database import load_queries
from services.notifier.core.alert import Alert
from services.notifier.core.passage import Record, Told
from services.notifier.store import queries_of, works
from services.notifier.store.alerts import alert_of

_SQL: Final = load_queries(queries_of("told"))


async def page(connection: asyncpg.Connection, after: str, units: int) -> dict[str, list[Alert]]:
    """Unit → its firing alerts, of the next units in the order of their ids."""
    found = [alert_of(row) for row in await connection.fetch(_SQL["page"], after, units)]
    return {area: list(some) for area, some in groupby(found, lambda alert: alert.key.area)}


async def of_areas(connection: asyncpg.Connection, areas: Sequence[str]) -> dict[str, list[Alert]]:
    """Unit → its firing alerts, of those units that have some."""
    found = [alert_of(row) for row in await connection.fetch(_SQL["of_areas"], list(areas))]
    return {area: list(some) for area, some in groupby(found, lambda alert: alert.key.area)}


async def of_letter(
    connection: asyncpg.Connection, audience: str, since: datetime, until: datetime
) -> list[Alert]:
    """What an audience was told from one moment to before another and what of it still fires."""
    rows = await connection.fetch(_SQL["of_letter"], audience, since, until)
    return [alert_of(row) for row in rows]


async def shared(
    connection: asyncpg.Connection, audiences: Sequence[str], since: datetime
) -> dict[tuple[str, bool], datetime]:
    """Who is told of many units, and whether of the system → the last letter since a moment."""
    if not audiences:
        return {}
    found = await connection.fetch(_SQL["shared"], list(audiences), since)
    return {(row["audience"], row["of_system"]): row["written_at"] for row in found}


async def hushing(connection: asyncpg.Connection, upper: Sequence[str]) -> list[Alert]:
    """What fires at units that have units below, and at feeds."""
    return [alert_of(row) for row in await connection.fetch(_SQL["hushing"], list(upper))]


async def raised(connection: asyncpg.Connection, since: datetime) -> dict[str, datetime]:
    """Audience → when it was last told, since a moment, of units below that do not answer."""
    found = await connection.fetch(_SQL["raised"], since)
    return {row["audience"]: row["raised_at"] for row in found}


async def records(
    connection: asyncpg.Connection, alerts: dict[str, list[Alert]], since: datetime
) -> dict[str, Record]:
    """Unit → what has been said and told of its alerts; messages only since a moment."""
    ids = [alert.id for some in alerts.values() for alert in some]
    said = await works.acknowledgements(connection, ids)
    told: dict[tuple[UUID, str], Told] = {}
    for row in await connection.fetch(_SQL["told"], ids):
        told[row["alert"], row["audience"]] = Told(row["first_at"], row["last_at"])
    messages: dict[str, dict[str, datetime]] = defaultdict(dict)
    for row in await connection.fetch(_SQL["messages"], list(alerts), since):
        messages[row["area"]][row["audience"]] = row["written_at"]
    return {area: Record(said, told, messages[area]) for area in alerts}
