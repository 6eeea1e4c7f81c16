"""The state of a shard: its subjects in columns, and what they count to in each unit.

Everything here happens in memory. What a change means for the store comes back as a `Change`:
packed bytes for the journal, and what to add to the counters.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contracts.subjects import SubjectKind
from services.scoring.core.booking import Booking, Late, missed
from services.scoring.core.conditions import NEVER, Ordinal
from services.scoring.core.counting import BITS, Counts, Differences, differences
from services.scoring.core.packing import (
    Pack,
    Unpacked,
    decode,
    encode,
    kind_of,
    pack,
    unpack,
)
from services.scoring.core.pieces import Pieces, at_once
from services.scoring.core.rules import Rules
from services.scoring.core.subjects import Rows, Standings, Subjects, Writes, nowhere
from services.scoring.core.texts import Ids

#: A part of a snapshot holds at most so many subjects; so many are evaluated at a time.
PART: Final = 25_000
#: Long ids in the list before those that are not used any more are dropped.
_MANY_LONG: Final = 50_000


@dataclass(frozen=True, slots=True)
class Change:
    """What became of some subjects.

    They are packed for the journal (empty: nothing); `differences` go to the counters, `bookings` to
    the past days that late events change.
    """

    packed: bytes
    differences: Differences
    subjects: int
    bookings: tuple[Booking, ...] = ()


class ShardState:
    """The subjects of one shard, and the counts of each unit.

    `counts` is (unit, 2, bit): numerators and denominators by the places of `Territory`.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.ids = Ids()
        self.subjects: dict[SubjectKind, Subjects] = {
            kind: Subjects(evaluator.rules, self.ids)
            for kind, evaluator in rules.evaluators.items()
        }
        self.counts: Counts = np.zeros((len(rules.territory.area_ids), 2, BITS), np.int64)
        self._tidied = _MANY_LONG

    @property
    def nbytes(self) -> int:
        """Memory, about."""
        texts = 2 * sum(map(len, self.ids.long[:1_000])) // max(1, min(1_000, len(self.ids.long)))
        columns = sum(subjects.nbytes for subjects in self.subjects.values())
        return columns + self.counts.nbytes + len(self.ids.long) * (texts + 120)

    def take(
        self,
        writes: Mapping[SubjectKind, Writes],
        today: Ordinal,
        history_begins: Ordinal | None = None,
    ) -> Change:
        """Do at once what `taking` does."""
        return at_once(self.taking(writes, today, history_begins))

    def taking(
        self,
        writes: Mapping[SubjectKind, Writes],
        today: Ordinal,
        history_begins: Ordinal | None = None,
    ) -> Pieces[Change]:
        """Fold what a batch writes, and evaluate whom it changes as of the local day `today`.

        Events of earlier days, from `history_begins` on, are booked on those days; None or today
        for no such day. Until all is done, the state is of no use.
        """
        begins = today if history_begins is None else history_begins
        bookings: list[Booking] = []
        packs: list[Pack] = []
        found: list[Differences] = []
        changed = 0
        for kind, all_writes in writes.items():
            if begins < today:
                evaluator = self._rules.evaluators[kind]
                late = Late(evaluator, self.subjects[kind], all_writes, begins, today)
                rows, whose = yield from late.fold()
                bookings += late.book()
            else:
                rows, _, whose = self.subjects[kind].fold(all_writes)
            if len(rows):
                found.append(self._evaluate(kind, rows, today))
                changes = whose >= 0
                packs.append(self._pack(kind, rows, all_writes.chosen(changes), whose[changes]))
                changed += len(rows)
        self._tidy()
        packed = encode(packs) if packs else b""
        return Change(packed, self._count(found), changed, tuple(bookings))

    def step(self, today: Ordinal, history_begins: Ordinal | None = None) -> Change:
        """Do at once what `stepping` does."""
        return at_once(self.stepping(today, history_begins))

    def stepping(self, today: Ordinal, history_begins: Ordinal | None = None) -> Pieces[Change]:
        """Evaluate whoever is due by a local day.

        Who was due on an earlier day, from `history_begins` on, is booked on it (see `taking`).
        """
        begins = today if history_begins is None else history_begins
        due = {kind: subjects.due(today) for kind, subjects in self.subjects.items()}
        bookings: list[Booking] = []
        if begins < today:
            for kind, rows in due.items():
                evaluator = self._rules.evaluators[kind]
                bookings += yield from missed(evaluator, self.subjects[kind], rows, begins, today)
        return replace(self._evaluate_some(due, today), bookings=tuple(bookings))

    def evaluating_all(self, today: Ordinal) -> Pieces[int]:
        """Evaluate and count everybody anew, as after a change of rules; returns how many.

        Nothing is packed: write a snapshot.
        """
        self.counts[:] = 0
        for kind, subjects in self.subjects.items():
            for first in range(0, subjects.count, PART):
                rows = np.arange(first, min(first + PART, subjects.count))
                standings = self._rules.evaluators[kind].evaluate(subjects, rows, today)
                subjects.stand(rows, standings)
                units, amounts = differences(nowhere(len(rows)), standings)
                self.counts[units] += amounts
                yield
        return sum(subjects.count for subjects in self.subjects.values())

    def standings(self, kind: SubjectKind, today: Ordinal) -> Standings:
        """Where everybody of a kind would count, without counting them there."""
        subjects = self.subjects[kind]
        evaluator = self._rules.evaluators[kind]
        return evaluator.evaluate(subjects, subjects.all_rows(), today)

    def recount(self) -> Counts:
        """The counts anew, from where each subject has been counted."""
        counts = np.zeros_like(self.counts)
        for subjects in self.subjects.values():
            standings = subjects.standings
            nowhere = standings._replace(areas=np.full(subjects.count, -1, np.int32))
            units, amounts = differences(nowhere, standings)
            counts[units] += amounts
        return counts

    def snapshot(self) -> Iterator[bytes]:
        """Everything, in parts."""
        for kind, subjects in self.subjects.items():
            for first in range(0, subjects.count, PART):
                rows = np.arange(first, min(first + PART, subjects.count))
                yield encode([self._pack(kind, rows, *subjects.writes(rows))])

    def restore(self, stored: Iterable[bytes]) -> None:
        """Take in parts of a snapshot, or entries of the journal; these in their order.

        Raises:
            PackError: when one cannot be read.
        """
        found: dict[SubjectKind, list[Unpacked]] = {}
        rules = self._rules
        for packed in (one for payload in stored for one in decode(payload)):
            kind = kind_of(packed)
            if kind in self.subjects:
                subject_rules = rules.evaluators[kind].rules
                unpacked = unpack(packed, subject_rules, self.ids, rules.territory, rules.layouts)
                found.setdefault(kind, []).append(unpacked)
        for kind, parts in found.items():
            keys, standings, writes = Unpacked.joined(parts)
            self.subjects[kind].fold(writes)
            self.subjects[kind].place(keys, standings)

    def due(self) -> Ordinal | None:
        """The earliest day on which anybody is due."""
        days = [s.standings.due.min() for s in self.subjects.values() if s.count]
        earliest = int(min(days, default=NEVER))
        return None if earliest == NEVER else earliest

    def _evaluate_some(self, some: Mapping[SubjectKind, Rows], today: Ordinal) -> Change:
        packs: list[Pack] = []
        found: list[Differences] = []
        changed = 0
        for kind, rows in some.items():
            if len(rows):
                found.append(self._evaluate(kind, rows, today))
                packs.append(self._pack(kind, rows, *self.subjects[kind].writes(rows[:0])))
                changed += len(rows)
        return Change(encode(packs) if packs else b"", self._count(found), changed)

    def _evaluate(self, kind: SubjectKind, rows: Rows, today: Ordinal) -> Differences:
        subjects = self.subjects[kind]
        before = subjects.standings.chosen(rows)
        after = self._rules.evaluators[kind].evaluate(subjects, rows, today)
        subjects.stand(rows, after)
        moved = (
            (before.areas != after.areas)
            | (before.populations != after.populations)
            | (before.numerators != after.numerators)
        )
        return differences(before.chosen(moved), after.chosen(moved))

    def _count(self, found: list[Differences]) -> Differences:
        if len(found) != 1:
            found = [_joined(found)]
        units, amounts = found[0]
        self.counts[units] += amounts
        return found[0]

    def _pack(self, kind: SubjectKind, rows: Rows, writes: Writes, whose: Rows) -> Pack:
        return pack(
            self.subjects[kind],
            rows,
            writes,
            whose,
            ids=self.ids,
            territory=self._rules.territory,
            layouts=self._rules.layouts,
        )

    def _tidy(self) -> None:
        """Drop long ids that no register holds any more."""
        if len(self.ids.long) < self._tidied:
            return
        used: NDArray[np.uint64] = np.unique(
            np.concatenate([subjects.long_ids() for subjects in self.subjects.values()])
        )
        for subjects in self.subjects.values():
            subjects.renumber(used)
        self.ids.keep_only(used.tolist())
        self._tidied = 2 * len(used) + _MANY_LONG


def _joined(found: list[Differences]) -> Differences:
    """The sum of differences."""
    if not found:
        return Differences(np.empty(0, np.int64), np.empty((0, 2, BITS), np.int64))
    units, inverse = np.unique(np.concatenate([one.units for one in found]), return_inverse=True)
    amounts = np.zeros((len(units), 2, BITS), np.int64)
    np.add.at(amounts, inverse, np.concatenate([one.amounts for one in found]))
    changed = amounts.any(axis=(1, 2))
    return Differences(units[changed], amounts[changed])
