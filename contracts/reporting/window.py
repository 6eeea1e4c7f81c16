"""The days of one reporting period, and what may be done on a day."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from contracts.reporting.periods import PeriodKind

PeriodState = Literal["ahead", "open", "due", "closed"]


@dataclass(frozen=True, slots=True)
class Window:
    """The days of one period; local days in Asia/Ho_Chi_Minh, all of them included.

    `opens` to `closes` a report is taken; up to `grace_until` it is in time. `reminders` are the
    days on which a unit that has not reported is reminded, earliest first.
    """

    period: str
    kind: PeriodKind
    opens: date
    due: date
    grace_until: date
    closes: date
    reminders: tuple[date, ...] = ()

    def state(self, today: date) -> PeriodState:
        """How the period stands on a day.

        ``ahead``: not open yet. ``open``: reports are taken and in time. ``due``: the due day has
        passed, reports are still taken. ``closed``: no more.
        """
        if today < self.opens:
            return "ahead"
        if today <= self.due:
            return "open"
        return "due" if today <= self.closes else "closed"
