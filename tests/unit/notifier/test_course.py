"""What is kept of a figure's past, and what it says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.pace import Milestone
from services.notifier.core.course import NO_TREND, Course, Trend, follow, trend
from services.notifier.core.figure import Figure, FigureKey, Standing
from services.notifier.core.rule import Falling, Rule, Shift

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = timedelta(days=28)


@pytest.fixture
def asks(rule: Rule) -> Rule:
    return replace(rule, falling=Falling(Decimal(3), WINDOW), shift=Shift(Decimal(10), DAY))


def figure(percent: str | None, denominator: int = 1000) -> Figure:
    value = None if percent is None else Decimal(percent)
    key = FigureKey("2025:02647", "ds.smartphone", "events")
    return Figure(key, 1, None, denominator, value, NOW, None)


def standing(percent: str, target: str = "90", due: date = date(2030, 12, 31)) -> Standing:
    value = Decimal(percent)
    return Standing(value, None, Decimal(target), None, None, None, 1000, target_on=due)


def lived(asks: Rule, *days: tuple[int, str]) -> Course:
    """The course after judgements so many days after the first."""
    course = Course()
    for after, percent in days:
        course = follow(course, figure(percent), fresh=True, rule=asks, now=NOW + after * DAY)
    return course


def test_two_points_are_kept_and_no_more(asks: Rule) -> None:
    course = lived(asks, *((day, str(80 - day / 10)) for day in range(100)))
    assert course == Course(
        then=Milestone(date(2027, 1, 17), Decimal("74.4")),
        since=Milestone(date(2027, 2, 14), Decimal("71.6")),
        denominator=1000,
    )


def test_nothing_is_written_while_nothing_changes(asks: Rule) -> None:
    course = lived(asks, (0, "80"))
    later = follow(course, figure("79"), fresh=True, rule=asks, now=NOW + 27 * DAY)
    assert later is course


def test_of_less_than_a_week_nothing_is_told(asks: Rule) -> None:
    course = lived(asks, (0, "80"))
    assert trend(course, standing("60"), rule=asks, now=NOW + 6 * DAY) == NO_TREND
    week = trend(course, standing("60"), rule=asks, now=NOW + 7 * DAY)
    assert week == Trend(fallen=Decimal(20), late=timedelta.max)


@pytest.mark.parametrize(
    ("percent", "due", "late"),
    [
        # One point in ten days, ten points to go: in a hundred days.
        ("80", date(2027, 3, 12), None),
        ("80", date(2027, 3, 11), timedelta(days=1)),
        ("80", date(2026, 12, 2), timedelta(days=100)),
        ("79", date(2030, 12, 31), timedelta.max),
        ("90", date(2025, 12, 31), None),
    ],
)
def test_projects_by_how_long_a_target_is_missed(
    asks: Rule, percent: str, due: date, late: timedelta | None
) -> None:
    course = lived(asks, (0, "79"))
    found = trend(course, standing(percent, due=due), rule=asks, now=NOW + 10 * DAY)
    assert found.late == late


def test_a_denominator_that_moves_starts_anew_and_must_settle(asks: Rule) -> None:
    course = lived(asks, (0, "80"), (28, "80"))
    same = follow(course, figure("60", 1100), fresh=True, rule=asks, now=NOW + 29 * DAY)
    assert same is course
    moved_at = NOW + 29 * DAY
    moved = follow(course, figure("60", 1101), fresh=True, rule=asks, now=moved_at)
    assert (moved.then, moved.denominator, moved.moved_at) == (None, 1101, moved_at)
    early = trend(moved, standing("60"), rule=asks, now=moved_at + DAY - timedelta(seconds=1))
    assert early == Trend(is_settled=False)
    assert trend(moved, standing("60"), rule=asks, now=moved_at + DAY) == NO_TREND


def test_what_sank_while_the_source_was_silent_does_not_count(asks: Rule) -> None:
    course = lived(asks, (0, "80"), (28, "80"))
    silent = follow(course, figure("70"), fresh=False, rule=asks, now=NOW + 40 * DAY)
    again = follow(silent, figure("60"), fresh=True, rule=asks, now=NOW + 50 * DAY)
    assert trend(again, standing("60"), rule=asks, now=NOW + 57 * DAY).fallen == 0


@given(st.lists(st.tuples(st.decimals(0, 100, places=2), st.booleans()), min_size=1, max_size=40))
def test_no_loss_is_told_over_a_silence(days: list[tuple[Decimal, bool]]) -> None:
    """What has fallen is measured from a day since the source was last silent."""
    rule = Rule(Decimal(2), Decimal(1), 30, DAY, (), falling=Falling(Decimal(3), 7 * DAY))
    course = Course()
    heard_again = date.min
    for number, (value, fresh) in enumerate(days):
        now = NOW + number * 2 * DAY
        course = follow(course, figure(str(value)), fresh=fresh, rule=rule, now=now)
        if not fresh:
            heard_again = now.date()
    for point in (course.then, course.since):
        assert point is None or point.on > heard_again
