"""What was told last of each unit's report for a period."""

from typing import Final

import asyncpg

from contracts.report_events import ReportEvent
from services.chassis.database import load_queries
from services.notifier.store import queries_of

_SQL: Final = load_queries(queries_of("reports"))


async def advance(connection: asyncpg.Connection, event: ReportEvent) -> bool:
    """Keep that an event was taken; False when it is no newer than one that was."""
    data = event.data
    newer: bool | None = await connection.fetchval(
        _SQL["advance"], data.area, data.period, event.time
    )
    return newer is True
