"""What a letter says beside the figures of today: the days before, and the last letter."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from contracts.times import local_day
from services.chassis.database import load_queries
from services.notifier.core.alert import FOR_OPERATORS, Alert
from services.notifier.core.causes import Domain
from services.notifier.core.detail import keys_of_peers
from services.notifier.core.figure import Figure, FigureKey
from services.notifier.core.letter import Background, Letter, keys_in_full, worst_first
from services.notifier.store import days, figures, queries_of

_SQL: Final = load_queries(queries_of("background"))


async def figures_for(
    connection: asyncpg.Connection, alerts: Sequence[Alert], domain: Domain, now: datetime
) -> dict[FigureKey, Figure]:
    """The figures that a letter about these alerts looks at."""
    today = local_day(now)
    keys = keys_in_full(worst_first(alerts))
    wanted = [*domain.keys_for(keys, today), *keys_of_peers(domain, keys, today)]
    return await figures.of_keys(connection, list(dict.fromkeys(wanted)))


async def background_for(
    connection: asyncpg.Connection,
    audience: str,
    alerts: Sequence[Alert],
) -> Background:
    """What a letter to a unit about its own alerts says beside its figures."""
    text = await connection.fetchval(_SQL["last_letter"], audience, alerts[0].key.area)
    return await _background(connection, text, alerts)


async def background_shared(
    connection: asyncpg.Connection, audience: str, alerts: Sequence[Alert]
) -> Background:
    """The same for who is told of many units: the last letter is that before, about whichever."""
    of_system = alerts[0].kind in FOR_OPERATORS
    text = await connection.fetchval(_SQL["last_shared"], audience, of_system)
    return await _background(connection, text, alerts)


async def _background(
    connection: asyncpg.Connection, text: str | None, alerts: Sequence[Alert]
) -> Background:
    last = Letter.model_validate_json(text) if text is not None else None
    gone = [one.id for one in last.lagging] if last is not None else []
    return Background(
        days=await days.of_keys(connection, keys_in_full(worst_first(alerts))),
        last=last,
        recovered=frozenset(row["id"] for row in await connection.fetch(_SQL["recovered"], gone)),
    )
