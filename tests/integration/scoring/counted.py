"""What shard transactions leave for the roll-up: counters, marks and reports, written by plain SQL."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import asyncpg

from services.scoring.core.reports import period_end
from tests.integration.scoring.invented import AREAS, CATALOGUE, Counts

LAO_CAI, YEN_BAI, PROVINCE = "2025:02647", "2025:04252", "2025:15"
#: Bits from 0 to the highest that the catalogue gives.
WIDTH = max(one.bit or 0 for one in CATALOGUE.counted) + 1
#: Indicator → bit.
BIT_OF = {one.id: one.bit or 0 for one in CATALOGUE.counted}

_WRITE = """
INSERT INTO counters VALUES ($1, $2, $3, $4)
ON CONFLICT (area_id, shard) DO UPDATE SET
    numerators = excluded.numerators, denominators = excluded.denominators
"""
_MARK = "INSERT INTO touched VALUES ($1, $2, $3, $4, $5, $6)"


class Shard:
    """A worker that holds a shard: its counts, and the number of its last batch."""

    def __init__(self, pool: asyncpg.Pool, shard: int) -> None:
        self._pool = pool
        self._shard = shard
        self._batch = 0
        self._counted: Counts = {}

    async def add(self, deltas: Counts) -> None:
        """Count some more (or less), in one transaction with the mark of it."""
        masks: defaultdict[str, int] = defaultdict(int)
        for (area_id, indicator), (top, below) in deltas.items():
            before = self._counted.get((area_id, indicator), (0, 0))
            self._counted[area_id, indicator] = (before[0] + top, before[1] + below)
            masks[area_id] |= 1 << BIT_OF[indicator]
        self._batch += 1
        async with self._pool.acquire() as connection, connection.transaction():
            for area_id in masks:
                await connection.execute(_WRITE, area_id, self._shard, *self._columns(area_id))
            mark = (self._shard, self._batch, list(masks), list(masks.values()))
            await connection.execute(_MARK, *mark, (), ())

    def _columns(self, area_id: str) -> tuple[list[int], list[int]]:
        counts = [self._counted.get((area_id, one), (0, 0)) for one in BIT_OF]
        columns = [0] * WIDTH, [0] * WIDTH
        for bit, count in zip(BIT_OF.values(), counts, strict=True):
            columns[0][bit], columns[1][bit] = count
        return columns


async def report(
    pool: asyncpg.Pool | asyncpg.Connection,
    reporter: str,
    indicator: str,
    period: str,
    **said: float,
) -> None:
    """The report of a unit or agency, and the mark of its batch."""
    value = None if "value" not in said else Decimal(str(said["value"]))
    await pool.execute(
        "INSERT INTO reports VALUES ($1, $2, $3, $4, 1, 'id', '{}', $5, $6, $7)",
        *(reporter, indicator, period, period_end(period)),
        *(said.get("numerator"), said.get("denominator"), value),
    )
    batch = await pool.fetchval("SELECT count(*) FROM reports")
    # No worker of these tests has shard 99.
    await pool.execute(_MARK, 99, batch, [], [], [reporter], [indicator])


async def heard(pool: asyncpg.Pool, moments: Mapping[str, datetime]) -> None:
    """When scoring last recorded an event of each domain."""
    for domain, moment in moments.items():
        await pool.execute(
            "INSERT INTO sources VALUES ('urn:nhipso:source:invented', $1, 0, $2, $2, 1)",
            *(domain, moment),
        )


def rolled_up(counts: Counts) -> Counts:
    """What is counted in units, and with it in every unit above them."""
    found: Counts = {}
    for (area_id, indicator), (top, below) in counts.items():
        for unit in AREAS.lineage_upward(area_id):
            so_far = found.get((unit, indicator), (0, 0))
            found[unit, indicator] = (so_far[0] + top, so_far[1] + below)
    return {pair: figure for pair, figure in found.items() if any(figure)}
