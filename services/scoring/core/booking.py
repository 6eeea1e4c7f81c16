"""Late events: what they would have changed on the days since they happened; and days that were missed.

The state knows of each fact only what was said last, so the past is seen through that: as of a day,
a subject is evaluated by the registers that are not of later days. An event that comes late is
compared with the same subject without it, day for day as facts appear, windows end and birthdays
come; the differences are booked from the day on which they begin. What an event says that is older
than what is known of the same fact changes nothing, neither today nor then.

After days of downtime it is the daily step that comes late: what birthdays and windows have changed
meanwhile is booked in the same way. Bookings go up to today, so that they are also right for who
takes them up after midnight.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.scoring.core.conditions import NEVER, Ordinal, Ordinals
from services.scoring.core.counting import Counts, differences
from services.scoring.core.evaluation import KindEvaluator
from services.scoring.core.pieces import Pieces
from services.scoring.core.subjects import Rows, Standings, Subjects, Writes, nowhere, put
from services.scoring.core.texts import Column, Marks, local_ordinals


class Booking(NamedTuple):
    """Differences from a local day on: units (by place), once each and in order, and amounts."""

    day: Ordinal
    units: NDArray[np.int64]
    amounts: Counts


class SubjectsOn:
    """Subjects as of a day: registers of later days are not there."""

    def __init__(self, subjects: Subjects, day: Ordinal) -> None:
        self._subjects = subjects
        self._day: Final = day

    def register(self, rows: Rows, slot: int) -> NDArray[np.int64]:
        """The places of a fact's registers, 0 where there is none by that day."""
        places = self._subjects.register(rows, slot)
        places[local_ordinals(self._subjects.times(places)) > self._day] = 0
        return places

    def times(self, places: NDArray[np.int64]) -> Column:
        """The times of registers."""
        return self._subjects.times(places)

    def codes(self, places: NDArray[np.int64]) -> Column:
        """The data of registers."""
        return self._subjects.codes(places)

    def later(
        self, one: tuple[int, NDArray[np.int64]], other: tuple[int, NDArray[np.int64]]
    ) -> Marks:
        """Where one fact's register comes strictly after another's; each as (slot, places)."""
        return self._subjects.later(one, other)

    def next_change(self, rows: Rows) -> Ordinals:
        """The first later day on which a register of the subject appears."""
        first = np.full(len(rows), NEVER, np.int64)
        for slot in range(self._subjects.width):
            places = self._subjects.register(rows, slot)
            there = np.flatnonzero(places)
            days = local_ordinals(self._subjects.times(places[there]))
            ahead = days > self._day
            first[there[ahead]] = np.minimum(first[there[ahead]], days[ahead])
        return first


class _Step(NamedTuple):
    """From a day on, some subjects stand otherwise than before."""

    day: Ordinal
    before: Standings
    after: Standings


class Late:
    """The late events of a batch: folds the batch day by day, and books what that changes.

    Each day is seen with what is known of it. If all were folded at once, what an event of a later
    day overwrites would be missing on the days before.
    """

    def __init__(
        self,
        evaluator: KindEvaluator,
        subjects: Subjects,
        writes: Writes,
        begins: Ordinal,
        today: Ordinal,
    ) -> None:
        self._subjects = subjects
        self._writes = writes
        self._today = today
        days = local_ordinals(writes.times)
        self._late = np.flatnonzero(days < today)
        self._rest = np.flatnonzero(days >= today)
        self._days: Ordinals = np.maximum(days[self._late], begins)
        self._keys, self._whose, starts = _earliest(writes.keys[self._late], self._days)
        self._evaluator = evaluator
        self._starts = starts
        self._steps: list[_Step] = []

    def fold(self) -> Pieces[tuple[Rows, Rows]]:
        """Take the batch into the facts; see `Subjects.fold`."""
        rows = self._subjects.find(self._keys)
        known = rows >= 0
        before = self._walk(nowhere(int(known.sum())), self._starts[known])
        for step in before.to(self._today, rows[known]):
            # What has been counted is taken back.
            self._steps.append(_Step(step.day, step.after, step.before))
            yield
        after = self._walk(nowhere(len(self._starts)), self._starts)
        whose = np.full(len(self._writes.slots), -1, np.int64)
        changed = []
        for day in np.unique(self._days).tolist():
            yield from self._go(after, day - 1)
            changed.append(self._take(self._late[self._days == day], whose))
            after.look(self._whose[self._days == day], day)
        yield from self._go(after, self._today - 1)
        changed.append(self._take(self._rest, whose))
        after.look(slice(None), self._today)
        yield from self._go(after, self._today)
        return np.unique(np.concatenate(changed)), whose

    def book(self) -> list[Booking]:
        """What the events that have been folded change on past days."""
        return _booked(self._steps)

    def _take(self, places: NDArray[np.int64], whose: Rows) -> Rows:
        rows, _, whose[places] = self._subjects.fold(self._writes.chosen(places))
        return rows

    def _go(self, walk: "_Walk", day: Ordinal) -> Pieces[None]:
        for step in walk.to(day, self._subjects.find(self._keys)):
            self._steps.append(step)
            yield

    def _walk(self, standings: Standings, starts: Ordinals) -> "_Walk":
        return _Walk(self._evaluator, self._subjects, standings, starts)


def missed(
    evaluator: KindEvaluator, subjects: Subjects, rows: Rows, begins: Ordinal, today: Ordinal
) -> Pieces[list[Booking]]:
    """What time alone has changed of some subjects on days before today, from `begins` on.

    Call it before they are evaluated for today.
    """
    rows = rows[subjects.standings.due[rows] < today]
    counted = subjects.standings.chosen(rows)
    starts = np.maximum(counted.due, begins).astype(np.int64)
    steps = []
    for step in _Walk(evaluator, subjects, counted, starts).to(today, rows):
        steps.append(step)
        yield
    return _booked(steps)


class _Walk:
    """Some subjects on their way through the days, from the day on which each starts.

    They have been counted as `standings`. What became of them is told day by day.
    """

    def __init__(
        self, evaluator: KindEvaluator, subjects: Subjects, standings: Standings, starts: Ordinals
    ) -> None:
        self._evaluator = evaluator
        self._subjects = subjects
        self._standings = standings
        self._ahead = starts.copy()

    def look(self, which: Any, day: Ordinal) -> None:
        """Look at some of the subjects again on a day that lies ahead."""
        self._ahead[which] = np.minimum(self._ahead[which], day)

    def to(self, last: Ordinal, rows: Rows) -> Iterator[_Step]:
        """How the subjects in these rows stand up to a day; the rest of the way lies ahead."""
        ahead = self._ahead
        while len(ahead) and (day := int(ahead.min())) <= last:
            now = np.flatnonzero(ahead == day)
            on = SubjectsOn(self._subjects, day)
            after = self._evaluator.evaluate(on, rows[now], day)
            yield _Step(day, self._standings.chosen(now), after)
            put(self._standings, now, after)
            ahead[now] = np.minimum(after.due, on.next_change(rows[now]))


def _booked(steps: Iterable[_Step]) -> list[Booking]:
    by_day: dict[Ordinal, list[_Step]] = {}
    for step in steps:
        by_day.setdefault(step.day, []).append(step)
    bookings = []
    for day, moves in sorted(by_day.items()):
        units, amounts = differences(
            Standings.joined([step.before for step in moves]),
            Standings.joined([step.after for step in moves]),
        )
        if len(units):
            bookings.append(Booking(day, units, amounts))
    return bookings


def _earliest(
    keys: NDArray[np.uint64], days: Column
) -> tuple[NDArray[np.uint64], NDArray[np.int64], Ordinals]:
    """Each subject once, which of them each key names, and its earliest day."""
    order = np.lexsort((days, keys[:, 1], keys[:, 0]))
    sorted_keys = keys[order]
    first = np.ones(len(keys), np.bool_)
    first[1:] = (sorted_keys[1:] != sorted_keys[:-1]).any(axis=1)
    whose = np.empty(len(keys), np.int64)
    whose[order] = np.cumsum(first) - 1
    return sorted_keys[first], whose, days[order][first]
