"""Silences: what is not told for a while, because somebody knows why.

A silence ahead has not begun, an active one holds, an ended one is kept for the record.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.updates import Severity
from services.notifier.core.matching import Matcher, one_of

SilenceState = Literal["ahead", "active", "ended"]


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence. A matcher that is None lets everything pass; `area` is a unit and all below.

    It holds from `starts_at` up to, but not at, `ends_at`; `ended_at` is when somebody ended it
    before.
    """

    id: UUID
    area: str | None
    indicator: str | None
    indicator_set: str | None
    severity: Severity | None
    starts_at: datetime
    ends_at: datetime
    comment: str
    created_at: datetime
    created_by: str
    ended_at: datetime | None = None

    def state(self, now: datetime) -> SilenceState:
        """How it stands at a moment."""
        if self.ended_at is not None or now >= self.ends_at:
            return "ended"
        return "ahead" if now < self.starts_at else "active"

    @property
    def matcher(self) -> Matcher:
        """Which alerts it keeps quiet."""
        return Matcher(
            units=one_of(self.area),
            indicators=one_of(self.indicator),
            sets=one_of(self.indicator_set),
            severities=one_of(self.severity),
        )
