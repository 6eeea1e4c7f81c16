"""How a figure stands against its pace, and when it may be judged at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from contracts import catalogue
from contracts.pace import Milestone
from contracts.updates import Basis
from services.notifier.core.figure import Figure, FigureKey, is_fresh, is_judged, standing
from services.notifier.core.rule import Freshness

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
FRESHNESS = Freshness(timedelta(days=3), {"report": timedelta(days=100)})
SMARTPHONE = catalogue.load().by_id["ds.smartphone"]  # 70 % by 2025, 90 % by 2030


def figure(
    value: str | None = "60",
    *,
    basis: Basis = "events",
    first: Milestone | None = None,
    updated_at: datetime = NOW,
) -> Figure:
    number = None if value is None else Decimal(value)
    return Figure(
        FigureKey("2025:02647", "ds.smartphone", basis), 1, 600, 1000, number, updated_at, first
    )


def test_after_the_first_target_the_pace_runs_on_to_the_second() -> None:
    # A unit that was first seen yesterday does not start from there: 2025's target was due.
    stands = standing(
        SMARTPHONE,
        figure(first=Milestone(date(2026, 11, 21), Decimal(60))),
        date(2028, 6, 30),
    )
    assert stands.pace == Decimal("79.99")
    assert stands.target == Decimal(90)
    assert stands.behind == Decimal("19.99")
    assert stands.gap_people == 200


def test_before_the_first_target_the_pace_starts_at_the_first_value() -> None:
    first = Milestone(date(2025, 7, 1), Decimal(50))
    assert standing(SMARTPHONE, figure(first=first), date(2025, 7, 1)).pace == Decimal(50)
    assert standing(SMARTPHONE, figure(first=first), date(2025, 12, 31)).pace == Decimal(70)


def test_nobody_to_count_has_no_gap() -> None:
    stands = standing(SMARTPHONE, figure(None), date(2026, 11, 22))
    assert (stands.behind, stands.value) == (None, None)


@pytest.mark.parametrize(
    ("indicator", "basis", "judged"),
    [
        ("ds.smartphone", "events", True),
        ("ds.smartphone", "reported", False),  # beside events a report is a comparison
        ("dt.eco.1", "reported", True),
        ("dc.1.1", "events", False),  # no target
    ],
)
def test_judges_what_has_a_target(indicator: str, basis: Basis, judged: bool) -> None:
    assert is_judged(catalogue.load().by_id[indicator], basis) is judged


@pytest.mark.parametrize(
    ("heard", "fresh"),
    [
        ({"telecom": NOW - timedelta(days=3)}, True),
        ({"telecom": NOW - timedelta(days=3, seconds=1)}, False),
        ({}, False),
        ({"identity": NOW}, False),
    ],
)
def test_is_as_fresh_as_its_feed(heard: dict[str, datetime], fresh: bool) -> None:
    assert is_fresh(figure(), frozenset({"telecom"}), heard, FRESHNESS, NOW) is fresh


def test_a_composite_is_as_fresh_as_its_most_silent_feed() -> None:
    feeds = frozenset({"telecom", "identity"})
    heard = {"telecom": NOW, "identity": NOW - timedelta(days=9)}
    assert not is_fresh(figure(), feeds, heard, FRESHNESS, NOW)


def test_a_report_is_as_fresh_as_the_units_own() -> None:
    # Other units' reports do not make this one's fresher.
    heard = {"report": NOW}
    old = figure(basis="reported", updated_at=NOW - timedelta(days=101))
    late = figure(basis="reported", updated_at=NOW - timedelta(days=99))
    assert not is_fresh(old, frozenset({"report"}), heard, FRESHNESS, NOW)
    assert is_fresh(late, frozenset({"report"}), heard, FRESHNESS, NOW)
