"""How the reports of units stand, out of what has come."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import asyncpg

from contracts.areas import Area, Areas, Level
from contracts.reporting import Calendar, Window, owing
from services.chassis.database import load_queries
from services.ingest.core.completeness import Receipt, Standing, judge

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "periods.sql")

Received = Mapping[tuple[str, str], Sequence[Receipt]]


async def received(
    connection: asyncpg.Connection | asyncpg.Pool, periods: Sequence[str]
) -> Received:
    """What has come for these periods: (period, area id) → receipts."""
    found: defaultdict[tuple[str, str], list[Receipt]] = defaultdict(list)
    for row in await connection.fetch(_SQL["received"], list(periods)):
        receipt = Receipt(**row)
        found[receipt.period, receipt.area_id].append(receipt)
    return found


def standings(
    calendar: Calendar, areas: Areas, level: Level, window: Window, came: Received, *, today: date
) -> list[tuple[Area, Standing]]:
    """Every unit of a level that owes the report of a period, and how its report stands."""
    expected = calendar.expected(level, window.period)
    return [
        (
            area,
            judge(
                area.area_id, window, expected, came.get((window.period, area.area_id), ()), today
            ),
        )
        for area in owing(areas, level, window)
    ]
