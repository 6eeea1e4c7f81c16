"""Public holidays: those that ship, and files that are refused."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.holidays import HolidaysError, load
from tests.unit.contracts.lunar import lunar_day


def _name(day: date) -> str | None:
    found = load().on(day)
    return None if found is None else found.name


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 1, 1), "Tết Dương lịch"),
        (date(2026, 2, 17), "Tết Nguyên đán"),  # the first of the year Bính Ngọ
        (date(2026, 4, 26), "Giỗ Tổ Hùng Vương"),
        (date(2026, 4, 27), "Giỗ Tổ Hùng Vương"),  # for the Sunday
        (date(2026, 9, 2), "Quốc khánh"),
        (date(2027, 2, 6), "Tết Nguyên đán"),  # the first of the year Đinh Mùi
        (date(2027, 4, 16), "Giỗ Tổ Hùng Vương"),
        (date(2027, 5, 3), "Ngày Quốc tế lao động"),  # for Saturday 1 May
        (date(2026, 11, 23), None),
    ],
)
def test_days_off(day: date, name: str | None) -> None:
    found = load().on(day)
    assert (found.name if found is not None else None) == name
    assert load().is_holiday(day) is (name is not None)


def test_what_is_not_certain_is_marked_and_says_why() -> None:
    holidays = load()
    days = [date(year, 1, 1) + timedelta(days=day) for year in (2026, 2027) for day in range(365)]
    open_ones = [one for day in days if (one := holidays.on(day)) and not one.certain]
    assert date(2026, 11, 24) in {one.day for one in open_ones}
    assert all(one.note for one in open_ones)


def test_each_year_has_what_the_law_gives() -> None:
    names = [load().on(date(2026, 1, 1) + timedelta(days=day)) for day in range(730)]
    for year in (2026, 2027):
        of_year = [one.name for one in names if one is not None and one.day.year == year]
        assert of_year.count("Tết Nguyên đán") >= 5
        assert of_year.count("Quốc khánh") >= 2


@pytest.mark.parametrize("year", sorted(load().years))
def test_days_by_the_moon_are_where_the_moon_puts_them(year: int) -> None:
    new_year = lunar_day(year, 1, 1)
    tet = [new_year + timedelta(days=day) for day in range(-1, 4)]
    assert {_name(day) for day in tet} == {"Tết Nguyên đán"}
    assert _name(lunar_day(year, 3, 10)) == "Giỗ Tổ Hùng Vương"


@pytest.mark.parametrize("year", sorted(load().years))
def test_a_day_off_that_falls_on_a_weekend_is_made_up_for(year: int) -> None:
    """Labour Code, article 111: on the next working day."""
    fixed = {(1, 1), (4, 30), (5, 1), (9, 2), (11, 24)}
    days = [date(year, *day) for day in fixed] + [lunar_day(year, 3, 10)]
    for day in days:
        assert _name(day) is not None
        if day.isoweekday() > 5:
            assert _name(day + timedelta(days=8 - day.isoweekday())) == _name(day)


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        (date(2026, 11, 30), []),
        (date(2026, 12, 1), []),
        (date(2027, 11, 30), []),
        (date(2027, 12, 1), [2028]),
        (date(2028, 1, 1), [2028]),
        (date(2028, 12, 31), [2028, 2029]),
    ],
)
def test_a_year_that_is_missing(today: date, missing: list[int]) -> None:
    assert load().missing(today) == missing


def test_a_saturday_that_is_worked() -> None:
    assert load().is_made_up(date(2026, 8, 22))
    assert not load().is_made_up(date(2026, 8, 29))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("years: {}", "country"),
        (
            "{country: VN, years: {2026: {days_off: [{day: 2026-13-01, name: x}]}}}",
            "month must be in",
        ),
        ("{country: VN, years: {2026: {days_off: [{day: 2027-01-01, name: x}]}}}", "under 2026"),
        (
            (
                "{country: VN, years: {2026: {days_off: "
                "[{day: 2026-01-01, name: x}, {day: 2026-01-01, name: y}]}}}"
            ),
            "twice",
        ),
        (
            "{country: VN, years: {2026: {days_off: [], working_days: [{day: 2026-11-23}]}}}",
            "no Saturday",
        ),
        ("[", "cannot be read"),
    ],
)
def test_a_mistake_is_named(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "holidays.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(HolidaysError, match=problem):
        load(tmp_path / "holidays.yaml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HolidaysError, match=r"none\.yaml cannot be read"):
        load(tmp_path / "none.yaml")
