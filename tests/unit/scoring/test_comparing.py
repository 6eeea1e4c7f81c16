"""Countings held against each other: what differs, and in how many units."""

from contracts.catalogue import load
from services.scoring.care.comparing import Comparison, IndicatorDifference, counts_of


def test_counters_of_any_length_are_read_without_zeros() -> None:
    rows = [("a", [1, 0, 2], [3]), ("b", [], [0, 5]), ("c", [], [])]
    assert counts_of(rows) == {("a", 0): (1, 3), ("a", 2): (2, 0), ("b", 1): (0, 5)}


def test_the_same_counts_do_not_differ() -> None:
    comparison = Comparison(load())
    comparison.add({("a", 0): (1, 3)}, {("a", 0): (1, 3)})
    assert comparison.differences() == []


def test_sums_are_over_all_units_and_units_are_counted_once() -> None:
    comparison = Comparison(load())
    comparison.add({("a", 0): (1, 3), ("b", 0): (2, 2)}, {("a", 0): (2, 3), ("b", 0): (2, 2)})
    comparison.add({("a", 0): (5, 5)}, {("a", 0): (4, 5)})
    # The sums are the same, and still something was wrong in one unit.
    assert comparison.differences() == [IndicatorDifference("dc.1.1", (8, 10), (8, 10), 1)]


def test_a_bit_that_the_catalogue_has_given_up_is_told_by_its_number() -> None:
    comparison = Comparison(load())
    comparison.add({("a", 62): (1, 1)}, {})
    assert comparison.differences() == [IndicatorDifference("bit 62", (1, 1), (0, 0), 1)]
