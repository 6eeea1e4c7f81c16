"""The days of figures: the last value of each day, kept as long as a trend looks back."""

from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg

from contracts.pace import Milestone
from contracts.projection import TREND_DAYS
from services.chassis.database import load_queries
from services.notifier.core.figure import FigureKey
from services.notifier.core.intake import Day
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("days"))


async def upsert(connection: asyncpg.Connection, days: Iterable[Day]) -> None:
    """Keep the newest version of each day, and forget the days before the trend."""
    rows = [(*day.key, day.point.on, day.version, day.point.percent) for day in days]
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(_SQL["upsert"], *columns)
    await connection.execute(_SQL["forget"], *columns[:3], TREND_DAYS)


async def of_keys(
    connection: asyncpg.Connection, keys: Sequence[FigureKey]
) -> dict[FigureKey, list[Milestone]]:
    """The days that are known of some figures, earliest first."""
    if not keys:
        return {}
    found: dict[FigureKey, list[Milestone]] = {}
    rows = await connection.fetch(
        _SQL["of_keys"], *(list(part) for part in zip(*keys, strict=True))
    )
    for row in rows:
        key = FigureKey(row["area"], row["indicator"], row["basis"])
        found.setdefault(key, []).append(Milestone(row["on_day"], row["value"]))
    return found
