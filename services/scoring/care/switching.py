"""The switch of one shard: what was built anew takes the place of what the service has.

One transaction under the lock of the shard's row. No worker moves the shard meanwhile, so the new
state is brought to the very position of the old one, and nothing but a mistake can make them differ.
Its tables keep their names and identities; a worker sees a batch number that it does not know.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import asyncpg

from contracts.areas import Areas
from services.chassis.database import load_queries
from services.scoring.care.comparing import Counts, counts_of
from services.scoring.care.schemas import CareError

SQL: Final = load_queries(Path(__file__).parents[1] / "sql" / "care.sql")

_COPIES: Final = (
    "drop_snapshots",
    "copy_snapshots",
    "drop_journal",
    "copy_journal",
    "drop_counters",
    "copy_counters",
    "drop_sources",
    "copy_sources",
)


@dataclass(frozen=True, slots=True)
class Held:
    """A shard whose row is locked: no worker moves it until the transaction ends."""

    shard: int
    next_offset: int
    evaluated_on: date | None
    connection: asyncpg.Connection


@asynccontextmanager
async def hold(pool: asyncpg.Pool, shard: int) -> AsyncIterator[Held]:
    """Lock a shard of the service; what is done to it is committed at the end."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(SQL["lock_shard"], shard)
        yield Held(shard, row["next_offset"], row["evaluated_on"], connection)


async def refuse_another(held: Held) -> None:
    """Hold the new state of a shard too, and see that it stands where the old one does.

    Raises:
        CareError: it is of another run, which has only begun.
    """
    if await held.connection.fetchval(SQL["lock_new_shard"], held.shard) != held.next_offset:
        raise CareError(
            f"shard {held.shard} is not switched: PostgreSQL has ended the session that kept other "
            "rebuilds away, and one has begun; wait for it, then run it again"
        )


async def counted(held: Held) -> tuple[Counts, Counts]:
    """The counters of the service, and the new ones."""
    before = await held.connection.fetch(SQL["read_counters"], held.shard)
    after = await held.connection.fetch(SQL["read_new_counters"], held.shard)
    return counts_of(before), counts_of(after)


async def replace_state(held: Held) -> int:
    """Put the new state, counters and sources of a shard in the place of the old; its new batch."""
    await held.connection.execute(SQL["copy_layouts"])
    for name in _COPIES:
        await held.connection.execute(SQL[name], held.shard)
    batch: int = await held.connection.fetchval(SQL["move_shard"], held.shard)
    return batch


async def replace_reports(held: Held) -> int:
    """Put right the reports, which belong to no shard; returns how many were wrong.

    A report is the latest of its reporter, indicator and period, so one that a worker writes at the
    same time is kept whichever of the two comes first.
    """
    wrong = set(map(tuple, await held.connection.fetch(SQL["drop_stray_reports"])))
    wrong.update(map(tuple, await held.connection.fetch(SQL["copy_reports"])))
    return len(wrong)


async def touch_all(held: Held, batch: int, areas: Areas) -> None:
    """Have all figures summed up again; only those that were wrong get a new version."""
    counted = await held.connection.fetch(SQL["read_counted_areas"], held.shard)
    reported = await held.connection.fetch(SQL["read_reported"])
    units = sorted(row["area_id"] for row in counted if areas.get(row["area_id"]) is not None)
    reporters = [row["reporter"] for row in reported]
    indicators = [row["indicator"] for row in reported]
    await held.connection.execute(SQL["touch"], held.shard, batch, units, reporters, indicators)
