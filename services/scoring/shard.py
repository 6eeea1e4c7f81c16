"""The shard transaction: the one place where state changes.

One shard is one partition. A batch commits in one PostgreSQL transaction: lock the shard's row,
compare the position with what was read, drop records below it, write facts, counters and what was
touched, and move the position. Kafka's offsets are committed afterwards, so Kafka lags behind
PostgreSQL and never runs ahead. A commit whose fate is unknown is settled by taking the batch
again: what is below the stored position is dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final, Protocol

import asyncpg

from contracts.catalogue import Catalogue
from contracts.subjects import SubjectKind, parse_inside
from contracts.times import local_day
from services.chassis.database import load_queries
from services.chassis.failpoints import failpoint
from services.scoring.core.counting import Deltas
from services.scoring.core.evaluation import NOWHERE, KindEvaluator, Standing
from services.scoring.core.facts import Change, Facts, pack, unpack
from services.scoring.core.records import Read, ReadEvent, Report, UnreadableError

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "shard.sql")


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


@dataclass(slots=True)
class _Subject:
    kind: SubjectKind
    facts: Facts
    counted: Standing
    changed: bool = False


@dataclass(slots=True)
class _Source:
    last_occurred_at: datetime
    events: int


@dataclass(slots=True)
class _Work:
    """What the readable records of a batch ask for."""

    changes: list[ReadEvent] = field(default_factory=list)
    reports: dict[tuple[str, str, str], Report] = field(default_factory=dict)
    sources: dict[tuple[str, str], _Source] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    errors: list[UnreadableError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Position:
    next_offset: int
    batch: int
    evaluated_on: date | None


class Shards:
    """Takes batches of records, and days, into the state of their shards."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        catalogue: Catalogue,
        evaluators: Mapping[SubjectKind, KindEvaluator],
        read: Read,
        refuse: Refuse,
    ) -> None:
        self._pool = pool
        self._catalogue = catalogue
        self._evaluators = evaluators
        self._read = read
        self._refuse = refuse

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
        failpoint("shard.before-transaction")
        async with self._pool.acquire() as connection, connection.transaction():
            position = await self._lock(connection, shard)
            fresh = [record for record in records if record.offset >= position.next_offset]
            if not fresh:
                return Taken(position.next_offset)
            missing = fresh[0].offset - position.next_offset
            if missing > 0 and not gap_is_real:
                return Taken(position.next_offset, sought=position.next_offset)
            work = self._sort(shard, fresh, now)
            today = local_day(now)
            deltas = await self._fold(connection, shard, work.changes, today)
            await self._write_reports(connection, shard, work, now)
            moved = _Position(fresh[-1].offset + 1, position.batch + 1, None)
            await self._finish(connection, shard, moved, deltas, work.reports.values())
            failpoint("shard.before-commit")
        failpoint("shard.after-commit")
        return Taken(moved.next_offset, len(fresh), tuple(work.errors), missing=max(0, missing))

    async def step(self, shard: int, today: date, rows: int) -> int:
        """Evaluate up to `rows` subjects of a shard that are due by a local day.

        Returns:
            How many were due; fewer than `rows` means that the day is done in this shard.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            position = await self._lock(connection, shard)
            due = await connection.fetch(_SQL["read_due_subjects"], shard, today, rows)
            subjects = {row["subject"]: self._subject(row) for row in due}
            deltas = await self._count(connection, shard, subjects, today)
            done = today if len(due) < rows else None
            moved = _Position(position.next_offset, position.batch + 1, done)
            await self._finish(connection, shard, moved, deltas, ())
        return len(due)

    async def positions(self, shards: Iterable[int]) -> dict[int, tuple[int, date | None]]:
        """Position and last evaluated day of the shards that have any."""
        rows = await self._pool.fetch(_SQL["read_positions"], list(shards))
        return {row["shard"]: (row["next_offset"], row["evaluated_on"]) for row in rows}

    async def _lock(self, connection: asyncpg.Connection, shard: int) -> _Position:
        row = await connection.fetchrow(_SQL["lock_shard"], shard)
        if row is None:
            await connection.execute(_SQL["create_shard"], shard)
            row = await connection.fetchrow(_SQL["lock_shard"], shard)
        return _Position(*row)

    def _sort(self, shard: int, records: Iterable[Record], now: datetime) -> _Work:
        work = _Work()
        for record in records:
            try:
                event = self._read(record.value)
            except UnreadableError as error:
                work.errors.append(error)
                refusal = self._refuse(shard, record.offset, record.value, error, now)
                work.refusals.append(refusal)
                continue
            heard = work.sources.setdefault(
                (event.source, event.domain), _Source(event.occurred_at, 0)
            )
            heard.last_occurred_at = max(heard.last_occurred_at, event.occurred_at)
            heard.events += 1
            if isinstance(event.body, Report):
                known = work.reports.get(event.body.key)
                if known is None or event.body.order > known.order:
                    work.reports[event.body.key] = event.body
            else:
                work.changes.append(event)
        return work

    async def _fold(
        self, connection: asyncpg.Connection, shard: int, events: Sequence[ReadEvent], today: date
    ) -> Deltas:
        names = sorted({event.subject for event in events})
        rows = await connection.fetch(_SQL["read_subjects"], shard, names) if names else []
        subjects = {row["subject"]: self._subject(row) for row in rows}
        for event in events:
            subject = subjects.get(event.subject)
            if subject is None:
                facts = self._evaluators[event.kind].table.empty()
                subject = subjects[event.subject] = _Subject(event.kind, facts, NOWHERE)
            if isinstance(event.body, Change):
                table = self._evaluators[event.kind].table
                subject.changed |= table.fold(subject.facts, event.body)
        changed = {name: subject for name, subject in subjects.items() if subject.changed}
        return await self._count(connection, shard, changed, today)

    def _subject(self, row: asyncpg.Record) -> _Subject:
        kind, _ = parse_inside(row["subject"])
        due = row["due_on"]
        counted = Standing(
            row["area_id"], row["population"], row["numerator"], due and due.toordinal()
        )
        facts = unpack(row["facts"], self._evaluators[kind].table.width)
        return _Subject(kind, facts, counted)

    async def _count(
        self,
        connection: asyncpg.Connection,
        shard: int,
        subjects: Mapping[str, _Subject],
        today: date,
    ) -> Deltas:
        """Evaluate subjects, write their rows, and return the difference for the counters."""
        deltas = Deltas()
        rows = []
        for name in sorted(subjects):
            subject = subjects[name]
            standing = self._evaluators[subject.kind].evaluate(subject.facts, today.toordinal())
            deltas.move(subject.counted, standing)
            due = None if standing.due is None else date.fromordinal(standing.due)
            packed = pack(subject.facts)
            rows.append(
                (name, packed, standing.area_id, standing.population, standing.numerator, due)
            )
        if rows:
            await connection.execute(_SQL["write_subjects"], shard, *zip(*rows, strict=True))
        return deltas

    async def _write_reports(
        self, connection: asyncpg.Connection, shard: int, work: _Work, now: datetime
    ) -> None:
        if work.reports:
            rows = [
                (
                    *report.key,
                    report.period_end,
                    *report.order,
                    report.numerator,
                    report.denominator,
                    report.value,
                )
                for report in work.reports.values()
            ]
            await connection.execute(_SQL["write_reports"], *zip(*rows, strict=True))
        if work.sources:
            names, heard = zip(*sorted(work.sources.items(), key=lambda item: item[0]), strict=True)
            await connection.execute(
                _SQL["write_sources"],
                shard,
                [source for source, _ in names],
                [domain for _, domain in names],
                [one.last_occurred_at for one in heard],
                now,
                [one.events for one in heard],
            )
        if work.refusals:
            await connection.execute(
                _SQL["write_refusals"],
                shard,
                [refusal.offset for refusal in work.refusals],
                [refusal.source for refusal in work.refusals],
                [refusal.record for refusal in work.refusals],
            )

    async def _finish(
        self,
        connection: asyncpg.Connection,
        shard: int,
        moved: _Position,
        deltas: Deltas,
        reports: Iterable[Report],
    ) -> None:
        rows = deltas.rows(self._catalogue)
        if rows:
            await connection.execute(_SQL["add_to_counters"], shard, *zip(*rows, strict=True))
        reported = sorted({(report.reporter, report.indicator) for report in reports})
        if rows or reported:
            await connection.execute(
                _SQL["write_touched"],
                shard,
                moved.batch,
                [row[0] for row in rows],
                [row[1] for row in rows],
                [reporter for reporter, _ in reported],
                [indicator for _, indicator in reported],
            )
        await connection.execute(
            _SQL["move_shard"], shard, moved.next_offset, moved.batch, moved.evaluated_on
        )
