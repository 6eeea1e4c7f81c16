"""The past of figures: two points and a denominator each, however long they are judged."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import asyncpg

from contracts.pace import Milestone
from services.chassis.database import load_queries
from services.notifier.core.course import Course
from services.notifier.core.figure import FigureKey
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("courses"))


async def of_keys(
    connection: asyncpg.Connection, keys: Sequence[FigureKey]
) -> dict[FigureKey, Course]:
    """The courses that are known among those asked for."""
    if not keys:
        return {}
    rows = await connection.fetch(
        _SQL["of_keys"], *(list(part) for part in zip(*keys, strict=True))
    )
    return {FigureKey(row["area"], row["indicator"], row["basis"]): _course(row) for row in rows}


async def save(connection: asyncpg.Connection, courses: Mapping[FigureKey, Course]) -> None:
    """Keep these in the place of what was known."""
    rows = [
        (*key, *_parts(course.then), *_parts(course.since), course.denominator, course.moved_at)
        for key, course in courses.items()
    ]
    if rows:
        await connection.execute(_SQL["save"], *(list(part) for part in zip(*rows, strict=True)))


def _parts(point: Milestone | None) -> tuple[date | None, Decimal | None]:
    return (None, None) if point is None else (point.on, point.percent)


def _course(row: asyncpg.Record) -> Course:
    return Course(
        then=_point(row["then_on"], row["then_percent"]),
        since=_point(row["since_on"], row["since_percent"]),
        denominator=row["denominator"],
        moved_at=row["moved_at"],
    )


def _point(on: date | None, percent: Decimal | None) -> Milestone | None:
    return None if on is None or percent is None else Milestone(on, percent)
