"""What an event about a unit's report does to alerts.

A report that is due and one that is missing are alerts of their own, so that a unit is told of
each once. What is told later takes back what was told before: `missing` ends `due`, `received`
ends both.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from contracts.forms.wording import period_in_words
from contracts.report_events import REPORT_DUE, REPORT_MISSING, ReportEvent
from services.notifier.core.alert import Alert, Step, advance
from services.notifier.core.decide import Decision, Reason
from services.notifier.core.figure import FigureKey, Standing

DUE_PREFIX: Final = "report-due."
MISSING_PREFIX: Final = "report-missing."
"""What such alerts bear before the period, in the place of an indicator."""


def keys_of(event: ReportEvent) -> tuple[FigureKey, FigureKey]:
    """The alerts that an event may touch: that the report is due, and that it is missing."""
    area, period = event.data.area, event.data.period
    return (
        FigureKey(area, DUE_PREFIX + period, "reported"),
        FigureKey(area, MISSING_PREFIX + period, "reported"),
    )


def judge(event: ReportEvent, held: Mapping[FigureKey, Alert]) -> Iterator[Step]:
    """What an event does to the open alerts of its unit and period.

    Args:
        event: newer than all that was taken of its unit and period.
        held: the open alerts among `keys_of`.
    """
    due, missing = keys_of(event)
    if event.type == REPORT_DUE:
        if missing in held:
            # The due day was put off.
            yield from _step(event, held, missing, Decision("resolved", Reason.REPORT_DUE, "info"))
        yield from _step(event, held, due, Decision("firing", Reason.REPORT_DUE, "info"))
        return
    is_missing = event.type == REPORT_MISSING
    reason = Reason.REPORT_MISSING if is_missing else Reason.REPORT_RECEIVED
    if due in held:
        yield from _step(event, held, due, Decision("resolved", reason, "info"))
    if is_missing:
        yield from _step(event, held, missing, Decision("firing", reason, "warning"))
    elif missing in held:
        yield from _step(event, held, missing, Decision("resolved", reason, "warning"))


def alert_name(key: str) -> str | None:
    """What such an alert is called; None for the key of anything else."""
    for prefix, said in ((DUE_PREFIX, "sắp đến hạn"), (MISSING_PREFIX, "chưa gửi đủ")):
        if key.startswith(prefix):
            period = period_in_words(key.removeprefix(prefix))
            return f"Báo cáo {period[:1].lower()}{period[1:]} {said}"
    return None


def alert_name_en(key: str) -> str | None:
    """The same in English."""
    for prefix, said in ((DUE_PREFIX, "is due soon"), (MISSING_PREFIX, "is not complete")):
        if key.startswith(prefix):
            return f"Report for {key.removeprefix(prefix)} {said}"
    return None


def _step(
    event: ReportEvent, held: Mapping[FigureKey, Alert], key: FigureKey, decision: Decision
) -> Iterator[Step]:
    step = advance(
        held.get(key),
        decision,
        kind="report",
        key=key,
        standing=_standing(event),
        now=event.time,
        due_on=event.data.due,
    )
    if step is not None:
        yield step


def _standing(event: ReportEvent) -> Standing:
    """How many of the indicators have come; there is no pace, and nobody is counted."""
    data = event.data
    return Standing(
        value=None,
        pace=None,
        target=None,
        behind=None,
        gap_people=None,
        numerator=data.expected - len(data.missing),
        denominator=data.expected,
    )
