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
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.scoring.core.conditions import NEVER, Ordinal, Ordinals
from services.scoring.core.counting import Counts, differences
from services.scoring.core.evaluation import KindEvaluator
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
    """The late events of a batch: made before the fold, booked after it."""

    def __init__(
        self,
        evaluator: KindEvaluator,
        subjects: Subjects,
        writes: Writes,
        begins: Ordinal,
        today: Ordinal,
    ) -> None:
        self._evaluator = evaluator
        self._subjects = subjects
        self._today = today
        late, days = _late(writes, begins, today)
        self._keys, self._starts = _earliest(writes.keys[late], days)
        rows = subjects.find(self._keys)
        known = rows >= 0
        self._before = list(self._steps(rows[known], self._starts[known]))

    def book(self) -> list[Booking]:
        """What the events that have been folded meanwhile change on past days."""
        after = self._steps(self._subjects.find(self._keys), self._starts)
        # What has been counted is taken back.
        back = [_Step(step.day, step.after, step.before) for step in self._before]
        return _booked([*back, *after])

    def _steps(self, rows: Rows, starts: Ordinals) -> Iterator[_Step]:
        counted = nowhere(len(rows))
        return _steps(self._evaluator, self._subjects, rows, counted, starts, today=self._today)


def missed(
    evaluator: KindEvaluator, subjects: Subjects, rows: Rows, begins: Ordinal, today: Ordinal
) -> list[Booking]:
    """What time alone has changed of some subjects on days before today, from `begins` on.

    Call it before they are evaluated for today.
    """
    rows = rows[subjects.standings.due[rows] < today]
    counted = subjects.standings.chosen(rows)
    starts = np.maximum(counted.due, begins).astype(np.int64)
    return _booked(_steps(evaluator, subjects, rows, counted, starts, today=today))


def _steps(
    evaluator: KindEvaluator,
    subjects: Subjects,
    rows: Rows,
    counted: Standings,
    starts: Ordinals,
    *,
    today: Ordinal,
) -> Iterator[_Step]:
    """How subjects stand from their first days to today, having been counted as `counted`."""
    standings, ahead = counted, starts.copy()
    while len(ahead) and (day := int(ahead.min())) <= today:
        now = np.flatnonzero(ahead == day)
        on = SubjectsOn(subjects, day)
        after = evaluator.evaluate(on, rows[now], day)
        yield _Step(day, standings.chosen(now), after)
        put(standings, now, after)
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


def _late(writes: Writes, begins: Ordinal, today: Ordinal) -> tuple[NDArray[np.int64], Ordinals]:
    """Which writes are of days before today, and the days from which they count."""
    days = local_ordinals(writes.times)
    late = np.flatnonzero(days < today)
    return late, np.maximum(days[late], begins)


def _earliest(keys: NDArray[np.uint64], days: Column) -> tuple[NDArray[np.uint64], Ordinals]:
    """Each subject once, with its earliest day."""
    order = np.lexsort((days, keys[:, 1], keys[:, 0]))
    keys, days = keys[order], days[order]
    first = np.ones(len(keys), np.bool_)
    first[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return keys[first], days[first]
