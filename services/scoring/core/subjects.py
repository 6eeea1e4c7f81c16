"""Subjects of one kind in columns: facts as last-writer-wins registers, and where each counts.

A register holds the latest event of one kind, ordered by (event time, event id, canonical data).
The order is total and the fold takes the greater of two, so it is commutative, associative and
idempotent: the same events in any order, any number of times, give the same facts (a state-based
CRDT; Shapiro et al., "Conflict-free Replicated Data Types", 2011).

A subject is a row. `pointers[row, slot]` leads to the register of a fact, 0 to none. Whole batches
are folded by sorting; only where two events of one fact happened in the same microsecond are texts
compared one by one.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from contracts.canonical import canonical_json
from contracts.catalogue import SubjectRules
from services.scoring.core.coding import DataCode, coding
from services.scoring.core.texts import LONG, NO_ID, Column, Ids, Marks, Words

Rows = NDArray[np.int64]

Scalar = TypeVar("Scalar", bound=np.generic)

#: The time of the register that is not there: before all times.
NEVER_YET: Final = np.iinfo(np.int64).min

#: Room that a column gets beyond what it needs, so that it seldom moves.
_SPARE: Final = 1.08
_FEWEST: Final = 64


class Writes(NamedTuple):
    """What events say of subjects: one register each.

    `keys` are (n, 2) words that name the subject, `forms` and `ids` the event's id, `codes` the
    data; a fact that keeps only the last time has neither.
    """

    keys: Words
    slots: NDArray[np.int64]
    times: Column
    forms: NDArray[np.uint8]
    ids: Words
    codes: Column

    def chosen(self, which: Any) -> "Writes":
        """Some of the writes, by places or marks."""
        return Writes._make(column[which] for column in self)

    @classmethod
    def joined(cls, parts: Sequence["Writes"]) -> "Writes":
        """All writes of several, in order."""
        return cls._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


class Standings(NamedTuple):
    """Where subjects count: place of the unit (-1: nowhere), masks, and the day they are due.

    The masks are of the catalogue's bits. `due` is the next local day (as an ordinal) on which time
    alone could change the rest.
    """

    areas: NDArray[np.int32]
    populations: Words
    numerators: Words
    due: NDArray[np.int32]

    def chosen(self, which: Any) -> "Standings":
        """Some of the standings, by places or marks."""
        return Standings._make(column[which] for column in self)

    @classmethod
    def joined(cls, parts: Sequence["Standings"]) -> "Standings":
        """All standings of several, in order."""
        return cls._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


class Facts(Protocol):
    """What can be asked of the facts of subjects; see `Subjects`."""

    def register(self, rows: Rows, slot: int) -> NDArray[np.int64]:
        """The places of a fact's registers, 0 where there is none."""
        ...

    def times(self, places: NDArray[np.int64]) -> Column:
        """The times of registers."""
        ...

    def codes(self, places: NDArray[np.int64]) -> Column:
        """The data of registers."""
        ...

    def later(
        self, one: tuple[int, NDArray[np.int64]], other: tuple[int, NDArray[np.int64]]
    ) -> Marks:
        """Where one fact's register comes strictly after another's; each as (slot, places)."""
        ...


class Registers(NamedTuple):
    """Columns of registers, side by side."""

    times: Column
    forms: NDArray[np.uint8]
    ids: Words
    codes: Column


class Subjects:
    """The subjects of one kind in one shard."""

    def __init__(self, rules: SubjectRules, ids: Ids) -> None:
        self.kind: Final = rules.kind
        self.width: Final = max(fact.slot for fact in rules.facts) + 1
        self._ids = ids
        self._codes: dict[int, DataCode] = {
            fact.slot: coding(fact.event_type) for fact in rules.facts if fact.keeps == "latest"
        }
        self.count = 0
        self._keys: Words = np.empty((_FEWEST, 2), np.uint64)
        self._pointers = np.zeros((_FEWEST, self.width), np.uint32)
        self._standings = nowhere(_FEWEST)
        # The keys' first words in order, and the rows that they belong to.
        self._sorted: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._row_of: NDArray[np.uint32] = np.empty(0, np.uint32)
        # The first register is the one that is not there.
        self._registers = _blank(_FEWEST)
        self._used = 1

    @property
    def nbytes(self) -> int:
        """Memory of the columns."""
        columns = (self._keys, self._pointers, self._sorted, self._row_of)
        return sum(c.nbytes for c in (*columns, *self._standings, *self._registers))

    @property
    def standings(self) -> Standings:
        """Where all subjects have been counted, as views."""
        return self._standings.chosen(slice(0, self.count))

    @property
    def keys(self) -> Words:
        """The keys of all subjects, by row, as a view."""
        return self._keys[: self.count]

    def stand(self, rows: Any, standings: Standings) -> None:
        """Set where subjects have been counted."""
        put(self._standings, rows, standings)

    def all_rows(self) -> Rows:
        """Every row."""
        return np.arange(self.count)

    def due(self, today: int) -> Rows:
        """The rows whose day has come."""
        return np.flatnonzero(self._standings.due[: self.count] <= today)

    def find(self, keys: Words) -> Rows:
        """The rows of keys, -1 where a key is not there."""
        first = keys[:, 0]
        # In order, since neighbours are found in what the processor has at hand: 2.5 times as fast.
        order = np.argsort(first)
        places = np.empty(len(keys), np.int64)
        places[order] = np.searchsorted(self._sorted, first[order])
        known = len(self._sorted)
        rows = np.full(len(keys), -1, np.int64)
        open_ = np.arange(len(keys))
        while len(open_):
            inside = places[open_] < known
            open_ = open_[inside]
            at = places[open_]
            same = self._sorted[at] == first[open_]
            open_, at = open_[same], at[same]
            found = self._row_of[at].astype(np.int64)
            whole = self._keys[found, 1] == keys[open_, 1]
            rows[open_[whole]] = found[whole]
            # Another subject with the same first word: look at the next place.
            open_ = open_[~whole]
            places[open_] += 1
        return rows

    def fold(self, writes: Writes) -> tuple[Rows, NDArray[np.int64], Rows]:
        """Take writes into the facts.

        Returns:
            The rows of subjects whose facts changed, in order and once each; the targets (row x
            width + slot) of the registers that changed; and for each write its subject's row, or -1
            where it changed nothing.
        """
        rows = self._rows(writes.keys)
        targets = rows * self.width + writes.slots
        # The last of each target in the order of times; where times are equal, the order of texts.
        order = np.lexsort((writes.times, targets))
        sorted_targets = targets[order]
        last = np.empty(len(order), np.bool_)
        last[-1:] = True
        np.not_equal(sorted_targets[1:], sorted_targets[:-1], out=last[:-1])
        best = order[last]
        self._settle_ties(writes, order, last, best)
        pointers = self._pointers.reshape(-1)
        old = pointers[targets[best]].astype(np.int64)
        times = self._registers.times[old]
        wins = writes.times[best] > times
        tied = np.flatnonzero(writes.times[best] == times)
        for place in tied[self._differ(writes, best[tied], old[tied])]:
            slot = writes.slots[best[place]]
            said = self._order(slot, *_at(writes[2:], best[place]))
            wins[place] = said > self.order_of(slot, old[place])
        best, old = best[wins], old[wins]
        fresh = old == 0
        made = int(fresh.sum())
        self._registers = Registers._make(_larger(self._registers, self._used, self._used + made))
        old[fresh] = np.arange(self._used, self._used + made)
        self._used += made
        chosen = targets[best]
        pointers[chosen] = old
        put(self._registers, old, [column[best] for column in writes[2:]])
        whose = np.full(len(targets), -1, np.int64)
        whose[best] = rows[best]
        return np.unique(rows[best]), chosen, whose

    def register(self, rows: Rows, slot: int) -> NDArray[np.int64]:
        """The places of a fact's registers, 0 where there is none."""
        places: NDArray[np.int64] = self._pointers[rows, slot].astype(np.int64)
        return places

    def times(self, places: NDArray[np.int64]) -> Column:
        """The times of registers, `NEVER_YET` where there is none."""
        return self._registers.times[places]

    def codes(self, places: NDArray[np.int64]) -> Column:
        """The data of registers, 0 where there is none."""
        return self._registers.codes[places]

    def later(
        self,
        one: tuple[int, NDArray[np.int64]],
        other: tuple[int, NDArray[np.int64]],
    ) -> Marks:
        """Where one fact's register comes strictly after another's; each as (slot, places)."""
        (slot, places), (other_slot, others) = one, other
        times, other_times = self.times(places), self.times(others)
        after: Marks = times > other_times
        for at in np.flatnonzero((times == other_times) & (places > 0)):
            after[at] = self.order_of(slot, places[at]) > self.order_of(other_slot, others[at])
        return after

    def order_of(self, slot: int, place: int) -> tuple[int, str, str]:
        """Where a register stands in the order of registers."""
        return self._order(slot, *_at(self._registers, place))

    def data(self, slot: int, place: int) -> dict[str, Any]:
        """What a register says."""
        return self._said(slot, int(self._registers.codes[place]))

    def writes(self, rows: Rows) -> tuple[Writes, Rows]:
        """All registers of some subjects, as writes that would make them, and whose each is."""
        pointers = self._pointers[rows]
        places, slots = np.nonzero(pointers)
        registers = pointers[places, slots].astype(np.int64)
        times, forms, ids, codes = self._registers
        whose = rows[places]
        writes = Writes(
            self._keys[whose],
            slots,
            times[registers],
            forms[registers],
            ids[registers],
            codes[registers],
        )
        return writes, whose

    def place(self, keys: Words, standings: Standings) -> None:
        """Set where subjects have been counted, by their keys; unknown ones are made."""
        self.stand(self._rows(keys), standings)

    def long_ids(self) -> NDArray[np.uint64]:
        """Places of the long ids in use."""
        used = self._registers.forms[: self._used] == LONG
        return np.unique(self._registers.ids[: self._used][used, 1])

    def renumber(self, kept: NDArray[np.uint64]) -> None:
        """Let long ids point into a list that holds only `kept`, in that order."""
        ids = self._registers.ids[: self._used]
        used = self._registers.forms[: self._used] == LONG
        ids[used, 1] = np.searchsorted(kept, ids[used, 1])

    def _rows(self, keys: Words) -> Rows:
        rows = self.find(keys)
        unknown = np.flatnonzero(rows < 0)
        if len(unknown):
            pairs = np.ascontiguousarray(keys[unknown]).view([("a", "u8"), ("b", "u8")]).reshape(-1)
            new, inverse = np.unique(pairs, return_inverse=True)
            rows[unknown] = self.count + inverse
            self._add(new.view(np.uint64).reshape(-1, 2))
        return rows

    def _add(self, keys: Words) -> None:
        first, end = self.count, self.count + len(keys)
        self._keys = _room(self._keys, first, end)
        self._pointers = _room(self._pointers, first, end)
        self._standings = Standings._make(_larger(self._standings, first, end))
        self._keys[first:end] = keys
        self._pointers[first:end] = 0
        self.stand(slice(first, end), nowhere(len(keys)))
        # Both are in order, so that this is a merge.
        places = np.searchsorted(self._sorted, keys[:, 0])
        self._sorted = np.insert(self._sorted, places, keys[:, 0])
        self._row_of = np.insert(self._row_of, places, np.arange(first, end, dtype=np.uint32))
        self.count = end

    def _settle_ties(
        self,
        writes: Writes,
        order: NDArray[np.int64],
        last: Marks,
        best: NDArray[np.int64],
    ) -> None:
        """Choose among the writes of one target that have the latest time in common."""
        ends = np.flatnonzero(last)
        before = ends[(ends > 0)]
        before = before[~last[before - 1]]
        tied = before[writes.times[order[before]] == writes.times[order[before - 1]]]
        for end in tied:
            moment = writes.times[order[end]]
            begin = end
            while begin > 0 and not last[begin - 1] and writes.times[order[begin - 1]] == moment:
                begin -= 1
            places = order[begin : end + 1]
            if self._differ(writes, places[:-1], None, places[1:]).any():
                slot = writes.slots[order[end]]
                chosen = max(places, key=lambda at: self._order(slot, *_at(writes[2:], at)))
                best[np.searchsorted(ends, end)] = chosen

    def _differ(
        self,
        writes: Writes,
        places: NDArray[np.int64],
        registers: NDArray[np.int64] | None,
        others: NDArray[np.int64] | None = None,
    ) -> Marks:
        """Which writes differ, in id or data, from registers or from other writes."""
        beside = self._registers if registers is not None else Registers(*writes[2:])
        at: Any = registers if registers is not None else others
        marks: Marks = writes.codes[places] != beside.codes[at]
        marks |= writes.forms[places] != beside.forms[at]
        marks |= (writes.ids[places] != beside.ids[at]).any(axis=1)
        return marks

    def _order(
        self, slot: int, moment: int, form: int, words: Iterable[int], code: int
    ) -> tuple[int, str, str]:
        high, low = words
        text = self._ids.text(int(form), int(high), int(low))
        return int(moment), text, canonical_json(self._said(int(slot), int(code)))

    def _said(self, slot: int, code: int) -> dict[str, Any]:
        known = self._codes.get(slot)
        return {} if known is None else known.decode(code)


def _at(columns: Sequence[Any], place: Any) -> tuple[Any, ...]:
    return tuple(column[place] for column in columns)


def nowhere(rows: int) -> Standings:
    """Standings of subjects that count nowhere."""
    never = np.full(rows, np.iinfo(np.int32).max, np.int32)
    return Standings(
        np.full(rows, -1, np.int32),
        np.zeros(rows, np.uint64),
        np.zeros(rows, np.uint64),
        never,
    )


def _blank(room: int) -> Registers:
    registers = Registers(
        np.empty(room, np.int64),
        np.empty(room, np.uint8),
        np.empty((room, 2), np.uint64),
        np.empty(room, np.int64),
    )
    put(registers, 0, (NEVER_YET, NO_ID, 0, 0))
    return registers


def put(columns: Iterable[NDArray[Any]], at: Any, values: Iterable[Any]) -> None:
    """Write into several columns at the same places."""
    for column, value in zip(columns, values, strict=True):
        column[at] = value


def _larger(columns: Iterable[NDArray[Any]], used: int, wanted: int) -> list[NDArray[Any]]:
    return [_room(column, used, wanted) for column in columns]


def _room(column: NDArray[Scalar], used: int, wanted: int) -> NDArray[Scalar]:
    """The column, or a larger one with the same beginning."""
    if wanted <= len(column):
        return column
    larger = np.empty((int(wanted * _SPARE) + 1, *column.shape[1:]), column.dtype)
    larger[:used] = column[:used]
    return larger
