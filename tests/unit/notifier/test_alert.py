"""What a decision does to an alert, and which event tells of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from services.notifier.core.alert import Alert, Step, advance
from services.notifier.core.decide import Decision, Reason
from services.notifier.core.figure import FigureKey, Standing

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
KEY = FigureKey("2025:02647", "ds.smartphone", "events")
BEHIND = Standing(Decimal(60), Decimal(73), Decimal(90), Decimal(13), 130, 600, 1000)
CLOSER = Standing(Decimal(65), Decimal(73), Decimal(90), Decimal(8), 80, 650, 1000)

PENDING = Decision("pending", Reason.BEHIND_PACE, "warning")
FIRING = Decision("firing", Reason.BEHIND_PACE, "warning")
WORSE = Decision("firing", Reason.BEHIND_PACE, "critical")
RECOVERING = Decision("firing", Reason.RECOVERING, "warning")
SILENT = Decision("firing", Reason.SOURCE_SILENT, "warning")
RESOLVED = Decision("resolved", Reason.RECOVERED, "warning")
NOTHING = Decision(None, Reason.NOT_BEHIND)


def take(
    alert: Alert | None, decision: Decision, stands: Standing = BEHIND, *, after_days: int = 0
) -> Step | None:
    now = NOW + timedelta(days=after_days)
    return advance(alert, decision, kind="pace", key=KEY, standing=stands, now=now)


def firing() -> Alert:
    step = take(None, FIRING)
    assert step is not None
    return step.alert


def test_nothing_comes_of_nothing() -> None:
    assert take(None, NOTHING) is None


def test_pending_is_not_told() -> None:
    step = take(None, PENDING)
    assert step is not None
    assert step.event is None
    assert (step.alert.version, step.alert.fired_at) == (0, None)


def test_a_pending_alert_that_is_not_confirmed_is_dropped() -> None:
    pending = take(None, PENDING)
    assert pending is not None
    step = take(pending.alert, NOTHING)
    assert step is not None
    assert step.dropped
    assert step.event is None


def test_firing_opens_it_for_the_world() -> None:
    pending = take(None, PENDING)
    assert pending is not None
    step = take(pending.alert, FIRING, after_days=3)
    assert step is not None
    assert step.event is not None
    assert step.event.type == "vn.nhipso.alert.opened.v1"
    assert step.event.id == f"{step.alert.id}/1"
    assert step.event.subject == "area:2025:02647"
    assert step.event.data.opened_at == NOW
    assert step.alert.fired_at == NOW + timedelta(days=3)


def test_a_figure_that_moves_is_no_news_but_is_kept() -> None:
    step = take(firing(), FIRING, CLOSER)
    assert step is not None
    assert step.event is None
    assert step.alert.standing == CLOSER


def test_hovering_about_the_line_of_recovery_is_no_news() -> None:
    step = take(firing(), RECOVERING, CLOSER)
    assert step is not None
    assert step.event is None
    assert step.alert.reason is Reason.RECOVERING


def test_another_severity_is_news() -> None:
    step = take(firing(), WORSE)
    assert step is not None
    assert step.event is not None
    assert step.event.type == "vn.nhipso.alert.changed.v1"
    assert step.event.id == f"{step.alert.id}/2"


def test_a_source_that_falls_silent_is_news_and_leaves_the_figures() -> None:
    step = take(firing(), SILENT, CLOSER)
    assert step is not None
    assert step.event is not None
    assert step.event.data.reason == "source-silent"
    assert step.alert.standing == BEHIND


def test_resolving_closes_it() -> None:
    step = take(firing(), RESOLVED, CLOSER, after_days=9)
    assert step is not None
    assert step.event is not None
    assert step.event.type == "vn.nhipso.alert.resolved.v1"
    assert step.alert.resolved_at == NOW + timedelta(days=9)
    assert step.alert.fired_at == NOW


def test_ids_follow_from_history() -> None:
    assert firing().id == firing().id
    later = take(None, FIRING, after_days=1)
    assert later is not None
    assert later.alert.id != firing().id
