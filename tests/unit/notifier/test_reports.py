"""What events about units' reports do to alerts."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from contracts.report_events import (
    REPORT_DUE,
    REPORT_MISSING,
    REPORT_RECEIVED,
    ReportData,
    ReportEvent,
    ReportEventType,
    report_event,
)
from services.notifier.core.alert import Alert
from services.notifier.core.figure import FigureKey
from services.notifier.core.letter import audience_of
from services.notifier.core.reports import alert_name, judge, keys_of
from tests.unit.notifier.conftest import NOW

COMMUNE = "2025:02647"


def told(event_type: ReportEventType, *, days: int = 0, missing: int = 2) -> ReportEvent:
    """What ingest says, so many days after the first of the tests' days."""
    at = NOW + timedelta(days=days)
    data = ReportData(
        area=COMMUNE,
        period="2026-10",
        kind="month",
        day=at.date(),
        opens=date(2026, 11, 1),
        due=date(2026, 11, 25),
        closes=date(2026, 12, 10),
        expected=3,
        missing=("dt.soc.5", "nf.community-teams")[:missing],
    )
    return report_event(event_type, data, at)


def after(*events: ReportEvent) -> list[Alert]:
    """Every alert as it stands after these events."""
    alerts: dict[FigureKey, Alert] = {}
    for event in events:
        held: Mapping[FigureKey, Alert] = {
            key: alerts[key]
            for key in keys_of(event)
            if key in alerts and alerts[key].state != "resolved"
        }
        for step in judge(event, held):
            assert not step.dropped
            alerts[step.alert.key] = step.alert
    return list(alerts.values())


def states(*events: ReportEvent) -> list[tuple[str, str, str]]:
    return [(one.key.indicator, one.state, one.reason.value) for one in after(*events)]


DUE, MISSING = "report-due.2026-10", "report-missing.2026-10"


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([told(REPORT_DUE)], [(DUE, "firing", "report-due")]),
        ([told(REPORT_DUE), told(REPORT_DUE, days=2)], [(DUE, "firing", "report-due")]),
        ([told(REPORT_MISSING)], [(MISSING, "firing", "report-missing")]),
        (
            [told(REPORT_DUE), told(REPORT_MISSING, days=5)],
            [(DUE, "resolved", "report-missing"), (MISSING, "firing", "report-missing")],
        ),
        (
            [told(REPORT_DUE), told(REPORT_RECEIVED, days=1, missing=0)],
            [(DUE, "resolved", "report-received")],
        ),
        (
            [told(REPORT_DUE), told(REPORT_MISSING, days=5), told(REPORT_RECEIVED, days=6)],
            [(DUE, "resolved", "report-missing"), (MISSING, "resolved", "report-received")],
        ),
        ([told(REPORT_RECEIVED, missing=0)], []),
        (
            [told(REPORT_MISSING), told(REPORT_DUE, days=3)],
            [(MISSING, "resolved", "report-due"), (DUE, "firing", "report-due")],
        ),
    ],
)
def test_what_is_told_later_takes_back_what_was_told_before(
    events: list[ReportEvent], found: list[tuple[str, str, str]]
) -> None:
    assert states(*events) == found


def test_an_alert_says_how_much_has_come_until_when_and_is_told_to_the_unit() -> None:
    (alert,) = after(told(REPORT_DUE), told(REPORT_DUE, days=2, missing=1))
    assert (alert.standing.numerator, alert.standing.denominator) == (2, 3)
    assert (alert.due_on, alert.opened_at) == (date(2026, 11, 25), NOW)
    assert audience_of(alert) == f"unit:{COMMUNE}"


def test_the_first_alone_is_news() -> None:
    first = list(judge(told(REPORT_DUE), {}))
    assert [step.event is not None for step in first] == [True]
    held = {step.alert.key: step.alert for step in first}
    assert [step.event for step in judge(told(REPORT_DUE, days=2), held)] == [None]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (DUE, "Báo cáo tháng 10 năm 2026 sắp đến hạn"),
        ("report-missing.2026-Q3", "Báo cáo quý III năm 2026 chưa gửi đủ"),
        ("report-missing.2026-H1", "Báo cáo 6 tháng đầu năm 2026 chưa gửi đủ"),
        ("source.telecom", None),
        ("ds.fibre", None),
    ],
)
def test_an_alert_about_a_report_has_a_name(key: str, name: str | None) -> None:
    assert alert_name(key) == name
