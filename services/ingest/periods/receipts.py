"""Keeps which indicators a unit has reported for which period, and when; repeating it is harmless."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg

from services.chassis.clock import Clock
from services.chassis.database import is_transient, load_queries
from services.ingest.core.verdicts import Accepted
from services.ingest.publisher import BrokerAwayError

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "periods.sql")

_DOMAIN: Final = "report"
_AREA: Final = "area:"
_ANSWER_SECONDS: Final = 10.0


async def note(
    connection: asyncpg.Connection,
    *,
    area_id: str,
    period: str,
    indicators: Sequence[str],
    version: int,
    received_at: datetime,
) -> None:
    """Keep that a unit has reported indicators for a period.

    Args:
        connection: of ingest's schema; the row is part of its transaction.
        area_id: the unit.
        period: as the contract writes it.
        indicators: those with a figure in this version.
        version: of the unit's report for the period, from 1.
        received_at: when it was accepted.
    """
    count = len(indicators)
    await connection.execute(
        _SQL["note"], [period] * count, [area_id] * count, list(indicators), received_at, version
    )


class Receipts:
    """Notes the figures that units send as events; for the pipeline."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool: asyncpg.Pool | None = None

    def open(self, pool: asyncpg.Pool) -> None:
        """Begin to keep receipts in a database."""
        self._pool = pool

    async def note(self, accepted: Iterable[Accepted]) -> None:
        """Keep the reports among accepted events; those of agencies belong to no unit.

        Raises:
            BrokerAwayError: the database is away. The events are published; who sends them again
                does no harm.
        """
        said = sorted(
            {
                (event.record["data"]["period"], event.subject, event.record["data"]["indicator"])
                for event in accepted
                if event.domain == _DOMAIN and event.subject.startswith(_AREA)
            }
        )
        if not said or self._pool is None:
            return
        periods, subjects, indicators = zip(*said, strict=True)
        areas = [subject.removeprefix(_AREA) for subject in subjects]
        try:
            await self._pool.execute(
                _SQL["note"],
                periods,
                areas,
                indicators,
                self._clock.now(),
                0,
                timeout=_ANSWER_SECONDS,
            )
        except Exception as error:
            if not is_transient(error):
                raise
            raise BrokerAwayError(f"receipts of reports: {type(error).__name__}") from error
