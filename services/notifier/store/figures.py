"""Figures as scoring told them, and when each feed was last heard."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import asyncpg

from contracts.pace import Milestone
from services.chassis.database import load_queries
from services.notifier.core.figure import Figure, FigureKey
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("figures"))


async def upsert(connection: asyncpg.Connection, figures: Iterable[Figure]) -> None:
    """Keep figures whose version is newer than the one that is there; the first value stays."""
    rows = [
        (
            *figure.key,
            figure.version,
            figure.numerator,
            figure.denominator,
            figure.value,
            figure.updated_at,
            figure.first.on if figure.first is not None else None,
            figure.first.percent if figure.first is not None else None,
        )
        for figure in figures
    ]
    if rows:
        await connection.execute(
            _SQL["upsert"], *(list(column) for column in zip(*rows, strict=True))
        )


async def hear(connection: asyncpg.Connection, heard: dict[str, datetime]) -> None:
    """Keep when feeds were last heard; the latest moment wins."""
    if heard:
        await connection.execute(_SQL["hear"], list(heard), list(heard.values()))


async def feeds(connection: asyncpg.Connection) -> dict[str, datetime]:
    """Feed → when it was last heard."""
    return {row["feed"]: row["heard_at"] for row in await connection.fetch(_SQL["feeds"])}


async def take_changed(connection: asyncpg.Connection, last: FigureKey, limit: int) -> list[Figure]:
    """The next figures after a key that changed since they were judged.

    They count as judged when this commits.
    """
    rows = await connection.fetch(_SQL["take_changed"], *last, limit)
    return [read(row) for row in rows]


async def after(connection: asyncpg.Connection, last: FigureKey, limit: int) -> list[Figure]:
    """The next figures in the order of their keys."""
    return [read(row) for row in await connection.fetch(_SQL["after"], *last, limit)]


async def of_keys(
    connection: asyncpg.Connection, keys: Sequence[FigureKey]
) -> dict[FigureKey, Figure]:
    """The figures that are there among those asked for."""
    if not keys:
        return {}
    rows = await connection.fetch(
        _SQL["of_keys"], *(list(part) for part in zip(*keys, strict=True))
    )
    return {figure.key: figure for figure in map(read, rows)}


def read(row: asyncpg.Record) -> Figure:
    """The figure that a row of `figures`, or a copy of one, holds."""
    known = row["first_on"] is not None
    return Figure(
        key=FigureKey(row["area"], row["indicator"], row["basis"]),
        version=row["version"],
        numerator=row["numerator"],
        denominator=row["denominator"],
        value=row["value"],
        updated_at=row["updated_at"],
        first=Milestone(row["first_on"], row["first_percent"]) if known else None,
    )
