"""The store of a shard: its state from PostgreSQL and to it.

A shard is stored as a snapshot of its subjects and a journal of what batches have changed since.
All functions take a connection and belong into a transaction of their caller.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import numpy as np
from numpy.typing import NDArray

from services.chassis.database import load_queries
from services.scoring.core.booking import Booking
from services.scoring.core.counting import BITS, DENOMINATOR, NUMERATOR, Counts, Differences
from services.scoring.core.reading import Batch
from services.scoring.core.records import Report
from services.scoring.core.rules import Rules
from services.scoring.core.state import ShardState

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "shard.sql")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Bytes of the journal that are taken in at once: work on them takes several times their memory.
_AT_ONCE: Final = 8 * 1024 * 1024

#: Entries that are fetched at once; of a backlog each is some megabytes.
_PREFETCH: Final = 10

#: So long a transaction may rest that holds a shard; longer than all that a process does meanwhile.
PATIENCE_SECONDS = 15.0

#: The journal is worth a snapshot when it is larger than the snapshot and than this; so a shard is
#: written as a whole about as seldom as it doubles.
_LEAST_JOURNAL: Final = 8 * 1024 * 1024
#: A journal that is so many times longer than it is worth waits for no other shard.
_OVERDUE: Final = 2
#: A journal of so many entries is slow to read, however short they are.
MOST_ENTRIES: Final = 20_000


@dataclass(slots=True)
class Stored:
    """A shard in memory, and where in PostgreSQL it stands.

    `batch` counts the transactions of the shard; with `next_offset` it tells whether anybody else
    has moved it. `history_begins` is the first day that late events may restate, as it was known on
    the local day `looked_on`.
    """

    state: ShardState
    next_offset: int
    batch: int
    evaluated_on: date | None
    rules: str | None
    snapshot_bytes: int
    journal_bytes: int
    entries: int
    history_begins: date | None = None
    looked_on: date | None = None

    def day_from(self, today: date) -> date:
        """The day as of which subjects are evaluated: today, or a later one if it has come here."""
        return today if self.evaluated_on is None else max(today, self.evaluated_on)

    def wants_snapshot(self, *, overdue: bool = False) -> bool:
        """Whether the journal has become longer than it is worth, or far longer."""
        times = _OVERDUE if overdue else 1
        least = max(self.snapshot_bytes, _LEAST_JOURNAL)
        return self.journal_bytes > least * times


async def load(connection: asyncpg.Connection, shard: int, rules: Rules) -> Stored:
    """Read a shard as it is at one moment; an empty one where there is none yet.

    Args:
        connection: in a transaction that is at least ``repeatable read``.
        shard: the partition.
        rules: by which the state will be evaluated.

    Raises:
        services.scoring.core.packing.PackError: what is stored cannot be read.
    """
    row = await connection.fetchrow(_SQL["read_shard"], shard)
    state = ShardState(rules)
    if row is None:
        return Stored(state, 0, 0, None, None, 0, 0, 0)
    for known in await connection.fetch(_SQL["read_layouts"]):
        rules.layouts.know(known["fingerprint"], known["layout"])
    snapshot_bytes = 0
    async for part in connection.cursor(_SQL["read_snapshot"], shard, prefetch=1):
        snapshot_bytes += len(part["payload"])
        await asyncio.to_thread(state.restore, [part["payload"]])
    journal_bytes = entries = waiting = 0
    payloads: list[bytes] = []
    async for entry in connection.cursor(_SQL["read_journal"], shard, prefetch=_PREFETCH):
        payloads.append(entry["payload"])
        waiting += len(payloads[-1])
        entries += 1
        if waiting >= _AT_ONCE:
            await asyncio.to_thread(state.restore, payloads)
            journal_bytes += waiting
            payloads, waiting = [], 0
    await asyncio.to_thread(state.restore, payloads)
    journal_bytes += waiting
    places = rules.territory.place_of
    for counter in await connection.fetch(_SQL["read_counters"], shard):
        if counter["area_id"] in places:
            counts = state.counts[places[counter["area_id"]]]
            for place, name in ((NUMERATOR, "numerators"), (DENOMINATOR, "denominators")):
                counts[place, : len(counter[name])] = counter[name]
    position = row["next_offset"], row["batch"], row["evaluated_on"], row["rules"]
    return Stored(state, *position, snapshot_bytes, journal_bytes, entries)


async def lock(connection: asyncpg.Connection, shard: int) -> tuple[int, int]:
    """Hold the shard's row to the end of the transaction; returns position and batch number."""
    patience = f"{PATIENCE_SECONDS * 1_000:.0f}ms"
    row = await connection.fetchrow(_SQL["lock_shard"], shard, patience)
    if row is None:
        await connection.execute(_SQL["create_shard"], shard)
        row = await connection.fetchrow(_SQL["lock_shard"], shard, patience)
    return row["next_offset"], row["batch"]


async def tell_layout(connection: asyncpg.Connection, rules: Rules) -> None:
    """Keep how data are coded today, for whoever reads the packs later."""
    layouts = rules.layouts
    await connection.execute(_SQL["write_layout"], layouts.fingerprint, layouts.stored)


async def write_journal(
    connection: asyncpg.Connection, shard: int, batch: int, packed: bytes
) -> None:
    """Append what a batch has changed."""
    if packed:
        await connection.execute(_SQL["write_journal"], shard, batch, packed)


async def write_snapshot(connection: asyncpg.Connection, shard: int, state: ShardState) -> int:
    """Write everything anew and empty the journal; returns the bytes of the snapshot."""
    await connection.execute(_SQL["forget_snapshot"], shard)
    await connection.execute(_SQL["forget_journal"], shard)
    written = 0
    for part, payload in enumerate(state.snapshot()):
        await connection.execute(_SQL["write_snapshot"], shard, part, payload)
        written += len(payload)
    return written


async def write_counters(
    connection: asyncpg.Connection,
    shard: int,
    area_ids: Sequence[str],
    units: NDArray[np.int64],
    counts: Counts,
) -> None:
    """Write the counters of some units of a shard.

    Args:
        connection: in the shard's transaction.
        shard: the partition.
        area_ids: of all units, by their places.
        units: the places of the units to write.
        counts: (unit, 2, bit) of all units.
    """
    if not len(units):
        return
    chosen = counts[units]
    used = np.flatnonzero(chosen.any(axis=(0, 1)))
    width = int(used[-1]) + 1 if len(used) else 1
    columns = [
        [f"{{{str(row)[1:-1]}}}" for row in chosen[:, place, :width].tolist()]
        for place in (NUMERATOR, DENOMINATOR)
    ]
    names = [area_ids[unit] for unit in units.tolist()]
    await connection.execute(_SQL["write_counters"], shard, names, *columns)


async def forget_counters(connection: asyncpg.Connection, shard: int) -> list[str]:
    """Delete all counters of a shard; returns the units that had any."""
    rows = await connection.fetch(_SQL["read_counters"], shard)
    await connection.execute(_SQL["forget_counters"], shard)
    return [row["area_id"] for row in rows]


async def write_heard(
    connection: asyncpg.Connection, shard: int, batch: Batch, now: datetime
) -> None:
    """Write reports, and when each source was heard of last."""
    if batch.reports:
        await connection.execute(_SQL["write_reports"], *_report_columns(batch.reports.values()))
    if batch.heard:
        names, heard = zip(*sorted(batch.heard.items(), key=lambda item: item[0]), strict=True)
        await connection.execute(
            _SQL["write_sources"],
            shard,
            [source for source, _ in names],
            [domain for _, domain in names],
            [_EPOCH + timedelta(microseconds=one.last_time) for one in heard],
            now,
            [one.events for one in heard],
        )


async def write_refusals(
    connection: asyncpg.Connection, shard: int, refusals: Sequence[tuple[int, str, str]]
) -> None:
    """Keep refused records, each as (offset, source, record), until they are told."""
    if refusals:
        columns = [list(column) for column in zip(*refusals, strict=True)]
        await connection.execute(_SQL["write_refusals"], shard, *columns)


async def write_touched(
    connection: asyncpg.Connection,
    shard: int,
    batch: int,
    touched: tuple[Sequence[str], Sequence[int]],
    reports: Iterable[Report] = (),
) -> None:
    """Mark for the roll-up which bits of which units, and which reports, a batch has touched."""
    area_ids, masks = touched
    reported = sorted({(report.reporter, report.indicator) for report in reports})
    if area_ids or reported:
        await connection.execute(
            _SQL["write_touched"],
            shard,
            batch,
            area_ids,
            masks,
            [reporter for reporter, _ in reported],
            [indicator for _, indicator in reported],
        )


async def read_history_start(pool: asyncpg.Pool) -> date | None:
    """The first day that late events may restate; None before there is any point of history."""
    day: date | None = await pool.fetchval(_SQL["read_history_start"])
    return day


async def restart_history(connection: asyncpg.Connection, today: date) -> None:
    """Let late events restate no day before today: these were counted by other rules."""
    await connection.execute(_SQL["restart_history"], today)


async def write_corrections(
    connection: asyncpg.Connection,
    shard: int,
    batch: int,
    area_ids: Sequence[str],
    bookings: Sequence[Booking],
) -> None:
    """Leave to the roll-up what late events change on past days."""
    rows = [
        (area_ids[unit], bit, date.fromordinal(booking.day), *amounts[:, bit].tolist())
        for booking in bookings
        for unit, amounts in zip(booking.units.tolist(), booking.amounts, strict=True)
        for bit in np.flatnonzero(amounts.any(axis=0)).tolist()
    ]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(_SQL["write_corrections"], shard, batch, *columns)


async def move(
    connection: asyncpg.Connection,
    shard: int,
    next_offset: int,
    batch: int,
    *,
    evaluated_on: date | None = None,
    rules: str | None = None,
) -> None:
    """Move the shard's row to where the transaction leaves it; None keeps what is there."""
    await connection.execute(_SQL["move_shard"], shard, next_offset, batch, evaluated_on, rules)


async def read_positions(
    pool: asyncpg.Pool, shards: Iterable[int]
) -> dict[int, tuple[int, date | None]]:
    """Position and last evaluated day of the shards that have any."""
    rows = await pool.fetch(_SQL["read_positions"], list(shards))
    return {row["shard"]: (row["next_offset"], row["evaluated_on"]) for row in rows}


async def read_evaluations(
    pool: asyncpg.Pool, shards: Iterable[int]
) -> dict[int, tuple[date | None, str | None]]:
    """Last evaluated day and rules of the shards that have any records."""
    rows = await pool.fetch(_SQL["read_positions"], list(shards))
    return {row["shard"]: (row["evaluated_on"], row["rules"]) for row in rows}


def touched_by(differences: Differences, area_ids: Sequence[str]) -> tuple[list[str], list[int]]:
    """The units that differences are of, and in each the bits."""
    names = [area_ids[unit] for unit in differences.units.tolist()]
    return names, differences.masks.tolist()


def touched_all(area_ids: Iterable[str]) -> tuple[list[str], list[int]]:
    """Every bit of these units."""
    names = sorted(set(area_ids))
    return names, [(1 << BITS - 1) - 1] * len(names)


def _report_columns(reports: Iterable[Report]) -> list[list[object]]:
    rows = [
        (
            *report.key,
            report.period_end,
            *report.order,
            report.numerator,
            report.denominator,
            report.value,
        )
        for report in reports
    ]
    return [list(column) for column in zip(*rows, strict=True)]
