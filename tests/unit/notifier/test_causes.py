"""What holds a unit back."""

from datetime import UTC, date, datetime
from decimal import Decimal

from services.notifier.core.causes import Domain, HoldingArea, HoldingCriterion
from services.notifier.core.figure import Figure, FigureKey

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def figures(*rows: tuple[str, str, int, int]) -> dict[FigureKey, Figure]:
    found = {}
    for area, indicator, numerator, denominator in rows:
        key = FigureKey(area, indicator, "events")
        value = Decimal(100 * numerator) / denominator
        found[key] = Figure(key, 1, numerator, denominator, value, NOW, None)
    return found


def test_names_the_lowest_criteria_of_a_composite(domain: Domain) -> None:
    near = figures(
        ("2025:02647", "dc.1.1", 90, 100),
        ("2025:02647", "dc.1.2", 20, 100),
        ("2025:02647", "dc.1.3", 40, 100),
        ("2025:02647", "dc.1.4", 30, 100),
    )
    key = FigureKey("2025:02647", "dc.group-1", "events")
    assert set(domain.keys_for([key], TODAY)) >= set(near)
    assert domain.held_back(key, near, TODAY).criteria == (
        HoldingCriterion("dc.1.2", Decimal(20)),
        HoldingCriterion("dc.1.4", Decimal(30)),
        HoldingCriterion("dc.1.3", Decimal(40)),
    )


def test_names_the_communes_with_the_largest_gaps(domain: Domain) -> None:
    near = figures(
        ("2025:02647", "ds.smartphone", 100, 1000),
        ("2025:02671", "ds.smartphone", 900, 1000),  # above its pace
        ("2025:02680", "ds.smartphone", 0, 29),  # too few to name
        ("2025:02683", "ds.smartphone", 0, 100),
    )
    key = FigureKey("2025:15", "ds.smartphone", "events")
    held = domain.held_back(key, near, TODAY)
    assert [area.area for area in held.areas] == ["2025:02647", "2025:02683"]
    assert held.areas[0] == HoldingArea("2025:02647", Decimal(10), 636)


def test_says_nothing_of_what_is_not_known(domain: Domain) -> None:
    held = domain.held_back(FigureKey("2025:15", "source.telecom", "events"), {}, TODAY)
    assert (held.criteria, held.areas) == ((), ())
