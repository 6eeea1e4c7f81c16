"""The decision as a table: state before, how far behind, how many, how fresh → state and reason."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.updates import AlertState, Severity
from services.notifier.core.course import NO_TREND, Trend
from services.notifier.core.decide import (
    Decision,
    Held,
    Reason,
    decide,
    decide_ended,
    decide_silence,
)
from services.notifier.core.figure import Standing
from services.notifier.core.rule import Falling, Rule

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=3)
LATELY = NOW - timedelta(days=3) + timedelta(seconds=1)


def standing(behind: str | None, denominator: int | None = 1000) -> Standing:
    value = None if behind is None else Decimal(70) - Decimal(behind)
    points = None if behind is None else Decimal(behind)
    return Standing(value, Decimal(70), Decimal(90), points, None, None, denominator)


def held(
    state: AlertState,
    opened_at: datetime = LATELY,
    severity: Severity = "info",
    reason: Reason | None = None,
) -> Held:
    return Held(state, opened_at, severity, reason)


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


MISSED = replace(standing("9"), missed_on=date(2025, 12, 31))
FELL = Trend(fallen=Decimal(3))
MOVED = Trend(fallen=Decimal(9), is_settled=False)


@pytest.mark.parametrize(
    ("before", "stands", "trend", "after"),
    [
        # A target's date passed unmet is told as that, not as lagging alone.
        (None, MISSED, NO_TREND, Decision("pending", Reason.TARGET_MISSED, "warning")),
        (
            held("pending", LONG_AGO),
            MISSED,
            NO_TREND,
            Decision("firing", Reason.TARGET_MISSED, "warning"),
        ),
        # Within the tolerance it is not told.
        (
            None,
            replace(standing("2"), missed_on=date(2025, 12, 31)),
            NO_TREND,
            Decision(None, Reason.NOT_BEHIND),
        ),
        # Falling above the line.
        (None, standing("-10"), FELL, Decision("pending", Reason.FALLING)),
        (None, standing("-10"), Trend(fallen=Decimal("2.99")), Decision(None, Reason.NOT_BEHIND)),
        (held("pending", LONG_AGO), standing("2"), FELL, Decision("firing", Reason.FALLING)),
        (
            held("firing", reason=Reason.FALLING),
            standing("-10"),
            NO_TREND,
            Decision("resolved", Reason.RECOVERED),
        ),
        # The band of hysteresis is of units that lagged: one that fell above its line never did.
        (
            held("firing", reason=Reason.FALLING),
            standing("1.5"),
            NO_TREND,
            Decision("resolved", Reason.RECOVERED),
        ),
        (
            held("firing", reason=Reason.FALLING),
            standing("9"),
            FELL,
            Decision("firing", Reason.BEHIND_PACE, "warning"),
        ),
        # Where a unit lags, that is said, and not that it falls as well.
        (None, standing("9"), FELL, Decision("pending", Reason.BEHIND_PACE, "warning")),
        # The graver of gap and miss holds.
        (
            None,
            standing("3"),
            Trend(late=timedelta(days=365)),
            Decision("pending", Reason.BEHIND_PACE, "warning"),
        ),
        (
            None,
            standing("3"),
            Trend(late=timedelta(days=364)),
            Decision("pending", Reason.BEHIND_PACE, "info"),
        ),
        (
            None,
            standing("15"),
            Trend(late=timedelta.max),
            Decision("pending", Reason.BEHIND_PACE, "critical"),
        ),
        # A denominator that has moved: nothing is compared, neither for good nor for bad.
        (None, standing("40"), MOVED, Decision(None, Reason.DENOMINATOR_CHANGED)),
        (
            held("pending", LONG_AGO),
            standing("40"),
            MOVED,
            Decision(None, Reason.DENOMINATOR_CHANGED),
        ),
        (
            held("firing", severity="warning"),
            standing("-10"),
            MOVED,
            Decision("firing", Reason.DENOMINATOR_CHANGED, "warning"),
        ),
        # A denominator that has become too small ends the alert first.
        (held("firing"), standing("40", 3), MOVED, Decision("resolved", Reason.TOO_FEW)),
    ],
)
def test_decides_with_the_past(
    before: Held | None, stands: Standing, trend: Trend, after: Decision, rule: Rule
) -> None:
    asks = replace(
        rule,
        falling=Falling(Decimal(3), timedelta(days=28)),
        late=((timedelta(days=365), "warning"),),
    )
    assert decide(before, stands, fresh=True, rule=asks, now=NOW, trend=trend) == after


def test_a_stale_report_is_one_that_is_missing(rule: Rule) -> None:
    decision = decide(
        held("firing", severity="warning"),
        standing("40"),
        fresh=False,
        rule=rule,
        now=NOW,
        is_reported=True,
    )
    assert decision == Decision("firing", Reason.REPORT_MISSING, "warning")


@pytest.mark.parametrize(
    ("before", "state"), [(None, None), (held("pending"), None), (held("firing"), "resolved")]
)
def test_a_level_that_is_not_told_has_no_alert(
    before: Held | None, state: AlertState | None, rule: Rule
) -> None:
    decision = decide(before, standing("40"), fresh=True, rule=rule, now=NOW, is_told=False)
    assert (decision.state, decision.reason) == (state, Reason.NOT_TOLD)


percents = st.decimals(0, 100, places=2)
helds = st.none() | st.builds(
    Held,
    state=st.sampled_from(["pending", "firing"]),
    opened_at=st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is given beside
    severity=st.sampled_from(["info", "warning", "critical"]),
    reason=st.none() | st.sampled_from(Reason),
)


@given(
    before=helds,
    value=percents,
    pace=percents,
    denominator=st.none() | st.integers(0, 10_000),
    fallen=st.none() | percents,
    settled=st.booleans(),
    reported=st.booleans(),
)
def test_a_source_that_went_silent_never_makes_a_unit_look_bad(
    *,
    before: Held | None,
    value: Decimal,
    pace: Decimal,
    denominator: int | None,
    fallen: Decimal | None,
    settled: bool,
    reported: bool,
) -> None:
    """Nothing opens, nothing is confirmed, nothing grows graver, whatever the figures say."""
    rule = Rule(
        Decimal(2),
        Decimal(1),
        30,
        timedelta(0),
        ((Decimal(5), "critical"),),
        falling=Falling(Decimal(1), timedelta(days=28)),
    )
    stands = Standing(value, pace, Decimal(90), pace - value, None, None, denominator)
    decision = decide(
        before,
        stands,
        fresh=False,
        rule=rule,
        now=NOW,
        trend=Trend(fallen, timedelta.max, settled),
        is_reported=reported,
    )
    fired = before is not None and before.state == "firing"
    assert decision.state == ("firing" if fired else None)
    if before is not None and fired:
        assert decision.severity == before.severity


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
