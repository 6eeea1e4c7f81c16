"""Acknowledgements: a unit has seen its alert and says what it does, and by when.

A promised day buys quiet until it has passed. If the alert still fires then, the promise is broken,
and the alert is told anew with that reason. Without a promise the alert is repeated as before; what
an acknowledgement ends in any case is the way up to the unit above.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from services.notifier.core.alert import Alert, Step, told_of
from services.notifier.core.decide import UNJUDGED, Reason

LONGEST_PROMISE: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a unit has said last of one alert."""

    note: str
    promised_on: date | None
    acknowledged_at: datetime
    acknowledged_by: str
    broken_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether it still counts: a broken promise leaves the alert as if nothing was said."""
        return self.broken_at is None

    def keeps_quiet(self, today: date) -> bool:
        """Whether the alert is not told today: up to the promised day, which is included."""
        return self.holds and self.promised_on is not None and today <= self.promised_on


def promise_objection(promised_on: date | None, today: date) -> str | None:
    """Why a promise cannot be taken on a day, or None."""
    if promised_on is None:
        return None
    if promised_on < today:
        return f"the promised day {promised_on} has passed; promise a day from {today} on"
    if promised_on > today + LONGEST_PROMISE:
        return f"the promised day {promised_on} lies more than a year ahead; promise an earlier one"
    return None


def is_broken(alert: Alert, acknowledgement: Acknowledgement, today: date) -> bool:
    """Whether a promise is broken: its day has passed, and the alert still fires.

    While nothing can be judged nobody knows whether it was kept, so it is not broken yet.
    """
    promised = acknowledgement.promised_on
    return (
        alert.state == "firing"
        and (alert.kind != "pace" or alert.reason not in UNJUDGED)
        and acknowledgement.holds
        and promised is not None
        and today > promised
    )


def fire_again(alert: Alert, now: datetime) -> Step:
    """What a broken promise does to its alert: an event with that reason, and nothing else."""
    after = replace(alert, version=alert.version + 1, changed_at=now)
    return Step(after, event=told_of(replace(after, reason=Reason.PROMISE_BROKEN), now))
