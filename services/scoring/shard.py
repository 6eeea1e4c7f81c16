"""The shard transaction: the one place where state changes.

One shard is one partition. Its state is held in memory, in columns; a batch is folded, evaluated and
counted there, and commits in one PostgreSQL transaction: lock the shard's row, compare position and
batch number with those that the state in memory stands at, write what has changed to the journal and
to the counters, mark what was touched, and move the position. Kafka's offsets are committed
afterwards, so Kafka lags behind PostgreSQL and never runs ahead.

What is in memory is a copy. Whenever it might differ from what PostgreSQL holds, because somebody
else moved the shard, a transaction failed, or the fate of a commit is unknown, it is forgotten and
read anew: what is below the stored position is then dropped, the rest taken again.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol, TypeVar

import asyncpg
import numpy as np

from contracts.times import local_day
from services.chassis.failpoints import failpoint
from services.scoring import store
from services.scoring.core.conditions import Ordinal
from services.scoring.core.pieces import Pieces
from services.scoring.core.reading import Batch, Reader
from services.scoring.core.records import UnreadableError
from services.scoring.core.rules import Rules
from services.scoring.core.state import Change
from services.scoring.store import Stored

#: So far may clocks be apart. A shard that has been evaluated for a later day than that is of a clock
#: that has been put back since.
_APART: Final = timedelta(days=2)
T = TypeVar("T")

_DAY: Final = timedelta(days=1)

#: Bytes of snapshots that a process writes, at most, for each byte of journals; while shards double,
#: as many as they fill, two to three are needed.
_SNAPSHOTS_TO_JOURNAL: Final = 3
#: What a process needs beside the state of its shards: the interpreter, libraries, fetched records.
_BESIDE: Final = 256 * 1024 * 1024


class Record(Protocol):
    """A record of the topic: its place and its value."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""
        ...

    @property
    def value(self) -> bytes | None:
        """What it holds, None for a tombstone."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that could not be read, as it is told to operators."""

    offset: int
    source: str
    record: str


class Refuse(Protocol):
    """Makes a refusal out of an unreadable record."""

    def __call__(
        self, shard: int, offset: int, value: bytes | None, error: UnreadableError, now: datetime
    ) -> Refusal:
        """The refusal of a record at `offset` of partition `shard`."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch.

    `next_offset` is the shard's position in PostgreSQL now. When `sought` is set nothing was taken:
    records between that offset and the first one given are missing, and must be fetched first.
    `missing` is how many offsets were passed over because their gap is real.
    """

    next_offset: int
    taken: int = 0
    refused: tuple[UnreadableError, ...] = ()
    sought: int | None = None
    missing: int = 0


class _MovedError(Exception):
    """Somebody else has moved the shard since its state was read."""


class Shards:
    """Takes batches of records, and days, into the state of their shards.

    Args:
        pool: of connections that find the schema.
        rules: by which subjects are evaluated and counted.
        refuse: makes refusals.
        memory_bytes: what the process may take; state that is over it is dropped from memory. The
            shard in work stays, however large it is.
        journal_entries: after so many batches a shard's journal is replaced by a snapshot, however
            short it still is.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        rules: Rules,
        refuse: Refuse,
        *,
        memory_bytes: int = 1024 * 1024 * 1024,
        journal_entries: int = store.MOST_ENTRIES,
    ) -> None:
        self._pool = pool
        self._rules = rules
        self._refuse = refuse
        self._reader = Reader(rules)
        self._room = max(0, memory_bytes - _BESIDE)
        self._journal_entries = journal_entries
        self._held: OrderedDict[int, Stored] = OrderedDict()
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: Bytes of all journals since the last snapshot.
        self._written_since = 0
        #: How many states have been dropped since the start because others needed their room.
        self.drops = 0

    async def take(
        self, shard: int, records: Sequence[Record], now: datetime, *, gap_is_real: bool = False
    ) -> Taken:
        """Take records of one shard, in the order of their offsets, in one transaction.

        Args:
            shard: the partition.
            records: not empty; those below the stored position are dropped.
            now: the present moment.
            gap_is_real: the broker no longer has the records before the first one, so the shard
                may go on without them.

        Raises:
            asyncpg.PostgresError, OSError: nothing was committed, or its fate is unknown; take the
                same records again.
        """
        while True:
            try:
                async with self._holding(shard, local_day(now)) as held:
                    await self._make_up(shard, held, local_day(now))
                    return await self._take(shard, held, records, now, gap_is_real=gap_is_real)
            except _MovedError:
                continue

    async def step(self, shard: int, today: date) -> int:
        """Evaluate the subjects of a shard that are due by a local day.

        A shard does not go back to an earlier day, unless it is far ahead: then everybody is
        evaluated anew.

        Returns:
            How many were due.

        Raises:
            asyncpg.PostgresError, OSError: as `take`; step again.
        """
        while True:
            try:
                async with self._holding(shard, today) as held:
                    if _is_far_ahead(held.evaluated_on, today):
                        return await self._evaluate_all(shard, held, today)
                    if held.day_from(today) > today:
                        return 0
                    return await self._step(shard, held, today)
            except _MovedError:
                continue

    async def positions(self, shards: Iterable[int]) -> dict[int, tuple[int, date | None]]:
        """Position and last evaluated day of the shards that have any."""
        return await store.read_positions(self._pool, shards)

    async def outdated(self, shards: Iterable[int], today: date) -> list[int]:
        """Which shards have been evaluated for another day, or under other rules."""
        rows = await store.read_evaluations(self._pool, shards)
        return [
            shard
            for shard, (evaluated_on, rules) in rows.items()
            if evaluated_on is None
            or evaluated_on < today
            or _is_far_ahead(evaluated_on, today)
            or rules != self._rules.fingerprint
        ]

    def forget(self, shard: int) -> None:
        """Drop a shard's state from memory; it is read anew when it is needed."""
        self._held.pop(shard, None)

    def keep_only(self, shards: Iterable[int]) -> None:
        """Drop the states of all other shards: another process works on them now."""
        for shard in set(self._held).difference(shards):
            if not self._turns[shard].locked():
                self.forget(shard)

    @property
    def held_bytes(self) -> int:
        """What the states in memory take, about."""
        return sum(held.state.nbytes for held in self._held.values())

    async def _step(self, shard: int, held: Stored, today: date) -> int:
        change = await _unhurried(
            held.state.stepping(today.toordinal(), _ordinal(held.history_begins))
        )
        async with self._transaction(shard, held) as (connection, batch):
            await self._write(connection, shard, batch, held, change)
            await store.move(connection, shard, held.next_offset, batch, evaluated_on=today)
        held.evaluated_on = today
        return change.subjects

    async def _make_up(self, shard: int, held: Stored, today: date) -> None:
        """Step first when a whole day was missed: what is taken then is not that day's."""
        if held.evaluated_on is not None and held.evaluated_on < today - _DAY:
            await self._step(shard, held, today)

    async def _take(
        self,
        shard: int,
        held: Stored,
        records: Sequence[Record],
        now: datetime,
        *,
        gap_is_real: bool,
    ) -> Taken:
        fresh = [record for record in records if record.offset >= held.next_offset]
        if not fresh:
            return Taken(held.next_offset)
        missing = max(0, fresh[0].offset - held.next_offset)
        if missing:
            # Before anybody seeks: is it our memory that is behind?
            position = (await self.positions([shard])).get(shard, (0, None))[0]
            if position != held.next_offset:
                raise _MovedError
            if not gap_is_real:
                return Taken(held.next_offset, sought=held.next_offset)
        values = [record.value for record in fresh]
        batch = self._reader.read(values, held.state.ids)
        refusals = [
            self._refuse(shard, fresh[place].offset, values[place], error, now)
            for place, error in batch.errors
        ]
        begins = _ordinal(held.history_begins)
        # The shard may have gone on to the next day meanwhile, here or in another process. Whom this
        # day would leave as they were, no step would look at again before the day after.
        today = held.day_from(local_day(now))
        change = await _unhurried(held.state.taking(batch.writes, today.toordinal(), begins))
        next_offset = fresh[-1].offset + 1
        failpoint("shard.before-transaction")
        async with self._transaction(shard, held) as (connection, number):
            await self._write(connection, shard, number, held, change, batch=batch)
            await store.write_heard(connection, shard, batch, now)
            await store.write_refusals(
                connection, shard, [(one.offset, one.source, one.record) for one in refusals]
            )
            await store.move(connection, shard, next_offset, number)
            failpoint("shard.before-commit")
        failpoint("shard.after-commit")
        held.next_offset = next_offset
        if self._is_time_for_snapshot(held):
            await self._rewrite(shard, held)
        errors = tuple(error for _, error in batch.errors)
        return Taken(next_offset, len(fresh), errors, missing=missing)

    @asynccontextmanager
    async def _holding(self, shard: int, today: date) -> AsyncIterator[Stored]:
        """The state of a shard, for one at a time; it is forgotten when anything is raised."""
        async with self._turns[shard]:
            try:
                held = self._held.get(shard)
                if held is None:
                    held = self._held[shard] = await self._load(shard, today)
                self._held.move_to_end(shard)
                if held.looked_on != today:
                    held.history_begins = await store.read_history_start(self._pool)
                    held.looked_on = today
                yield held
            except BaseException:
                self.forget(shard)
                raise
            self._make_room()

    @asynccontextmanager
    async def _transaction(
        self, shard: int, held: Stored
    ) -> AsyncIterator[tuple[asyncpg.Connection, int]]:
        """A transaction that holds the shard's row, and its number.

        Raises:
            _MovedError: the shard is not where the state in memory stands.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            if await store.lock(connection, shard) != (held.next_offset, held.batch):
                raise _MovedError
            yield connection, held.batch + 1
        held.batch += 1

    async def _load(self, shard: int, today: date) -> Stored:
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            held = await store.load(connection, shard, self._rules)
        if held.rules != self._rules.fingerprint:
            await self._evaluate_all(shard, held, today)
        return held

    async def _evaluate_all(self, shard: int, held: Stored, today: date) -> int:
        """Evaluate everybody anew, since the shard was last counted under other rules.

        Returns how many they are.
        """
        state = held.state
        evaluated = await _unhurried(state.evaluating_all(today.toordinal()))
        area_ids = self._rules.territory.area_ids
        async with self._transaction(shard, held) as (connection, batch):
            before = await store.forget_counters(connection, shard)
            units = np.flatnonzero(state.counts.any(axis=(1, 2)))
            await store.write_counters(connection, shard, area_ids, units, state.counts)
            counted = {area_ids[unit] for unit in units.tolist()}
            touched = store.touched_all(counted.union(before))
            await store.write_touched(connection, shard, batch, touched)
            await self._write_snapshot(connection, shard, held)
            await store.move(
                connection,
                shard,
                held.next_offset,
                batch,
                evaluated_on=today,
                rules=self._rules.fingerprint,
            )
            if held.rules is not None:
                await store.restart_history(connection, today)
        held.evaluated_on, held.rules = today, self._rules.fingerprint
        return evaluated

    async def _write(
        self,
        connection: asyncpg.Connection,
        shard: int,
        number: int,
        held: Stored,
        change: Change,
        *,
        batch: Batch | None = None,
    ) -> None:
        """Write what has changed in a shard."""
        area_ids = self._rules.territory.area_ids
        await store.write_journal(connection, shard, number, change.packed)
        units = change.differences.units
        await store.write_counters(connection, shard, area_ids, units, held.state.counts)
        touched = store.touched_by(change.differences, area_ids)
        reports = () if batch is None else batch.reports.values()
        await store.write_touched(connection, shard, number, touched, reports)
        await store.write_corrections(connection, shard, number, area_ids, change.bookings)
        held.journal_bytes += len(change.packed)
        held.entries += bool(change.packed)
        self._written_since += len(change.packed)

    def _is_time_for_snapshot(self, held: Stored) -> bool:
        """Shards fill evenly; all at once would be written as a whole, so they take turns."""
        if held.entries > self._journal_entries or held.wants_snapshot(overdue=True):
            return True
        expected = held.snapshot_bytes + held.journal_bytes
        is_turn = self._written_since * _SNAPSHOTS_TO_JOURNAL >= expected
        return is_turn and held.wants_snapshot()

    async def _rewrite(self, shard: int, held: Stored) -> None:
        """Put a snapshot in the place of the journal."""
        async with self._transaction(shard, held) as (connection, batch):
            await self._write_snapshot(connection, shard, held)
            await store.move(connection, shard, held.next_offset, batch)
            failpoint("snapshot.before-commit")
        failpoint("snapshot.after-commit")

    async def _write_snapshot(
        self, connection: asyncpg.Connection, shard: int, held: Stored
    ) -> None:
        await store.tell_layout(connection, self._rules)
        held.snapshot_bytes = await store.write_snapshot(connection, shard, held.state)
        held.journal_bytes = held.entries = 0
        self._written_since = 0

    def _make_room(self) -> None:
        """Drop states until the others fit, the one used before the last first.

        Shards are worked off in turns, and in turns the one that rested longest is the next.
        """
        used = self.held_bytes
        for shard in list(self._held)[-2::-1]:
            if used <= self._room:
                break
            if not self._turns[shard].locked():
                used -= self._held.pop(shard).state.nbytes
                self.drops += 1


def _is_far_ahead(evaluated_on: date | None, today: date) -> bool:
    return evaluated_on is not None and evaluated_on > today + _APART


def _ordinal(day: date | None) -> Ordinal | None:
    return None if day is None else day.toordinal()


async def _unhurried(work: Pieces[T]) -> T:
    """Do long work, and let others have their turn after each piece."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            outcome: T = done.value
            return outcome
        await asyncio.sleep(0)
