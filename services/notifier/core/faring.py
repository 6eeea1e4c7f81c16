"""The decision about a receiver: whether operators are told that it takes nothing.

It is told once, and ends when the receiver has taken something: that somebody enabled it proves
nothing yet. A receiver that has nothing to take stays as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.core.alert import NOBODY, RECEIVER_PREFIX, Alert, Step, advance
from services.notifier.core.decide import Decision, Held, Reason
from services.notifier.core.figure import FigureKey


@dataclass(frozen=True, slots=True)
class Faring:
    """How a receiver fares: since when it takes nothing, and whether it wants no more."""

    failing_since: datetime | None = None
    disabled_at: datetime | None = None


def decide_receiver(held: Held | None, faring: Faring, limit: timedelta, now: datetime) -> Decision:
    """Judge one receiver; `limit` is how long it may take nothing before it is told."""
    if faring.disabled_at is not None:
        return Decision("firing", Reason.RECEIVER_DISABLED, "warning")
    if faring.failing_since is None:
        return Decision("resolved" if held is not None else None, Reason.RECOVERED, "warning")
    if held is not None:
        # Enabled by hand, it still has to show that it works.
        return Decision("firing", held.reason or Reason.RECEIVER_FAILING, "warning")
    is_over = now - faring.failing_since >= limit
    return Decision("firing" if is_over else None, Reason.RECEIVER_FAILING, "warning")


def judge_receivers(
    known: Mapping[str, Faring],
    held: Mapping[FigureKey, Alert],
    area: str,
    limit: timedelta,
    now: datetime,
) -> list[Step]:
    """What becomes of the alerts about receivers.

    They are told of to operators alone, and not on ``alert-events.v1``: a name may be somebody's.

    Args:
        known: the receivers of the receivers file, by name.
        held: the open alerts about receivers.
        area: the province, where what is about no unit stands.
        limit: how long a receiver may take nothing.
        now: the moment.
    """
    keys = {FigureKey(area, f"{RECEIVER_PREFIX}{name}", "events"): name for name in known}
    steps = []
    for key in {**keys, **held}:
        alert = held.get(key)
        before = alert.held if alert is not None else None
        if key in keys:
            decision = decide_receiver(before, known[keys[key]], limit, now)
        else:
            decision = Decision("resolved", Reason.RECEIVER_REMOVED, "warning")
        step = advance(alert, decision, kind="receiver", key=key, standing=NOBODY, now=now)
        if step is not None and step.alert != alert:
            steps.append(Step(step.alert, step.dropped))
    return steps
