"""Reported figures: a unit's own report speaks for it, else those below it add up."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from services.scoring.core.reports import (
    Figure,
    period_end,
    reported_figure,
    superseded,
    total,
)

TREE = {"province": ["one", "two"], "one": ["1a", "1b"]}


def children(area_id: str) -> Sequence[str]:
    return TREE.get(area_id, [])


def ratio(numerator: int, denominator: int, period: str = "2026-Q3") -> Figure:
    return Figure(period, numerator, denominator, None)


def quantity(value: str, period: str = "2026") -> Figure:
    return Figure(period, None, None, Decimal(value))


@pytest.mark.parametrize(
    ("period", "last"),
    [
        ("2026-02", date(2026, 2, 28)),
        ("2028-02", date(2028, 2, 29)),
        ("2026-10", date(2026, 10, 31)),
        ("2026-Q1", date(2026, 3, 31)),
        ("2026-Q4", date(2026, 12, 31)),
        ("2026-H1", date(2026, 6, 30)),
        ("2026-H2", date(2026, 12, 31)),
        ("2026", date(2026, 12, 31)),
    ],
)
def test_a_period_ends_on_its_last_day(period: str, last: date) -> None:
    assert period_end(period) == last


def test_a_units_own_report_speaks_for_it() -> None:
    own = {"province": ratio(1, 2), "one": ratio(9, 9)}
    assert reported_figure("province", own, children, ()) == ratio(1, 2)


def test_units_below_add_up_through_all_levels() -> None:
    own = {"1a": ratio(1, 4), "1b": ratio(2, 4), "two": ratio(3, 8)}
    assert reported_figure("province", own, children, ()) == ratio(6, 16)


def test_only_figures_of_the_latest_period_are_added() -> None:
    own = {"1a": ratio(1, 4, "2026-Q2"), "1b": ratio(2, 4, "2026-Q3")}
    assert reported_figure("one", own, children, ()) == ratio(2, 4, "2026-Q3")


def test_agencies_are_parts_of_the_unit() -> None:
    own = {"two": ratio(3, 8)}
    found = reported_figure("province", own, children, [ratio(1, 2), ratio(1, 2)])
    assert found == ratio(5, 12)


def test_quantities_are_never_added() -> None:
    own = {"one": quantity("150.5"), "two": quantity("149.5")}
    assert reported_figure("province", own, children, ()) is None


def test_a_quantity_of_one_agency_speaks_for_the_province() -> None:
    told = [quantity("150.5", "2025"), quantity("149.5", "2026")]
    assert reported_figure("province", {}, children, told) == quantity("149.5", "2026")


def test_without_a_report_there_is_no_figure() -> None:
    assert reported_figure("province", {}, children, ()) is None
    assert total([]) is None


HEIRS = {"1a": ["two"], "gone": ["1a", "two"]}


def heirs(area_id: str) -> Sequence[str]:
    return HEIRS.get(area_id, [])


@pytest.mark.parametrize(
    ("own", "ended"),
    [
        ({"1a": ratio(1, 4), "two": ratio(3, 8)}, {"1a"}),
        ({"1a": ratio(1, 4, "2026-Q2"), "two": ratio(3, 8)}, {"1a"}),
        ({"1a": ratio(1, 4), "two": ratio(3, 8, "2026-Q2")}, set()),
        ({"1a": ratio(1, 4), "1b": ratio(3, 8)}, set()),
        ({"gone": ratio(1, 4), "two": ratio(3, 8)}, {"gone"}),
    ],
)
def test_a_report_is_superseded_by_a_successors(own: dict[str, Figure], ended: set[str]) -> None:
    assert superseded(own, heirs) == ended


def test_nobody_is_added_twice_across_a_reform() -> None:
    own = {"1a": ratio(1, 4), "1b": ratio(2, 4), "two": ratio(3, 8)}
    found = reported_figure("province", own, children, (), superseded(own, heirs))
    assert found == ratio(5, 12)
    # What the ended unit said of itself stays its own.
    assert reported_figure("1a", own, children, (), superseded(own, heirs)) == ratio(1, 4)
