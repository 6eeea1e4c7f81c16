"""Sums of units give away nothing of few people that words withhold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import catalogue
from contracts.disclosure import (
    SMALLEST,
    Count,
    counts_people,
    given_away,
    may_be_people,
    withheld,
)

MINIMUM = 30


def also(**counts: tuple[int, int]) -> set[str]:
    named = {name: Count(*one) for name, one in counts.items()}
    return set(given_away(named, total="all", minimum_denominator=MINIMUM))


def test_without_few_people_nothing_more_is_withheld() -> None:
    assert also(a=(500, 1000), b=(300, 800), c=(0, 700)) == set()


def test_of_one_unit_with_few_people_the_smallest_of_the_others_is_withheld_too() -> None:
    assert also(a=(5, 1000), b=(300, 900), c=(300, 800), d=(0, 100)) == {"c"}


def test_who_is_missing_is_hidden_as_well() -> None:
    assert also(a=(995, 1000), b=(300, 900), c=(300, 800)) == {"c"}


def test_many_units_with_few_people_hide_one_another() -> None:
    assert also(**{f"u{one}": (5, 1000) for one in range(8)}, b=(300, 900)) == set()


def test_two_that_can_only_be_ten_each_are_not_enough() -> None:
    assert also(a=(10, 1000), b=(10, 1000), c=(300, 900)) == {"c"}


def test_without_another_unit_to_hide_behind_the_sum_is_withheld() -> None:
    assert also(a=(5, 1000), b=(10, 1000), c=(0, 500)) == {"all"}
    assert also(a=(5, 1000), b=(300, 300)) == {"all"}


def test_a_sum_of_few_people_is_withheld_anyway() -> None:
    assert also(a=(5, 1000), c=(0, 500)) == set()


def test_units_in_which_nobody_is_counted_hide_nothing() -> None:
    assert also(a=(0, 0), b=(300, 900)) == set()


small = st.tuples(st.integers(0, 25), st.integers(1, 60)).map(lambda one: (min(one), one[1]))


@settings(deadline=None, max_examples=300)
@given(st.lists(small, min_size=2, max_size=7))
def test_every_number_that_the_words_leave_open_stays_possible(
    counts: list[tuple[int, int]],
) -> None:
    named = {f"u{place}": Count(*one) for place, one in enumerate(counts)}
    more = given_away(named, total="all", minimum_denominator=MINIMUM)
    why = {
        name: withheld(*one, minimum_denominator=MINIMUM, people=True)
        for name, one in named.items()
    }
    total = Count(sum(one[0] for one in counts), sum(one[1] for one in counts))
    if withheld(*total, minimum_denominator=MINIMUM, people=True) or "all" in more:
        return
    assert not any(why[name] for name in more)
    candidates = {
        name: _said(one, why[name], is_more=name in more)
        for name, one in named.items()
        if why[name] or name in more
    }
    rest = sum(named[name].numerator for name in candidates)
    for name, open_to in candidates.items():
        if why[name] is not None:
            others = [said for other, said in candidates.items() if other != name]
            assert {one for one in open_to if rest - one in _sums(others)} == set(open_to)


def _said(one: Count, why: str | None, *, is_more: bool) -> set[int]:
    """What a reader holds possible who knows the rule and the denominator."""
    everything = range(one.denominator + 1)
    if why == "few-reached":
        return {n for n in everything if 0 < n < SMALLEST}
    if why == "few-missing":
        return {n for n in everything if 0 < one.denominator - n < SMALLEST}
    if is_more:
        return {
            n for n in everything if not 0 < n < SMALLEST and not 0 < one.denominator - n < SMALLEST
        }
    return set(everything)


def _sums(parts: list[set[int]]) -> set[int]:
    found = {0}
    for part in parts:
        found = {one + more for one in found for more in part}
    return found


def test_organisations_and_institutions_are_no_people_and_cases_may_be() -> None:
    known = catalogue.load()
    assert not may_be_people("institution")
    assert may_be_people("household")
    assert may_be_people(None)
    for indicator in known:
        subject = None
        if not indicator.is_reported_only:
            subject = known.population_of(indicator).subject
        assert counts_people(known, indicator) == may_be_people(subject)
