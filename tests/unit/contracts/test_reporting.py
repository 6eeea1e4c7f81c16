"""Reporting periods: texts, days, the calendar's form, and what a unit owes on a day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from contracts import areas, catalogue, reporting
from contracts.events import FiguresSubmittedData
from contracts.reporting import CALENDAR_FILE, Calendar, CalendarError
from contracts.reporting.days import OnDay, resolve
from contracts.reporting.periods import between, containing, first_day, kind_of, last_day

CATALOGUE = catalogue.load()
AREAS = areas.load()
COMMUNE = AREAS["2025:02647"]
ROOT = Path(__file__).parents[3]


def written(tmp_path: Path, *schedules: dict[str, Any]) -> Path:
    text = yaml.safe_dump({"version": 1, "schedules": list(schedules)})
    (tmp_path / CALENDAR_FILE).write_text(text, encoding="utf-8")
    return tmp_path


def schedule(**changes: Any) -> dict[str, Any]:
    fit = {
        "kind": "month",
        "levels": ["commune"],
        "indicators": {"ids": ["nf.community-teams", "dt.soc.5"]},
        "opens": 1,
        "due": 10,
        "closes": 25,
    } | changes
    return {name: value for name, value in fit.items() if value is not ...}


def calendar(tmp_path: Path, *schedules: dict[str, Any]) -> Calendar:
    return reporting.load(written(tmp_path, *schedules), CATALOGUE)


@pytest.mark.parametrize(
    ("period", "kind", "first", "last"),
    [
        ("2026-02", "month", date(2026, 2, 1), date(2026, 2, 28)),
        ("2028-02", "month", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-Q1", "quarter", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", "quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-H1", "half", date(2026, 1, 1), date(2026, 6, 30)),
        ("2026-H2", "half", date(2026, 7, 1), date(2026, 12, 31)),
        ("2026", "year", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_has_a_kind_a_first_and_a_last_day(
    period: str, kind: reporting.PeriodKind, first: date, last: date
) -> None:
    assert (kind_of(period), first_day(period), last_day(period)) == (kind, first, last)
    assert containing(kind, first) == containing(kind, last) == period
    assert list(between(kind, first, last)) == [period]
    FiguresSubmittedData.model_validate({"indicator": "x", "period": period, "value": 1})


@pytest.mark.parametrize("text", ["2026-13", "2026-Q5", "2026-H3", "26", "2026-1", "2026-q1", ""])
def test_what_is_no_period_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="2026-H1"):
        kind_of(text)
    with pytest.raises(ValidationError):
        FiguresSubmittedData.model_validate({"indicator": "x", "period": text, "value": 1})


def test_the_periods_between_two_days_leave_none_out() -> None:
    assert list(between("month", date(2025, 11, 30), date(2026, 2, 1))) == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]
    assert list(between("quarter", date(2025, 12, 31), date(2026, 1, 1))) == ["2025-Q4", "2026-Q1"]


@pytest.mark.parametrize(
    ("when", "end", "day"),
    [
        (10, date(2026, 10, 31), date(2026, 11, 10)),
        (-5, date(2026, 10, 31), date(2026, 10, 26)),
        (0, date(2026, 10, 31), date(2026, 10, 31)),
        (OnDay(day=15), date(2026, 10, 31), date(2026, 10, 15)),
        (OnDay(day=31), date(2026, 11, 30), date(2026, 11, 30)),
        (OnDay(day=20, months_later=1), date(2026, 12, 31), date(2027, 1, 20)),
        (OnDay(day=30, months_later=2), date(2026, 12, 31), date(2027, 2, 28)),
    ],
)
def test_days_are_counted_from_the_end_or_named(when: int | OnDay, end: date, day: date) -> None:
    assert resolve(when, end) == day


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 10, 31), "ahead"),
        (date(2026, 11, 1), "open"),
        (date(2026, 11, 10), "open"),
        (date(2026, 11, 11), "due"),
        (date(2026, 11, 25), "due"),
        (date(2026, 11, 26), "closed"),
    ],
)
def test_a_period_opens_is_due_and_closes(
    tmp_path: Path, today: date, state: reporting.PeriodState
) -> None:
    window = calendar(tmp_path, schedule(grace_days=2)).window("commune", "2026-10")
    assert window is not None
    assert window.state(today) == state
    assert window.grace_until == date(2026, 11, 12)


def test_a_single_period_may_have_other_days(tmp_path: Path) -> None:
    later = {"due": date(2026, 3, 5), "closes": date(2026, 3, 31), "reason": "Tết Nguyên đán"}
    made = calendar(tmp_path, schedule(remind_days=[3], overrides={"2026-01": later}))
    usual, other = made.window("commune", "2026-02"), made.window("commune", "2026-01")
    assert usual is not None
    assert other is not None
    assert (usual.due, usual.reminders) == (date(2026, 3, 10), (date(2026, 3, 7),))
    assert (other.due, other.reminders) == (date(2026, 3, 5), (date(2026, 3, 2),))
    assert (other.opens, other.closes) == (date(2026, 2, 1), date(2026, 3, 31))
    # On these days it is looked for as well, beyond its usual end.
    found = made.between("commune", date(2026, 3, 20), date(2026, 3, 20))
    assert [one.period for one in found] == ["2026-01", "2026-02"]


def test_nobody_is_reminded_before_a_period_opens(tmp_path: Path) -> None:
    window = calendar(tmp_path, schedule(due=2, remind_days=[5, 0])).window("commune", "2026-10")
    assert window is not None
    assert window.reminders == (date(2026, 11, 1), date(2026, 11, 2))


def test_days_out_of_order_are_refused(tmp_path: Path) -> None:
    for wrong in (
        schedule(due=30),
        schedule(grace_days=20),
        schedule(opens={"day": 15, "months_later": 1}),
        schedule(overrides={"2026-01": {"due": date(2026, 3, 5), "reason": "Tết"}}),
    ):
        with pytest.raises(CalendarError, match="bring these into this order"):
            calendar(tmp_path, wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (schedule(indicators={"ids": ["nf.unknown"]}), "no indicator nf.unknown"),
        (schedule(indicators={"sets": ["unknown"]}), "no set unknown; it has digital-citizen"),
        (schedule(indicators={}), "name at least one"),
        (schedule(since="2026-Q1"), "2026-Q1 is no month"),
        (schedule(overrides={"2026": {"reason": "x"}}), "2026 is no month"),
        (schedule(kind="week"), "kind"),
        (schedule(dew=3), "dew"),
        (schedule(due=...), "due"),
        (schedule(levels=[]), "levels"),
        (
            schedule(
                indicators={"ids": ["nf.eid"], "without": ["nf.eid"]},
            ),
            "nothing is left",
        ),
    ],
)
def test_a_calendar_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(CalendarError, match=said) as refused:
        calendar(tmp_path, wrong)
    assert "schedules" in str(refused.value)


def test_two_schedules_for_one_level_and_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match="two schedules say what a commune reports"):
        calendar(tmp_path, schedule(), schedule(levels=["province", "commune"]))


def test_a_folder_without_a_calendar_and_a_file_that_is_no_yaml_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match=r"there is no .*calendar\.yaml; name the folder"):
        reporting.load(tmp_path, CATALOGUE)
    (tmp_path / CALENDAR_FILE).write_text("schedules: [", encoding="utf-8")
    with pytest.raises(CalendarError, match="no YAML"):
        reporting.load(tmp_path, CATALOGUE)


def test_indicators_come_in_the_order_of_the_catalogue_and_only_where_units_report(
    tmp_path: Path,
) -> None:
    made = calendar(tmp_path, schedule(since="2026-06"))
    assert made.expected("commune", "2026-06") == ("dt.soc.5", "nf.community-teams")
    assert made.expected("commune", "2026-05") == ()
    assert made.expected("province", "2026-06") == ()
    assert made.expected("commune", "2026-Q2") == ()
    assert made.scheduled == [("commune", "month")]


def test_a_unit_owes_what_is_due_while_it_exists(tmp_path: Path) -> None:
    made = calendar(tmp_path, schedule(), schedule(kind="half", due=15, closes=30))
    # The reform of 1 July 2025: the new unit reports for June and the first half, too.
    now = datetime(2025, 7, 12, tzinfo=UTC)
    assert [one.period for one in made.periods(COMMUNE, now)] == ["2025-06", "2025-H1"]
    former = AREAS["legacy:02647"]
    assert "2025-06" not in [one.period for one in made.periods(former, now)]
    assert "2025-05" in [one.period for one in made.periods(former, now)]


def test_a_day_begins_at_midnight_in_viet_nam(tmp_path: Path) -> None:
    made = calendar(tmp_path, schedule())
    before = datetime(2026, 10, 31, 16, 59, tzinfo=UTC)
    back = timedelta(days=10)
    assert [one.period for one in made.periods(COMMUNE, before, back=back)] == ["2026-09"]
    after = before + timedelta(minutes=1)
    assert [one.period for one in made.periods(COMMUNE, after, back=back)] == ["2026-09", "2026-10"]


def test_the_shipped_calendar_fits_the_catalogue_and_asks_each_kind_of_communes() -> None:
    shipped = reporting.load(None, CATALOGUE)
    for period in ("2026-10", "2026-Q3", "2026-H1", "2026"):
        assert "nf.community-teams" in shipped.expected("commune", period)
    # Some of what communes report is counted from events as well, so the two can be compared.
    half = [CATALOGUE.by_id[one] for one in shipped.expected("commune", "2026-H1")]
    assert any(not one.is_reported_only for one in half)


def test_the_calendar_of_the_how_to_is_one(tmp_path: Path) -> None:
    lines = (ROOT / "docs/howto/reporting-periods.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("    version: 1")
    block = lines[start : lines.index("", start)]
    text = "\n".join(line.removeprefix("    ") for line in block)
    (tmp_path / CALENDAR_FILE).write_text(text, encoding="utf-8")
    made = reporting.load(tmp_path, CATALOGUE)
    assert "nf.community-teams" in made.expected("commune", "2026-Q4")
    assert "ds.fibre" not in made.expected("commune", "2026-Q4")
    window = made.window("commune", "2026-Q4")
    assert window is not None
    assert window.due == date(2027, 2, 15)
    assert made.expected("commune", "2026-Q3") == ()
