"""Two lines of targets: each is judged, one alert names both."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from contracts.catalogue import load
from contracts.pace import Milestone
from services.notifier.core.aim import Aims, Line
from services.notifier.core.figure import Figure, FigureKey, Other, is_judged, standing

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
TODAY = date(2026, 11, 22)
SMARTPHONE = load().by_id["ds.smartphone"]
DUE = (date(2025, 12, 31), date(2030, 12, 31))


def line(first: int, last: int) -> Line:
    return Line((Milestone(DUE[0], Decimal(first)), Milestone(DUE[1], Decimal(last))))


def figure(percent: int) -> Figure:
    key = FigureKey("2025:15", "ds.smartphone", "events")
    return Figure(key, 1, percent * 10, 1000, Decimal(percent), NOW, None)


def test_the_line_that_the_unit_is_further_behind_is_named_first() -> None:
    aims = Aims(line(70, 90), line(80, 95))
    stands = standing(SMARTPHONE, figure(75), TODAY, aims)
    assert (stands.aim, stands.target, stands.missed_on) == ("national", Decimal(95), DUE[0])
    assert stands.other == Other("provincial", Decimal("73.57"), Decimal(90))
    assert stands.behind == Decimal("82.68") - 75
    assert stands.gap_people == 77


def test_targets_of_a_units_own_are_called_so() -> None:
    own = replace(line(60, 85), is_own=True)
    assert standing(SMARTPHONE, figure(55), TODAY, Aims(own)).aim == "own"
    stands = standing(SMARTPHONE, figure(55), TODAY, Aims(own, line(80, 95)))
    assert (stands.aim, stands.other and stands.other.aim) == ("national", "own")


def test_the_province_comes_first_where_it_asks_for_more() -> None:
    stands = standing(SMARTPHONE, figure(75), TODAY, Aims(line(80, 95), line(70, 90)))
    assert (stands.aim, stands.other and stands.other.aim) == ("provincial", "national")


def test_lines_that_do_not_differ_are_one() -> None:
    stands = standing(SMARTPHONE, figure(75), TODAY, Aims(line(70, 90), line(70, 90)))
    assert (stands.aim, stands.other) == ("provincial", None)


@pytest.mark.parametrize(("percent", "missed"), [(69, date(2025, 12, 31)), (70, None), (71, None)])
def test_a_target_whose_day_passed_unmet(percent: int, missed: date | None) -> None:
    assert standing(SMARTPHONE, figure(percent), TODAY).missed_on == missed


def test_on_its_day_a_target_is_not_missed_yet() -> None:
    assert standing(SMARTPHONE, figure(60), DUE[0]).missed_on is None


def test_a_national_target_alone_is_judged() -> None:
    without = load().by_id["dc.1.1"]
    aims = Aims(Line(()), line(50, 80))
    assert not is_judged(without, "events")
    assert is_judged(without, "events", aims)
    assert standing(without, figure(40), TODAY, aims).aim == "national"
