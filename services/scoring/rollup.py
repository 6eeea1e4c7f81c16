"""The roll-up: what batches have touched, summed up the tree of units.

One process rolls up at a time (an advisory lock of PostgreSQL). Each run is one transaction on one
snapshot: it takes the marks of the batches that it sees and reads the counters as they stood with
exactly those batches, so it can neither miss nor double one. Each run that changes a figure is a
round; a figure knows the round that changed it last, and by that the outbox finds it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from contracts.areas import Areas
from contracts.catalogue import Catalogue
from contracts.times import local_day
from services.chassis.database import load_queries
from services.chassis.failpoints import failpoint
from services.scoring.core.reports import Figure, reported_figure, superseded
from services.scoring.restating import Restating
from services.scoring.summing import Known, Own, Summing

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "rollup.sql")

#: Counters that are held at once; of a country there are hundreds of thousands, a kilobyte each.
_AT_ONCE: Final = 5_000

#: (area id, indicator id)
Pair = tuple[str, str]
_AREA_PREFIX: Final = "area:"


class Rollup:
    """Brings figures and their history up to what the shards have committed."""

    def __init__(self, areas: Areas, catalogue: Catalogue) -> None:
        self._areas = areas
        self._summing = Summing(areas, catalogue)
        self._restating = Restating(catalogue, areas)

    async def run(self, connection: asyncpg.Connection, now: datetime) -> int:
        """Take up everything that has been touched; returns how many figures changed.

        Raises:
            asyncpg.PostgresError, OSError: nothing was changed; run again.
        """
        if not await connection.fetchval(_SQL["is_touched"]):
            return 0
        async with connection.transaction(isolation="repeatable_read"):
            marks = await connection.fetch(_SQL["take_touched"])
            changed = await self._count(connection, marks, now)
            changed += await self._report(connection, marks, now)
            await self._restating.run(connection, local_day(now), now)
            failpoint("rollup.before-commit")
        failpoint("rollup.after-commit")
        return changed

    async def touch_all(self, connection: asyncpg.Connection) -> None:
        """Have all figures from counters summed up with the next roll-up.

        Who led before may have been of another version, and has passed over bits that its catalogue
        did not have.

        Raises:
            asyncpg.PostgresError, OSError: it is not known whether they will be; do it again.
        """
        rows = await connection.fetch(_SQL["read_all_areas"])
        units = [row["area_id"] for row in rows if self._areas.get(row["area_id"]) is not None]
        if units:
            await connection.execute(_SQL["touch_units"], units)

    async def _count(
        self, connection: asyncpg.Connection, marks: Iterable[asyncpg.Record], now: datetime
    ) -> int:
        """Write the figures from counters; returns how many are no longer what they were."""
        wanted = self._summing.upward((mark["area_ids"], mark["masks"]) for mark in marks)
        if not wanted:
            return 0
        own = await read_own(connection, self._summing, wanted)
        known = await connection.fetchrow(_SQL["read_counted"], self._summing.parts(wanted))
        found = self._summing.changes(wanted, own, Known(*known))
        columns = (found.area_ids, found.indicators, found.numerators, found.denominators)
        return await _write(connection, "events", (*columns, (), ()), now)

    async def _report(
        self, connection: asyncpg.Connection, marks: Iterable[asyncpg.Record], now: datetime
    ) -> int:
        """Write the figures from reports, of the reporting units and all above them.

        One without a period can be added up no longer. Returns how many have changed.
        """
        touched = {
            pair
            for mark in marks
            for pair in zip(mark["reported_area_ids"], mark["reported_indicators"], strict=True)
        }
        if not touched:
            return 0
        indicators = sorted({indicator for _, indicator in touched})
        own: defaultdict[str, dict[str, Figure]] = defaultdict(dict)
        agencies: defaultdict[str, list[Figure]] = defaultdict(list)
        for row in await connection.fetch(_SQL["read_reports"], indicators):
            figure = Figure(row["period"], row["numerator"], row["denominator"], row["value"])
            if row["reporter"].startswith(_AREA_PREFIX):
                own[row["indicator"]][row["reporter"].removeprefix(_AREA_PREFIX)] = figure
            else:
                agencies[row["indicator"]].append(figure)
        replaced = {
            indicator: superseded(own[indicator], self._areas.successors)
            for indicator in indicators
        }
        provinces = [one.area_id for one in self._areas.on(local_day(now)) if not one.parent_id]
        rows = []
        for area_id, indicator in sorted(self._concerned(touched, provinces)):
            # Not of a province that has ended: agencies report to the one that is.
            parts = agencies[indicator] if area_id in provinces else ()
            found = reported_figure(
                area_id, own[indicator], self._children, parts, replaced[indicator]
            )
            said = found and (found.numerator, found.denominator, found.value, found.period)
            rows.append((area_id, indicator, *(said or (None, None, None, None))))
        return await _write(connection, "reported", tuple(zip(*rows, strict=True)), now)

    def _children(self, area_id: str) -> Sequence[str]:
        return [child.area_id for child in self._areas.children(area_id)]

    def _concerned(self, touched: Iterable[Pair], provinces: list[str]) -> set[Pair]:
        """The reporting units and those above them; an agency reports to the province of today.

        A unit's report may stand for those that it has taken over from, so the sums that these are
        in are concerned as well.
        """
        found: set[Pair] = set()
        for reporter, indicator in touched:
            if reporter.startswith(_AREA_PREFIX):
                area_id = reporter.removeprefix(_AREA_PREFIX)
                former = [one.area_id for one in self._areas.former(area_id, date.max)]
                lines = [self._areas.lineage_upward(unit) for unit in (area_id, *former)]
                units = [unit for line in lines for unit in line]
            else:
                units = provinces
            found.update((unit, indicator) for unit in units)
        return found


async def read_own(
    connection: asyncpg.Connection, summing: Summing, wanted: Collection[str]
) -> Own:
    """What the counters of units say; in a transaction that sees one moment."""
    own = summing.own(wanted)
    counters = await connection.cursor(_SQL["read_counters"], list(wanted))
    while rows := await counters.fetch(_AT_ONCE):
        own.add(rows)
    return own


async def _write(
    connection: asyncpg.Connection, basis: str, columns: Sequence[Sequence[Any]], now: datetime
) -> int:
    """Write figures and their history; columns that are shorter than the first go on with nulls."""
    if not columns or not columns[0]:
        return 0
    changed: int = await connection.fetchval(
        _SQL["write_figures"], basis, *columns, now, local_day(now)
    )
    return changed
