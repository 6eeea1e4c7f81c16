"""What rules would have done with the days of a figure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from contracts.catalogue import load
from services.notifier.core.aim import of_catalogue
from services.notifier.core.decide import Reason
from services.notifier.core.figure import FigureKey
from services.notifier.core.judging import Criteria
from services.notifier.core.replay import Day, Fired, compare, replay
from services.notifier.core.rule import Falling, Rule, Shift

FIRST = date(2026, 9, 1)
KEY = FigureKey("2025:02647", "ds.smartphone", "events")


@pytest.fixture
def criteria(rule: Rule) -> Criteria:
    indicator = load().by_id["ds.smartphone"]
    return Criteria(indicator, "commune", of_catalogue(indicator), rule)


def days(percents: Iterable[int], of: int = 1000) -> list[Day]:
    return [
        Day(FIRST + timedelta(days=number), percent * of // 100, of, Decimal(percent))
        for number, percent in enumerate(percents)
    ]


def on(number: int) -> date:
    return FIRST + timedelta(days=number)


def fired(since: int, until: int | None, severity: str, reason: Reason) -> Fired:
    assert severity in {"info", "warning", "critical"}
    end = None if until is None else on(until)
    return Fired(KEY.area, KEY.indicator, on(since), end, severity, reason)  # type: ignore[arg-type]


def test_a_unit_on_its_pace_makes_no_alert(criteria: Criteria) -> None:
    assert replay(KEY, days([75] * 90), criteria) == []


def test_a_lag_fires_once_it_has_lasted_and_ends_when_it_is_made_up(criteria: Criteria) -> None:
    found = replay(KEY, days([60] * 10 + [80] * 5), criteria)
    assert found == [fired(3, 10, "warning", Reason.TARGET_MISSED)]


def test_a_lag_that_does_not_last_is_not_told(criteria: Criteria) -> None:
    assert replay(KEY, days([60] * 3 + [80] * 5 + [60] * 3), criteria) == []


def test_what_still_fires_has_no_end_and_its_gravest_severity(criteria: Criteria) -> None:
    found = replay(KEY, days([70] * 5 + [50] * 2 + [68] * 3), criteria)
    assert found == [fired(3, None, "critical", Reason.BEHIND_PACE)]


def test_a_new_lag_is_another_alert(criteria: Criteria) -> None:
    found = replay(KEY, days([60] * 5 + [80] * 5 + [60] * 5), criteria)
    assert [(one.since, one.until) for one in found] == [(on(3), on(5)), (on(13), None)]


def test_another_rule_tells_another_story(criteria: Criteria) -> None:
    at_once = replace(criteria, rule=replace(criteria.rule, hold_for=timedelta(0)))
    lenient = replace(criteria, rule=replace(criteria.rule, tolerance=Decimal(20)))
    seen = days([60] * 3 + [80])
    assert [one.since for one in replay(KEY, seen, at_once)] == [on(0)]
    assert replay(KEY, days([60] * 30), lenient) == []


def test_falls_and_moved_denominators_are_told_as_well(criteria: Criteria) -> None:
    asks = replace(
        criteria.rule,
        falling=Falling(Decimal(3), timedelta(days=28)),
        shift=Shift(Decimal(10), timedelta(days=1)),
    )
    falling = replay(KEY, days([90] * 20 + [86] * 10), replace(criteria, rule=asks))
    assert falling == [fired(23, None, "info", Reason.FALLING)]
    merged = days([90] * 20) + [
        replace(day, on=day.on + timedelta(days=20)) for day in days([86] * 5, of=2000)
    ]
    assert replay(KEY, merged, replace(criteria, rule=asks)) == []


def test_days_without_a_figure_end_nothing_and_open_nothing(criteria: Criteria) -> None:
    nothing = Day(FIRST, None, None, None)
    assert replay(KEY, [nothing] * 5, criteria) == []
    assert replay(KEY, [], criteria) == []


LAGS = Reason.BEHIND_PACE


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([], [fired(3, 9, "info", LAGS)], ["new"]),
        ([fired(3, 9, "info", LAGS)], [fired(3, 9, "info", LAGS)], ["same"]),
        ([fired(3, 9, "info", LAGS)], [fired(3, 9, "warning", LAGS)], ["changed"]),
        ([fired(3, 9, "info", LAGS)], [fired(5, None, "info", LAGS)], ["changed"]),
        ([fired(3, 9, "info", LAGS)], [fired(9, None, "info", LAGS)], ["new", "gone"]),
        ([fired(3, None, "info", LAGS)], [], ["gone"]),
        # Two for one: each is another one.
        (
            [fired(3, 20, "info", LAGS)],
            [fired(3, 5, "info", LAGS), fired(9, 20, "info", LAGS)],
            ["changed", "changed"],
        ),
    ],
)
def test_what_other_rules_change(before: list[Fired], after: list[Fired], found: list[str]) -> None:
    compared = compare(before, after)
    assert [one.change for one in compared] == found
    assert [one.alert for one in compared if one.change != "gone"] == after
