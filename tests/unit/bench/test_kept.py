"""Which day a bench of the daily step steps to."""

from collections import Counter

import pytest

from tests.bench.kept import first_day_with

DUE = Counter({10: 5, 11: 4, 13: 9, 20: 1})


@pytest.mark.parametrize(
    ("count", "after", "day"), [(1, 0, 10), (5, 9, 10), (6, 9, 11), (5, 10, 13), (10, 11, 20)]
)
def test_it_is_the_first_by_which_enough_are_due(count: int, after: int, day: int) -> None:
    assert first_day_with(DUE, count, after) == day


def test_too_few_are_said() -> None:
    with pytest.raises(ValueError, match="only 10 subjects are due"):
        first_day_with(DUE, 11, 11)
