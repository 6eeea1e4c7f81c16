"""Where "now" comes from, so that a core takes it as a value and a test can set it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's present moment, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for tests and replays."""

    def __init__(self, moment: datetime) -> None:
        self._moment = _as_utc(moment)

    def now(self) -> datetime:
        """Return the moment the clock stands at, aware, in UTC."""
        return self._moment

    def set(self, moment: datetime) -> None:
        """Move the clock to `moment`, forwards or backwards."""
        self._moment = _as_utc(moment)

    def advance(self, by: timedelta) -> None:
        """Move the clock by a duration."""
        self._moment += by


def _as_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give an aware datetime")
    return moment.astimezone(UTC)
