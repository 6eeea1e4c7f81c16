from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.pace import Milestone, gap_people, pace_on, percentage, target_on

TARGETS = [
    Milestone(date(2025, 12, 31), Decimal(70)),
    Milestone(date(2030, 12, 31), Decimal(90)),
]
BASELINE = Milestone(date(2023, 12, 31), Decimal(40))


@pytest.mark.parametrize(
    ("today", "pace"),
    [
        (date(2023, 12, 30), None),
        (date(2023, 12, 31), Decimal("40.00")),
        (date(2024, 1, 1), Decimal("40.04")),
        (date(2024, 12, 31), Decimal("55.02")),  # 366 of 731 days
        (date(2025, 12, 31), Decimal("70.00")),
        (date(2026, 1, 1), Decimal("70.01")),
        (date(2028, 7, 1), Decimal("80.00")),  # 913 of 1826 days
        (date(2030, 12, 31), Decimal("90.00")),
        (date(2031, 1, 1), Decimal("90.00")),
        (date(2050, 1, 1), Decimal("90.00")),
    ],
)
def test_the_pace_runs_from_the_baseline_through_the_targets(
    today: date, pace: Decimal | None
) -> None:
    assert pace_on(TARGETS, BASELINE, today) == pace


@pytest.mark.parametrize(
    ("today", "pace"),
    [
        (date(2025, 12, 30), None),
        (date(2025, 12, 31), Decimal("70.00")),
        (date(2026, 12, 31), Decimal("74.00")),
    ],
)
def test_without_a_baseline_the_pace_begins_at_the_first_target(
    today: date, pace: Decimal | None
) -> None:
    assert pace_on(TARGETS, None, today) == pace


@pytest.mark.parametrize(
    "begun", [date(2025, 12, 31), date(2026, 11, 22), date(2030, 12, 31), date(2031, 5, 1)]
)
def test_a_start_after_the_first_target_does_not_lower_what_was_due(begun: date) -> None:
    late = Milestone(begun, Decimal(10))
    for today in (begun, date(2026, 12, 31), date(2031, 6, 1)):
        assert pace_on(TARGETS, late, today) == pace_on(TARGETS, None, today)


def test_without_targets_there_is_no_pace() -> None:
    assert pace_on([], BASELINE, date(2026, 1, 1)) is None
    assert pace_on([], None, date(2026, 1, 1)) is None


def test_with_one_target_the_pace_stays_there_once_it_is_due() -> None:
    assert pace_on(TARGETS[:1], None, date(2026, 11, 22)) == Decimal("70.00")


def test_a_falling_line_is_a_line_too() -> None:
    above = Milestone(date(2024, 12, 31), Decimal(80))
    assert pace_on(TARGETS, above, date(2025, 12, 30)) == Decimal("70.03")


@pytest.mark.parametrize(
    ("today", "target"),
    [
        (date(2020, 1, 1), 70),
        (date(2025, 12, 31), 70),
        (date(2026, 1, 1), 90),
        (date(2030, 12, 31), 90),
        (date(2031, 1, 1), 90),
    ],
)
def test_the_target_is_the_next_one_due_and_then_the_last(today: date, target: int) -> None:
    assert target_on(TARGETS, today) == target
    assert target_on([], today) is None


@pytest.mark.parametrize(
    ("numerator", "denominator", "share"),
    [
        (0, 0, None),
        (0, 5, "0.00"),
        (5, 5, "100.00"),
        (1, 3, "33.33"),
        (2, 3, "66.67"),
        (1, 8, "12.50"),
        (1, 80_000, "0.00"),
        (1, 20_000, "0.01"),  # 0.005 rounds half up
    ],
)
def test_shares_have_two_decimals_rounded_half_up(
    numerator: int, denominator: int, share: str | None
) -> None:
    found = percentage(numerator, denominator)
    assert (None if found is None else str(found)) == share


@pytest.mark.parametrize(
    ("numerator", "denominator", "pace", "gap"),
    [
        (0, 0, Decimal(70), None),
        (5, 10, None, None),
        (7, 10, Decimal(70), 0),
        (8, 10, Decimal(70), 0),
        (6, 10, Decimal(70), 1),
        (6, 10, Decimal("70.01"), 2),  # 7.001 people are 8
        (0, 3, Decimal("0.01"), 1),
        (0, 3, Decimal(0), 0),
    ],
)
def test_the_gap_in_people_is_rounded_up(
    numerator: int, denominator: int, pace: Decimal | None, gap: int | None
) -> None:
    assert gap_people(numerator, denominator, pace) == gap


@given(
    st.integers(0, 2_000_000),
    st.integers(1, 2_000_000),
    st.decimals(0, 100, places=2),
)
def test_with_the_gap_closed_a_unit_stands_on_the_pace_and_with_one_less_it_does_not(
    numerator: int, denominator: int, pace: Decimal
) -> None:
    assume(numerator <= denominator)
    gap = gap_people(numerator, denominator, pace)
    assert gap is not None
    assert 0 <= gap <= denominator - numerator
    assert (numerator + gap) * 100 >= pace * denominator
    if gap > 0:
        assert (numerator + gap - 1) * 100 < pace * denominator


@given(st.dates(date(2023, 12, 31), date(2031, 12, 31)), st.integers(1, 400))
def test_a_pace_to_rising_targets_never_falls(today: date, days: int) -> None:
    now, later = (pace_on(TARGETS, BASELINE, day) for day in (today, today + timedelta(days=days)))
    assert now is not None
    assert later is not None
    assert BASELINE.percent <= now <= later <= TARGETS[-1].percent
