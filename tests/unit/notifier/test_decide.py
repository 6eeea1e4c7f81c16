"""The decision as a table: state before, how far behind, how many, how fresh → state and reason."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from contracts.updates import AlertState, Severity
from services.notifier.core.decide import (
    Decision,
    Held,
    Reason,
    decide,
    decide_ended,
    decide_silence,
)
from services.notifier.core.figure import Standing
from services.notifier.core.rule import Rule

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=3)
LATELY = NOW - timedelta(days=3) + timedelta(seconds=1)


def standing(behind: str | None, denominator: int | None = 1000) -> Standing:
    value = None if behind is None else Decimal(70) - Decimal(behind)
    points = None if behind is None else Decimal(behind)
    return Standing(value, Decimal(70), Decimal(90), points, None, None, denominator)


def held(state: AlertState, opened_at: datetime = LATELY, severity: Severity = "info") -> Held:
    return Held(state, opened_at, severity)


@pytest.mark.parametrize(
    ("before", "stands", "fresh", "after"),
    [
        # Nothing stands open.
        (None, standing("-10"), True, Decision(None, Reason.NOT_BEHIND)),
        (None, standing("2"), True, Decision(None, Reason.NOT_BEHIND)),
        (None, standing("2.01"), True, Decision("pending", Reason.BEHIND_PACE, "info")),
        (None, standing("40", 29), True, Decision(None, Reason.TOO_FEW)),
        (None, standing("40", 30), True, Decision("pending", Reason.BEHIND_PACE, "critical")),
        (None, standing("40", None), True, Decision("pending", Reason.BEHIND_PACE, "critical")),
        (None, standing(None), True, Decision(None, Reason.NO_PACE)),
        (None, standing("40"), False, Decision(None, Reason.SOURCE_SILENT)),
        # Pending: confirmed after `for`, dropped on any doubt.
        (held("pending"), standing("9"), True, Decision("pending", Reason.BEHIND_PACE, "warning")),
        (
            held("pending", LONG_AGO),
            standing("9"),
            True,
            Decision("firing", Reason.BEHIND_PACE, "warning"),
        ),
        (held("pending", LONG_AGO), standing("2"), True, Decision(None, Reason.NOT_BEHIND)),
        (held("pending", LONG_AGO), standing("9", 5), True, Decision(None, Reason.TOO_FEW)),
        (held("pending", LONG_AGO), standing(None), True, Decision(None, Reason.NO_PACE)),
        (held("pending", LONG_AGO), standing("9"), False, Decision(None, Reason.SOURCE_SILENT)),
        # Firing: goes on inside the band of hysteresis, ends beyond it.
        (held("firing"), standing("15"), True, Decision("firing", Reason.BEHIND_PACE, "critical")),
        (
            held("firing", severity="warning"),
            standing("1.01"),
            True,
            Decision("firing", Reason.RECOVERING, "warning"),
        ),
        (
            held("firing", severity="warning"),
            standing("1"),
            True,
            Decision("resolved", Reason.RECOVERED, "warning"),
        ),
        (held("firing"), standing("40", 3), True, Decision("resolved", Reason.TOO_FEW)),
        (held("firing"), standing(None), True, Decision("resolved", Reason.NO_PACE)),
        # A silent source decides nothing: neither good nor bad.
        (
            held("firing", severity="critical"),
            standing("-10"),
            False,
            Decision("firing", Reason.SOURCE_SILENT, "critical"),
        ),
    ],
)
def test_decides(
    before: Held | None, stands: Standing, fresh: bool, after: Decision, rule: Rule
) -> None:
    assert decide(before, stands, fresh=fresh, rule=rule, now=NOW) == after


def test_fires_at_once_when_no_time_must_pass(rule: Rule) -> None:
    at_once = Rule(rule.tolerance, rule.hysteresis, 30, timedelta(0), rule.severities)
    decision = decide(None, standing("9"), fresh=True, rule=at_once, now=NOW)
    assert decision.state == "firing"


@pytest.mark.parametrize(
    ("before", "silent_for", "after"),
    [
        (None, timedelta(days=3), Decision(None, Reason.NOT_BEHIND)),
        (
            None,
            timedelta(days=3, seconds=1),
            Decision("firing", Reason.SOURCE_SILENT, "warning"),
        ),
        (
            held("firing", severity="warning"),
            timedelta(0),
            Decision("resolved", Reason.RECOVERED, "warning"),
        ),
    ],
)
def test_tells_operators_of_a_silent_feed(
    before: Held | None, silent_for: timedelta, after: Decision
) -> None:
    assert decide_silence(before, NOW - silent_for, timedelta(days=3), NOW) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, Decision(None, Reason.UNIT_ENDED)),
        (held("pending", LONG_AGO), Decision(None, Reason.UNIT_ENDED)),
        (
            held("firing", severity="critical"),
            Decision("resolved", Reason.UNIT_ENDED, "critical"),
        ),
    ],
)
def test_the_alert_of_a_unit_ends_with_it(before: Held | None, after: Decision) -> None:
    assert decide_ended(before) == after
