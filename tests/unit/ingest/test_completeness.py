"""Completeness and timeliness of a unit's report, as a table, and what is told about it when."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from contracts import areas, catalogue
from contracts.report_events import REPORT_DUE, REPORT_MISSING, REPORT_RECEIVED
from contracts.reporting import Calendar, Window
from contracts.reporting.model import CalendarFile
from contracts.times import LOCAL_ZONE
from services.ingest.core.completeness import Receipt, judge, sums
from services.ingest.core.reminders import reminders, to_look_at

PROVINCE = "2025:15"
EXPECTED = ("dt.soc.5", "nf.community-teams")
CALENDAR = Calendar(
    CalendarFile.model_validate(
        {
            "version": 1,
            "schedules": [
                {
                    "kind": "month",
                    "levels": ["province"],
                    "indicators": {"ids": EXPECTED},
                    "opens": 1,
                    "due": 10,
                    "closes": 25,
                    "grace_days": 2,
                    "remind_days": [3, 0],
                }
            ],
        }
    ),
    catalogue.load(),
)
AREAS = areas.load()


def window() -> Window:
    found = CALENDAR.window("province", "2026-10")
    assert found is not None
    return found


def november(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=LOCAL_ZONE)


def came(**days: int) -> list[Receipt]:
    """What came on which days of November; `teams` and `phones` are the two indicators."""
    names = {"teams": "nf.community-teams", "phones": "dt.soc.5", "other": "ds.fibre"}
    return [
        Receipt(PROVINCE, "2026-10", names[name], november(day), november(day), 1)
        for name, day in days.items()
    ]


@pytest.mark.parametrize(
    ("receipts", "today", "timeliness", "late_days", "missing"),
    [
        ([], 5, "not-due", None, 2),
        ([], 12, "not-due", None, 2),
        ([], 13, "missing", 3, 2),
        ([], 30, "missing", 20, 2),
        (came(teams=5), 12, "not-due", None, 1),
        (came(teams=5), 14, "late", 4, 1),
        (came(teams=5, phones=5), 6, "on-time", None, 0),
        (came(teams=5, phones=12), 20, "on-time", None, 0),
        (came(teams=5, phones=13), 20, "late", 3, 0),
        (came(other=5), 13, "missing", 3, 2),
        (came(teams=5, phones=5, other=20), 20, "on-time", None, 0),
    ],
)
def test_a_report_is_complete_and_in_time_by_what_has_come(
    receipts: list[Receipt], today: int, timeliness: str, late_days: int | None, missing: int
) -> None:
    found = judge(PROVINCE, window(), EXPECTED, receipts, date(2026, 11, today))
    assert (found.timeliness, found.late_days) == (timeliness, late_days)
    assert len(found.missing) == missing
    assert found.is_complete is (missing == 0)
    assert {*found.reported, *found.missing} == {*EXPECTED}


def test_the_grace_ends_at_midnight_in_viet_nam() -> None:
    def at(moment: datetime) -> str:
        receipts = [Receipt(PROVINCE, "2026-10", one, moment, moment, 1) for one in EXPECTED]
        return judge(PROVINCE, window(), EXPECTED, receipts, date(2026, 11, 20)).timeliness

    last = datetime(2026, 11, 12, 23, 59, 59, tzinfo=LOCAL_ZONE)
    assert at(last) == "on-time"
    assert at(last + timedelta(seconds=1)) == "late"


def test_a_correction_after_the_due_day_does_not_make_a_report_late() -> None:
    first = november(5)
    receipts = [Receipt(PROVINCE, "2026-10", one, first, november(20), 3) for one in EXPECTED]
    found = judge(PROVINCE, window(), EXPECTED, receipts, date(2026, 11, 21))
    assert (found.timeliness, found.version, found.last_at) == ("on-time", 3, november(20))


def test_sums_count_each_unit_once_in_each_view() -> None:
    day = date(2026, 11, 20)
    tables = [came(teams=5, phones=5), came(teams=5, phones=13), came(teams=5), []]
    found = sums(judge(PROVINCE, window(), EXPECTED, one, day) for one in tables)
    assert (found.units, found.complete, found.incomplete) == (4, 2, 2)
    assert (found.on_time, found.late, found.missing, found.not_due) == (1, 2, 1, 0)


def told(now: datetime, looked_on: date, receipts: list[Receipt], **given: Any) -> list[str]:
    """Ids of what is to be told about October, with `looked_on` as the last day anybody looked."""
    began_on = given.get("began_on", date(2026, 1, 1))
    looked_at = to_look_at(CALENDAR, looked_on, given.get("awaited", ()), now.date())
    events = reminders(
        CALENDAR,
        AREAS,
        looked_at,
        {("2026-10", PROVINCE): receipts},
        began_on=began_on,
        now=now,
    )
    return [event.id for event in events if event.data.period == "2026-10"]


DUE, LAST_DAY = f"{PROVINCE}/2026-10/due/2026-11-07", f"{PROVINCE}/2026-10/due/2026-11-10"
MISSING = f"{PROVINCE}/2026-10/missing/2026-11-13"


@pytest.mark.parametrize(
    ("today", "receipts", "ids"),
    [
        (6, [], []),
        (7, [], [DUE]),
        (9, [], [DUE]),
        (10, [], [LAST_DAY]),
        (11, [], []),
        (12, [], []),
        (13, [], [MISSING]),
        (25, [], [MISSING]),
        (7, came(teams=5), [DUE]),
        (13, came(teams=5), [MISSING]),
        (7, came(teams=5, phones=6), [f"{PROVINCE}/2026-10/received/2026-11-06"]),
        (20, came(teams=5, phones=14), [f"{PROVINCE}/2026-10/received/2026-11-14"]),
    ],
)
def test_a_unit_is_reminded_before_the_due_day_and_told_once_what_is_missing(
    today: int, receipts: list[Receipt], ids: list[str]
) -> None:
    now = november(today)
    assert told(now, now.date(), receipts) == ids


def test_what_was_missing_while_nobody_looked_is_told_also_after_the_period_has_closed() -> None:
    assert told(november(28), date(2026, 11, 5), []) == [MISSING]
    assert told(november(28), date(2026, 11, 26), []) == []


def test_what_was_missing_before_anybody_ever_looked_is_not_told() -> None:
    assert told(november(20), november(20).date(), [], began_on=date(2026, 11, 13)) == []
    assert told(november(20), november(20).date(), [], began_on=date(2026, 11, 12)) == [MISSING]


def test_a_reminder_of_the_day_on_which_anybody_first_looked_is_not_told() -> None:
    assert told(november(8), november(8).date(), [], began_on=date(2026, 11, 7)) == []
    assert told(november(8), november(8).date(), [], began_on=date(2026, 11, 6)) == [DUE]
    assert told(november(10), november(10).date(), [], began_on=date(2026, 11, 7)) == [LAST_DAY]


def test_a_report_that_comes_after_the_period_has_closed_takes_the_reminder_back() -> None:
    december = datetime(2026, 12, 20, 9, tzinfo=LOCAL_ZONE)
    receipts = came(teams=5, phones=28)
    assert told(december, december.date(), receipts) == []
    back = told(december, december.date(), receipts, awaited=["2026-10"])
    assert back == [f"{PROVINCE}/2026-10/received/2026-11-28"]


def test_an_event_says_what_is_missing_and_until_when() -> None:
    now = november(13)
    looked_at = to_look_at(CALENDAR, now.date(), (), now.date())
    (event,) = reminders(
        CALENDAR,
        AREAS,
        looked_at,
        {("2026-10", PROVINCE): came(teams=5)},
        began_on=date(2026, 1, 1),
        now=now,
    )
    assert event.type == REPORT_MISSING
    assert (event.subject, event.time) == (f"area:{PROVINCE}", now)
    assert (event.data.missing, event.data.expected) == (("dt.soc.5",), 2)
    assert (event.data.due, event.data.closes) == (date(2026, 11, 10), date(2026, 11, 25))
    assert {REPORT_DUE, REPORT_RECEIVED}.isdisjoint({event.type})
