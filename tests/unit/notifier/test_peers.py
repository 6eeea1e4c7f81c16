"""What similar units reach."""

from datetime import UTC, date, datetime
from decimal import Decimal

from services.notifier.core.causes import Domain
from services.notifier.core.figure import Figure, FigureKey
from services.notifier.core.peers import MOST, Peers, peers, siblings

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
OWN = FigureKey("a", "ds.smartphone", "events")


def of(*rows: tuple[str, int, int]) -> dict[FigureKey, Figure]:
    found = {}
    for area, numerator, denominator in rows:
        key = OWN._replace(area=area)
        value = Decimal(100 * numerator) / denominator
        found[key] = Figure(key, 1, numerator, denominator, value, NOW, None)
    return found


def compare(figures: dict[FigureKey, Figure], least: int = 30) -> Peers | None:
    others = [key.area for key in figures if key != OWN]
    return peers(OWN, others, figures, may_be_told=lambda one: (one.denominator or 0) >= least)


def test_names_the_median_and_the_best() -> None:
    found = compare(of(("a", 1, 100), ("b", 50, 100), ("c", 90, 100), ("d", 60, 100)))
    assert found == Peers(3, Decimal("60.00"), "c", Decimal(90))


def test_takes_those_nearest_in_size() -> None:
    near = [(f"n{number}", 40, 100 + number) for number in range(MOST)]
    far = [("far", 9_000, 10_000), ("small", 9, 10)]
    found = compare(of(("a", 1, 100), *near, *far))
    assert found is not None
    assert (found.count, found.best) == (MOST, "n0")


def test_leaves_out_what_may_not_be_told() -> None:
    figures = of(("a", 1, 100), ("b", 20, 100), ("c", 30, 100), ("d", 29, 29))
    assert compare(figures) is None
    found = compare(figures, least=10)
    assert found is not None
    assert found.best == "d"


def test_of_a_unit_without_a_figure_nothing_is_compared() -> None:
    assert compare(of(("b", 1, 100), ("c", 1, 100), ("d", 1, 100))) is None


def test_siblings_are_of_the_same_level_and_day(domain: Domain) -> None:
    found = siblings(domain.areas, "2025:02647", date(2026, 11, 22))
    assert "2025:02671" in found
    assert "2025:02647" not in found
    assert {domain.areas[one].level for one in found} == {"commune"}
    assert siblings(domain.areas, "2025:15", date(2026, 11, 22)) == []
