"""``nhipso reconcile``: everything counted over from the facts, and held against what is stored.

Each shard is read in one snapshot, so its facts, its counters and its position are of one moment,
whatever happens meanwhile; so are all counters and figures, when the sums up the tree are looked at.
Nothing is written.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from contracts.times import local_day
from services.chassis.clock import Clock
from services.chassis.database import load_queries
from services.scoring.care.recounting import describe, expected, wrong_counters
from services.scoring.care.schemas import Hear, one_moment, read_only
from services.scoring.care.switching import SQL
from services.scoring.core.rules import Rules
from services.scoring.rollup import read_own
from services.scoring.store import Stored, load
from services.scoring.summing import Known, Summing

_ROLLUP: Final = load_queries(Path(__file__).parents[1] / "sql" / "rollup.sql")
_EVERY_BIT: Final = (1 << 63) - 1


@dataclass(slots=True)
class Findings:
    """Things of one sort that are not as they should be: how many, and the first ones in words."""

    most: int
    count: int = 0
    first: list[str] = field(default_factory=list)

    @property
    def room(self) -> int:
        """How many more are put into words."""
        return self.most - len(self.first)

    def add(self, says: str) -> None:
        """Note one more."""
        self.count += 1
        if len(self.first) < self.most:
            self.first.append(says)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of it.

    Args:
        shards: how many were counted over.
        subjects: how many there are in them.
        wrong_subjects: subjects that have been counted as what they are not.
        wrong_counters: counters that are not the sum of their subjects.
        wrong_figures: figures that are not the sum of counters up the tree.
        elsewhere: shards that were counted under other rules and could not be held against these.
    """

    shards: int
    subjects: int
    wrong_subjects: Findings
    wrong_counters: Findings
    wrong_figures: Findings
    elsewhere: int

    @property
    def differences(self) -> int:
        """How many there are of all sorts."""
        return sum(
            found.count for found in (self.wrong_subjects, self.wrong_counters, self.wrong_figures)
        )


async def reconcile(
    dsn: str, rules: Rules, clock: Clock, hear: Hear, *, most: int = 10
) -> Reconciled:
    """Count everything over.

    Args:
        dsn: the database of scoring.
        rules: that it counts under.
        clock: tells the day.
        hear: hears of each shard.
        most: how many differences of each sort are put into words.

    Raises:
        CareError: there is no state there.
        services.scoring.core.packing.PackError: stored state cannot be read.
        asyncpg.PostgresError, OSError: the server does not answer.
    """
    async with read_only(dsn) as connection:
        shards = [row["shard"] for row in await connection.fetch(SQL["read_shards"])]
        run = _Run(connection, rules, clock, most)
        for number, shard in enumerate(shards, start=1):
            await run.count_over(shard)
            hear("count over", number, len(shards))
        await run.sum_up()
    return Reconciled(
        shards=len(shards) - run.elsewhere,
        subjects=run.subjects,
        wrong_subjects=run.wrong_subjects,
        wrong_counters=run.wrong_counters,
        wrong_figures=run.wrong_figures,
        elsewhere=run.elsewhere,
    )


class _Run:
    """One reconciliation."""

    def __init__(
        self, connection: asyncpg.Connection, rules: Rules, clock: Clock, most: int
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._clock = clock
        self.subjects = 0
        self.elsewhere = 0
        self.wrong_subjects = Findings(most)
        self.wrong_counters = Findings(most)
        self.wrong_figures = Findings(most)

    async def count_over(self, shard: int) -> None:
        """Count the subjects of a shard over."""
        async with one_moment(self._connection):
            stored = await load(self._connection, shard, self._rules)
            counted = await self._connection.fetch(SQL["read_counter_areas"], shard)
        if stored.rules not in (None, self._rules.fingerprint):
            self.elsewhere += 1
            return
        await asyncio.to_thread(self._hold_against, shard, stored)
        for row in counted:
            if row["area_id"] not in self._rules.territory.place_of:
                self.wrong_counters.add(
                    f"shard {shard}: {row['area_id']} has counters, and is no known unit"
                )

    def _hold_against(self, shard: int, stored: Stored) -> None:
        # Read after the state, so that no day on which it was evaluated lies behind it.
        today = local_day(self._clock.now()).toordinal()
        done = 0 if stored.evaluated_on is None else stored.evaluated_on.toordinal()
        state = stored.state
        for kind, subjects in state.subjects.items():
            right = expected(state, kind, self._rules, max(today, done), done)
            self.subjects += subjects.count
            rows = right.wrong.tolist()
            named = rows[: self.wrong_subjects.room]
            for row in named:
                says = describe(subjects, row, subjects.standings, right.standings, self._rules)
                self.wrong_subjects.add(f"shard {shard}: {says}")
            self.wrong_subjects.count += len(rows) - len(named)
        for says in wrong_counters(state, self._rules):
            self.wrong_counters.add(f"shard {shard}: {says}")

    async def sum_up(self) -> None:
        """Sum the counters up the tree; what the roll-up has yet to take up is left out."""
        connection = self._connection
        summing = Summing(self._rules.areas, self._rules.catalogue)
        async with one_moment(connection):
            rows = await connection.fetch(_ROLLUP["read_all_areas"])
            known = [row["area_id"] for row in rows if self._rules.areas.get(row["area_id"])]
            wanted = summing.upward([(known, [_EVERY_BIT] * len(known))])
            marks = await connection.fetch(SQL["read_touched"])
            waiting = summing.upward((mark["area_ids"], mark["masks"]) for mark in marks)
            own = await read_own(connection, summing, wanted)
            figures = await connection.fetchrow(_ROLLUP["read_counted"], summing.parts(wanted))
            found = summing.changes(wanted, own, Known(*figures))
            bits = {one.id: one.bit or 0 for one in self._rules.catalogue.counted}
            for area_id, indicator, numerator, denominator in zip(
                found.area_ids, found.indicators, found.numerators, found.denominators, strict=True
            ):
                if waiting.get(area_id, 0) >> bits[indicator] & 1:
                    continue
                stored = await connection.fetchrow(SQL["read_figures"], area_id, indicator)
                is_ = "is not there" if stored is None else f"is {stored[0]} / {stored[1]}"
                self.wrong_figures.add(
                    f"{area_id} {indicator} {is_}, its counters are {numerator} / {denominator}"
                )
