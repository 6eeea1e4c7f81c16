"""A promise buys quiet until its day has passed; broken, it makes the alert fire again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.notifier.core.acknowledgement import (
    Acknowledgement,
    fire_again,
    is_broken,
    promise_objection,
)
from services.notifier.core.alert import NOBODY, Alert
from services.notifier.core.decide import Reason
from services.notifier.core.figure import FigureKey

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ALERT = Alert(
    id=UUID(int=1),
    kind="pace",
    key=FigureKey("2025:02647", "ds.smartphone", "events"),
    state="firing",
    severity="warning",
    reason=Reason.BEHIND_PACE,
    version=1,
    standing=NOBODY,
    opened_at=NOW - 9 * DAY,
    changed_at=NOW - 6 * DAY,
    fired_at=NOW - 6 * DAY,
)


def said(promised_on: date | None, *, broken: bool = False) -> Acknowledgement:
    at = NOW - 5 * DAY
    return Acknowledgement("Mở lớp tập huấn", promised_on, at, "unit", NOW if broken else None)


@pytest.mark.parametrize(
    ("promised_on", "broken", "quiet"),
    [
        (TODAY + DAY, False, True),
        (TODAY, False, True),  # the promised day is included
        (TODAY - DAY, False, False),
        (None, False, False),  # seen, but nothing promised
        (TODAY, True, False),
    ],
)
def test_a_promise_buys_quiet(promised_on: date | None, broken: bool, quiet: bool) -> None:
    assert said(promised_on, broken=broken).keeps_quiet(TODAY) is quiet


@pytest.mark.parametrize(
    ("promised_on", "alert", "broken"),
    [
        (TODAY - DAY, ALERT, True),
        (TODAY, ALERT, False),
        (None, ALERT, False),
        (TODAY - DAY, replace(ALERT, reason=Reason.RECOVERING), True),
        (TODAY - DAY, replace(ALERT, state="resolved", reason=Reason.RECOVERED), False),
        # Nobody knows whether it was kept.
        (TODAY - DAY, replace(ALERT, reason=Reason.SOURCE_SILENT), False),
        (
            TODAY - DAY,
            replace(ALERT, kind="source-silent", reason=Reason.SOURCE_SILENT),
            True,
        ),
    ],
)
def test_a_promise_is_broken(promised_on: date | None, alert: Alert, broken: bool) -> None:
    assert is_broken(alert, said(promised_on), TODAY) is broken


def test_a_promise_is_broken_once() -> None:
    assert not is_broken(ALERT, said(TODAY - DAY, broken=True), TODAY)


def test_what_fires_again_says_why_and_stays_what_it_was() -> None:
    step = fire_again(ALERT, NOW)
    assert step.alert == replace(ALERT, version=2, changed_at=NOW)
    assert step.event is not None
    assert step.event.id == f"{ALERT.id}/2"
    assert step.event.type == "vn.nhipso.alert.changed.v1"
    assert step.event.data.reason == "promise-broken"


@pytest.mark.parametrize(
    ("promised_on", "objection"),
    [
        (None, None),
        (TODAY, None),
        (TODAY + 366 * DAY, None),
        (TODAY - DAY, "has passed"),
        (TODAY + 367 * DAY, "more than a year ahead"),
    ],
)
def test_which_days_may_be_promised(promised_on: date | None, objection: str | None) -> None:
    found = promise_objection(promised_on, TODAY)
    assert (found is None) if objection is None else (found is not None and objection in found)
