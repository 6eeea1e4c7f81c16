"""The state that a bench has left in PostgreSQL, taken up as a process does that starts anew."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import asyncpg
import numpy as np
from pydantic import SecretStr

from contracts import areas, catalogue
from contracts.areas import Areas
from contracts.catalogue import Catalogue, FactCondition
from services.chassis.database import open_pool
from services.chassis.settings import PostgresSettings
from services.scoring import store
from services.scoring.core.conditions import NEVER
from services.scoring.core.records import UnreadableError
from services.scoring.core.rules import Rules
from services.scoring.rollup import Rollup
from services.scoring.shard import Refusal, Shards

_TOUCH_ALL: Final = """
    INSERT INTO touched (shard, batch, area_ids, masks, reported_area_ids, reported_indicators)
    SELECT 0, -1, array_agg(area_id), array_agg($1::bigint), '{}', '{}'
    FROM (SELECT DISTINCT area_id FROM counters) AS counted
"""


@dataclass(frozen=True, slots=True)
class Takeover:
    """How long it takes to read the state of one shard."""

    shard: int
    subjects: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RollUp:
    """A roll-up of everything: rows of counters that were read, figures that were written."""

    counters: int
    written: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """A daily step over all shards, one after the other."""

    day: date
    due: int
    seconds: float


class Kept:
    """A schema that scoring has filled and has left."""

    def __init__(self, pool: asyncpg.Pool, units: Areas) -> None:
        self._pool = pool
        self._units = units
        self._rules = Rules(catalogue.load(), units)

    async def take_over(self) -> tuple[list[Takeover], "Counter[int]"]:
        """Read every shard in turn; returns how long that took, and subjects by their due day."""
        found: list[Takeover] = []
        due: Counter[int] = Counter()
        for row in await self._pool.fetch("SELECT shard FROM shards ORDER BY shard"):
            started = time.perf_counter()
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                held = await store.load(connection, row["shard"], self._rules)
            seconds = time.perf_counter() - started
            kinds = held.state.subjects.values()
            for subjects in kinds:
                days, counts = np.unique(subjects.standings.due, return_counts=True)
                due.update(dict(zip(days.tolist(), counts.tolist(), strict=True)))
            count = sum(subjects.count for subjects in kinds)
            found.append(Takeover(row["shard"], count, seconds))
        due.pop(NEVER, None)
        return found, due

    def process(self, rules: Catalogue | None = None) -> Shards:
        """The shards as a process has them that has just started, under the rules or others."""
        known = self._rules if rules is None else Rules(rules, self._units)
        return Shards(self._pool, known, _refuse_nothing)

    async def step(self, shards: Shards, day: date) -> Step:
        """Take up a day in all shards, one after the other, as a process does."""
        numbers = [row["shard"] for row in await self._pool.fetch("SELECT shard FROM shards")]
        started = time.perf_counter()
        due = 0
        for shard in await shards.outdated(numbers, day):
            due += await shards.step(shard, day)
        return Step(day, due, time.perf_counter() - started)

    async def roll_up_all(self, *, anew: bool) -> RollUp:
        """Sum up every indicator of every unit that counts anybody.

        Args:
            anew: forget the figures first, so that each of them is written.
        """
        if anew:
            await self._pool.execute("TRUNCATE figures, history")
        await self._pool.execute(_TOUCH_ALL, (1 << 62) - 1)
        counters = await self._pool.fetchval("SELECT count(*) FROM counters")
        rollup = Rollup(self._units, catalogue.load())
        async with self._pool.acquire() as connection:
            started = time.perf_counter()
            written = await rollup.run(connection, datetime.now(UTC))
            return RollUp(counters, written, time.perf_counter() - started)


@asynccontextmanager
async def kept(dsn: str, schema: str, units: Areas | None = None) -> AsyncIterator[Kept]:
    """Open what a run with `keep` has left in a schema."""
    settings = PostgresSettings(dsn=SecretStr(dsn))
    pool = await open_pool(settings, schema=schema, application_name="bench")
    try:
        yield Kept(pool, units or areas.load())
    finally:
        await pool.close()


def with_another_window(known: Catalogue) -> Catalogue:
    """A new version, in which a payment counts for twice as long."""
    name = "payment-in-90-days"
    condition = known.conditions[name]
    if not isinstance(condition, FactCondition) or condition.within_days is None:
        raise TypeError(f"{name} is no window any more; choose another condition")
    longer = condition.model_copy(update={"within_days": 2 * condition.within_days})
    conditions = {**known.conditions, name: longer}
    fields = {field: getattr(known, field) for field in Catalogue.model_fields}
    # Validated anew: a copy would go on with the fingerprint that the known one has worked out.
    return Catalogue.model_validate(
        {**fields, "version": known.version + 1, "conditions": conditions}
    )


def first_day_with(due: "Counter[int]", count: int, after: int) -> int:
    """The first day by which so many subjects are due that were not yet by the day `after`.

    Raises:
        ValueError: there are not so many.
    """
    seen = 0
    for day in sorted(day for day in due if day > after):
        seen += due[day]
        if seen >= count:
            return day
    raise ValueError(f"only {seen} subjects are due at all; measure more citizens, or fewer due")


def _refuse_nothing(
    shard: int, offset: int, value: bytes | None, error: UnreadableError, now: datetime
) -> Refusal:
    raise AssertionError(f"nothing is read here, yet {shard}/{offset} was refused")
