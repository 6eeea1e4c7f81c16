"""Restatement in the roll-up: takes up what late events have changed, in the roll-up's transaction.

The roll-up reads the counters of the batches that it sees and writes today's points from them; here
the same batches' corrections go to the days before. So no day has a batch twice, and none lacks it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

import asyncpg

from contracts.areas import Areas
from contracts.catalogue import Catalogue
from services.chassis.database import load_queries
from services.scoring.core.restating import Correction, Difference, Pair, restated, summed
from services.scoring.core.series import Point

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "restating.sql")

#: Units and indicators whose points are read and written at once.
_AT_ONCE: Final = 500

#: (area id, indicator, day, numerator, denominator, restated_at)
_Row = tuple[str, str, date, int | None, int | None, datetime | None]


class Restating:
    """Applies corrections to history."""

    def __init__(self, catalogue: Catalogue, areas: Areas) -> None:
        self._areas = areas
        self._indicators = {one.bit: one.id for one in catalogue.counted}

    async def run(self, connection: asyncpg.Connection, today: date, now: datetime) -> int:
        """Take up all corrections; returns how many points were changed or added.

        Call it in the transaction that writes today's points, after them. The first call of all
        lets history begin.

        Raises:
            asyncpg.PostgresError, OSError: the transaction cannot be committed.
        """
        start = await connection.fetchval(_SQL["read_start"])
        if start is None:
            await connection.execute(_SQL["write_start"], today)
        taken = await connection.fetch(_SQL["take_corrections"])
        corrections = [
            Correction(row["area_id"], indicator, row["day"], row["numerator"], row["denominator"])
            for row in taken
            # A catalogue may have lost an indicator since; nobody asks for its history.
            if (indicator := self._indicators.get(row["bit"])) is not None
        ]
        changes = summed(corrections, self._areas, start or today, today)
        written = 0
        for pairs in _batches(sorted(changes), _AT_ONCE):
            written += await _restate(
                connection, {pair: changes[pair] for pair in pairs}, today, now
            )
        return written


async def _restate(
    connection: asyncpg.Connection,
    changes: Mapping[Pair, Mapping[date, Difference]],
    today: date,
    now: datetime,
) -> int:
    wanted = [(*pair, min(days)) for pair, days in changes.items()]
    points: defaultdict[Pair, list[Point]] = defaultdict(list)
    for row in await connection.fetch(_SQL["read_points"], *_columns(wanted)):
        point = Point(
            row["day"], row["numerator"], row["denominator"], restated_at=row["restated_at"]
        )
        points[row["area_id"], row["indicator"]].append(point)
    rows: list[_Row] = [
        (*pair, point.day, point.numerator, point.denominator, point.restated_at)
        for pair, days in changes.items()
        for point in restated(points[pair], days, today, now)
    ]
    await connection.execute(_SQL["write_points"], *_columns(rows))
    return len(rows)


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _batches(pairs: Sequence[Pair], most: int) -> list[Sequence[Pair]]:
    return [pairs[first : first + most] for first in range(0, len(pairs), most)]
