"""The roll-up: what batches have touched, summed up the tree of units.

One process rolls up at a time (an advisory lock of PostgreSQL). Each run is one transaction on one
snapshot: it takes the marks of the batches that it sees and reads the counters as they stood with
exactly those batches, so it can neither miss nor double one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import asyncpg

from contracts.areas import Areas
from contracts.times import local_day
from services.chassis.database import load_queries
from services.chassis.failpoints import failpoint
from services.scoring.core.reports import Figure, reported_figure

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "rollup.sql")

#: (area id, indicator id)
Pair = tuple[str, str]
#: (area id, indicator id, basis, numerator, denominator, value, period)
_Row = tuple[str, str, str, int | None, int | None, Decimal | None, str | None]

_AREA_PREFIX: Final = "area:"


class Rollup:
    """Brings figures and their history up to what the shards have committed."""

    def __init__(self, areas: Areas) -> None:
        self._areas = areas

    async def run(self, connection: asyncpg.Connection, now: datetime) -> int:
        """Take up everything that has been touched; returns how many figures changed.

        Raises:
            asyncpg.PostgresError, OSError: nothing was changed; run again.
        """
        if not await connection.fetchval(_SQL["is_touched"]):
            return 0
        today = local_day(now)
        async with connection.transaction(isolation="repeatable_read"):
            marks = await connection.fetch(_SQL["take_touched"])
            counted = _pairs(marks, "area_ids", "indicators")
            reported = _pairs(marks, "reported_area_ids", "reported_indicators")
            changed = await self._count(connection, counted, now)
            changed += await self._report(connection, reported, today, now)
            if changed:
                places = [list(column) for column in zip(*changed, strict=True)]
                await connection.execute(_SQL["write_history"], *places, today)
            failpoint("rollup.before-commit")
        failpoint("rollup.after-commit")
        return len(changed)

    async def _count(
        self, connection: asyncpg.Connection, touched: set[Pair], now: datetime
    ) -> list[tuple[str, str, str]]:
        """Figures from counters, the lowest units first, since each adds up those below it."""
        by_depth: defaultdict[int, set[Pair]] = defaultdict(set)
        for area_id, indicator in touched:
            upward = self._areas.lineage_upward(area_id)
            for height, unit in enumerate(upward):
                by_depth[len(upward) - height].add((unit, indicator))
        changed: list[tuple[str, str, str]] = []
        for depth in sorted(by_depth, reverse=True):
            wanted = sorted(by_depth[depth])
            below = [
                (unit, child.area_id)
                for unit in sorted({unit for unit, _ in wanted})
                for child in self._areas.children(unit)
            ]
            counts = await connection.fetch(_SQL["count"], *_columns(wanted), *_columns(below))
            rows: list[_Row] = [(*row[:2], "events", *row[2:], None, None) for row in counts]
            changed += await _write(connection, rows, now)
        return changed

    async def _report(
        self, connection: asyncpg.Connection, touched: set[Pair], today: date, now: datetime
    ) -> list[tuple[str, str, str]]:
        """Figures from reports, for the reporting units and all above them."""
        if not touched:
            return []
        indicators = sorted({indicator for _, indicator in touched})
        own: defaultdict[str, dict[str, Figure]] = defaultdict(dict)
        agencies: defaultdict[str, list[Figure]] = defaultdict(list)
        for row in await connection.fetch(_SQL["read_reports"], indicators):
            figure = Figure(row["period"], row["numerator"], row["denominator"], row["value"])
            if row["reporter"].startswith(_AREA_PREFIX):
                own[row["indicator"]][row["reporter"].removeprefix(_AREA_PREFIX)] = figure
            else:
                agencies[row["indicator"]].append(figure)
        rows: list[_Row] = []
        silent: list[Pair] = []
        for area_id, indicator in sorted(self._concerned(touched, today)):
            parts = agencies[indicator] if self._areas[area_id].parent_id is None else ()
            found = reported_figure(area_id, own[indicator], self._children, parts)
            if found is None:
                silent.append((area_id, indicator))
            else:
                said = (found.numerator, found.denominator, found.value, found.period)
                rows.append((area_id, indicator, "reported", *said))
        return await _write(connection, rows, now) + await _withdraw(connection, silent, now)

    def _children(self, area_id: str) -> Sequence[str]:
        return [child.area_id for child in self._areas.children(area_id)]

    def _concerned(self, touched: Iterable[Pair], today: date) -> set[Pair]:
        """The reporting units and those above them; an agency reports to the province."""
        provinces = [area.area_id for area in self._areas.on(today) if area.parent_id is None]
        found: set[Pair] = set()
        for reporter, indicator in touched:
            if reporter.startswith(_AREA_PREFIX):
                units = self._areas.lineage_upward(reporter.removeprefix(_AREA_PREFIX))
            else:
                units = provinces
            found.update((unit, indicator) for unit in units)
        return found


def _pairs(marks: Iterable[asyncpg.Record], areas: str, indicators: str) -> set[Pair]:
    return {pair for mark in marks for pair in zip(mark[areas], mark[indicators], strict=True)}


def _columns(pairs: Sequence[Pair]) -> tuple[list[str], list[str]]:
    return [left for left, _ in pairs], [right for _, right in pairs]


async def _write(
    connection: asyncpg.Connection, rows: Sequence[_Row], now: datetime
) -> list[tuple[str, str, str]]:
    if not rows:
        return []
    columns = [list(column) for column in zip(*rows, strict=True)]
    written = await connection.fetch(_SQL["write_figures"], *columns, now)
    return [(row["area_id"], row["indicator"], row["basis"]) for row in written]


async def _withdraw(
    connection: asyncpg.Connection, silent: Sequence[Pair], now: datetime
) -> list[tuple[str, str, str]]:
    """Empty the sums of reports that can be added no longer; the version goes on, and is told."""
    if not silent:
        return []
    emptied = await connection.fetch(_SQL["withdraw_figures"], *_columns(silent), now)
    return [(row["area_id"], row["indicator"], row["basis"]) for row in emptied]
