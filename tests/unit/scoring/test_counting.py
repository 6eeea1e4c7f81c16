"""Counting: only differences go to the counters, so nothing counts twice."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.core.counting import BITS, DENOMINATOR, NUMERATOR, Differences, differences
from services.scoring.core.subjects import Standings
from services.scoring.core.territory import NOWHERE
from services.scoring.store import touched_by

#: Where one subject counts: a unit's place, the masks of its populations and numerators.
One = tuple[int, int, int]
#: (unit, row, bit) → how many.
Totals = dict[tuple[int, int, int], int]

_UNITS = [NOWHERE, 0, 1, 7, 438]


@st.composite
def stands(draw: st.DrawFn) -> One:
    unit = draw(st.sampled_from(_UNITS))
    if unit == NOWHERE:
        return NOWHERE, 0, 0
    population = draw(st.integers(0, 2**63 - 1))
    # Whoever is in a numerator is in its population.
    return unit, population, population & draw(st.integers(0, 2**63 - 1))


def columns(held: Sequence[One]) -> Standings:
    never = np.full(len(held), np.iinfo(np.int32).max, np.int32)
    return Standings(
        np.array([unit for unit, _, _ in held], np.int32),
        np.array([population for _, population, _ in held], np.uint64),
        np.array([numerator for _, _, numerator in held], np.uint64),
        never,
    )


def totals(*found: Differences) -> Totals:
    """The sum of differences."""
    summed: Counter[tuple[int, int, int]] = Counter()
    for units, amounts in found:
        assert list(units) == sorted(set(units))
        for at, row, bit in np.argwhere(amounts).tolist():
            summed[int(units[at]), row, bit] += int(amounts[at, row, bit])
    return {place: count for place, count in summed.items() if count}


def plainly(held: Sequence[One]) -> Totals:
    """A plain recount of subjects that stand somewhere."""
    found: Counter[tuple[int, int, int]] = Counter()
    for unit, population, numerator in held:
        for row, mask in ((NUMERATOR, numerator), (DENOMINATOR, population)):
            for bit in range(BITS):
                if unit != NOWHERE and mask >> bit & 1:
                    found[unit, row, bit] += 1
    return dict(found)


@settings(deadline=None)
@given(st.data(), st.integers(1, 5), st.integers(1, 5))
def test_the_sum_of_all_differences_is_where_all_stand_last(
    data: st.DataObject, subjects: int, moves: int
) -> None:
    some = st.lists(stands(), min_size=subjects, max_size=subjects)
    before: list[One] = [(NOWHERE, 0, 0)] * subjects
    found = []
    for _ in range(moves):
        after = data.draw(some)
        found.append(differences(columns(before), columns(after)))
        before = after
    assert totals(*found) == plainly(before)


@settings(deadline=None)
@given(st.lists(st.tuples(stands(), stands()), max_size=6))
def test_marks_are_of_what_changes_and_of_nothing_else(moves: list[tuple[One, One]]) -> None:
    names = [f"unit {place}" for place in range(439)]
    found = differences(columns([one for one, _ in moves]), columns([two for _, two in moves]))
    changed: dict[str, int] = {}
    for unit, _, bit in totals(found):
        changed[names[unit]] = changed.get(names[unit], 0) | 1 << bit
    area_ids, masks = touched_by(found, names)
    assert dict(zip(area_ids, masks, strict=True)) == changed
    assert len(area_ids) == len(changed)


def test_staying_counts_nothing() -> None:
    here = columns([(3, 7, 3), (4, 1, 0)])
    assert totals(differences(here, here)) == {}
    assert len(differences(here, here._replace(due=here.due - 1)).units) == 0


def test_two_that_change_places_count_nothing() -> None:
    before, after = [(3, 7, 3), (4, 1, 0)], [(4, 1, 0), (3, 7, 3)]
    assert len(differences(columns(before), columns(after)).units) == 0


def test_a_move_takes_the_old_bits_from_the_old_unit() -> None:
    found = differences(columns([(3, 0b100, 0b100)]), columns([(4, 0b100, 0)]))
    assert totals(found) == {(3, NUMERATOR, 2): -1, (3, DENOMINATOR, 2): -1, (4, DENOMINATOR, 2): 1}


def test_more_subjects_in_one_unit_than_a_byte_can_count() -> None:
    many = 100_000
    nobody = columns([(NOWHERE, 0, 0)] * many)
    found = differences(nobody, columns([(5, 1 << 62, 1 << 62)] * many))
    assert totals(found) == {(5, NUMERATOR, 62): many, (5, DENOMINATOR, 62): many}
    back = differences(columns([(5, 1 << 62, 1 << 62)] * many), nobody)
    assert totals(found, back) == {}
