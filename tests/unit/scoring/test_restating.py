"""Restatement: histories that late events have changed are those of a recount from the ledger."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts import areas
from services.scoring.core.restating import Correction, Difference, Pair, restated, summed
from services.scoring.core.series import Part, Point, daily

AREAS = areas.load()
LAO_CAI, YEN_BAI, PROVINCE = "2025:02647", "2025:04252", "2025:15"
UNITS = (LAO_CAI, YEN_BAI, PROVINCE)
PHONE = "ds.smartphone"
FIRST = date(2026, 11, 1)
LENGTH = 10
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
EARLIER = NOW - timedelta(days=3)


def on(place: int) -> date:
    return FIRST + timedelta(days=place)


def figures(points: Iterable[Point]) -> dict[date, Difference]:
    """What is read on each day from the first to a day after the last."""
    part, stored = Part(LAO_CAI, date.min), {LAO_CAI: sorted(points, key=lambda one: one.day)}
    return {
        point.day: (point.numerator or 0, point.denominator or 0)
        for point in daily([part], stored, FIRST, on(LENGTH))
    }


@dataclass(frozen=True)
class Entry:
    """In the ledger: what came to count on a day, and was processed on one that is not before."""

    area_id: str
    day: int
    delay: int
    numerator: int
    denominator: int

    @property
    def processed(self) -> int:
        """No record is processed before history begins."""
        return min(max(self.day, 0) + self.delay, LENGTH)

    def correction(self) -> Correction:
        return Correction(self.area_id, PHONE, on(self.day), self.numerator, self.denominator)


ENTRIES = st.builds(
    Entry,
    st.sampled_from([LAO_CAI, YEN_BAI]),
    st.integers(-5, LENGTH),
    st.integers(0, LENGTH),
    st.integers(-3, 3),
    st.integers(-3, 3),
)


class History:
    """The stored points of all units, kept as the roll-up keeps them."""

    def __init__(self) -> None:
        self.points: defaultdict[Pair, dict[date, Point]] = defaultdict(dict)
        self.totals: defaultdict[Pair, Difference] = defaultdict(lambda: (0, 0))

    def roll_up(self, entries: Sequence[Entry], today: date) -> None:
        for entry in entries:
            for unit in AREAS.lineage_upward(entry.area_id):
                top, below = self.totals[unit, PHONE]
                total = top + entry.numerator, below + entry.denominator
                if total != self.totals[unit, PHONE]:
                    self.totals[unit, PHONE] = total
                    self.points[unit, PHONE][today] = Point(today, *total)
        self.correct([entry.correction() for entry in entries], today)

    def correct(self, corrections: Iterable[Correction], today: date) -> None:
        for pair, changes in summed(corrections, AREAS, FIRST, today).items():
            found = self.points[pair]
            for point in list(restated(self.read(pair, min(changes)), changes, today, NOW)):
                found[point.day] = point

    def read(self, pair: Pair, first: date) -> list[Point]:
        """As the store reads: from a day on, and the point that this day reads as."""
        days = sorted(self.points[pair])
        begin = max((day for day in days if day <= first), default=first)
        return [self.points[pair][day] for day in days if day >= begin]

    def figures(self) -> dict[str, dict[date, Difference]]:
        return {unit: figures(self.points[unit, PHONE].values()) for unit in UNITS}


@given(st.lists(ENTRIES, max_size=25), st.data())
def test_a_history_is_that_of_a_recount(entries: list[Entry], data: st.DataObject) -> None:
    history = History()
    for place in range(LENGTH + 1):
        waiting = [entry for entry in entries if entry.processed == place]
        while waiting:
            taken = data.draw(st.integers(1, len(waiting)))
            history.roll_up(waiting[:taken], on(place))
            del waiting[:taken]
    for unit, found in history.figures().items():
        below = set(AREAS.below(unit))
        for place in range(LENGTH + 1):
            counted = [one for one in entries if one.area_id in below and one.day <= place]
            right = sum(one.numerator for one in counted), sum(one.denominator for one in counted)
            assert found.get(on(place), (0, 0)) == right


@given(
    st.lists(st.tuples(st.integers(0, LENGTH), st.integers(0, 9), st.integers(0, 9)), max_size=6),
    st.lists(ENTRIES, max_size=12).flatmap(
        lambda entries: st.tuples(st.just(entries), st.permutations(entries))
    ),
    st.integers(1, 5),
)
def test_neither_order_nor_batches_matter(
    known: list[tuple[int, int, int]], orders: tuple[list[Entry], list[Entry]], size: int
) -> None:
    """Also over points that were there before."""
    once, often = History(), History()
    for history in (once, often):
        for place, top, below in known:
            history.points[LAO_CAI, PHONE][on(place)] = Point(on(place), top, below)
    corrections = [entry.correction() for entry in orders[1]]
    once.correct([entry.correction() for entry in orders[0]], on(LENGTH))
    for first in range(0, len(corrections), size):
        often.correct(corrections[first : first + size], on(LENGTH))
    # Where nothing is left of a change, points may stand that say what was read before.
    for unit, found in once.figures().items():
        for day, figure in often.figures()[unit].items():
            assert found.get(day, (0, 0)) == figure


def points(*stored: tuple[int, int, int]) -> list[Point]:
    return [Point(on(place), top, below, restated_at=EARLIER) for place, top, below in stored]


def test_points_from_the_change_on_are_restated_and_marked() -> None:
    stored = points((0, 1, 10), (4, 2, 10), (6, 3, 10), (9, 4, 10))
    assert list(restated(stored, {on(2): (1, 0)}, on(9), NOW)) == [
        Point(on(2), 2, 10, restated_at=NOW),
        Point(on(4), 3, 10, restated_at=NOW),
        Point(on(6), 4, 10, restated_at=NOW),
    ]


def test_a_change_that_ends_leaves_the_days_after_it_as_they_were() -> None:
    """The day on which it ends gets a point, with the mark that it had."""
    stored = points((0, 1, 10), (4, 2, 10))
    assert list(restated(stored, {on(2): (1, 1), on(6): (-1, -1)}, on(9), NOW)) == [
        Point(on(2), 2, 11, restated_at=NOW),
        Point(on(4), 3, 11, restated_at=NOW),
        Point(on(6), 2, 10, restated_at=EARLIER),
    ]


def test_today_reads_as_the_figure_stands() -> None:
    """A change of the past alone: nothing was written today, and yesterday says something new."""
    assert list(restated([], {on(2): (1, 1)}, on(4), NOW)) == [
        Point(on(2), 1, 1, restated_at=NOW),
        Point(on(4), 0, 0),
    ]


def test_corrections_are_added_up_the_tree_between_the_beginning_and_yesterday() -> None:
    corrections = [
        Correction(LAO_CAI, PHONE, on(-300), 1, 1),
        Correction(YEN_BAI, PHONE, on(0), 0, 1),
        Correction(YEN_BAI, PHONE, on(3), 1, 0),
        Correction(LAO_CAI, PHONE, on(3), -1, 0),
        Correction(LAO_CAI, PHONE, on(9), -1, -1),
    ]
    assert summed(corrections, AREAS, FIRST, on(9)) == {
        (LAO_CAI, PHONE): {on(0): (1, 1), on(3): (-1, 0)},
        (YEN_BAI, PHONE): {on(0): (0, 1), on(3): (1, 0)},
        (PROVINCE, PHONE): {on(0): (1, 2)},
    }


def test_nothing_is_restated_on_the_day_on_which_history_begins() -> None:
    assert summed([Correction(LAO_CAI, PHONE, on(-5), 1, 1)], AREAS, FIRST, FIRST) == {}
