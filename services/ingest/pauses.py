"""Which sources are paused, because most of what they send is refused.

What a paused source sends is not taken: its requests are told to come again later, its connectors
rest. So nothing of it is lost, and a fault is kept a few thousand times instead of a million.

This is what one process knows, in memory; `services.ingest.rejecting.pausing` shares it through PostgreSQL.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.times import format_rfc3339
from contracts.tokens import Principal
from services.ingest.core.windows import Window


@dataclass(frozen=True, slots=True)
class Begun:
    """A pause that this process has begun and PostgreSQL does not know yet.

    `after` is the id of the source's pause before it, 0 if there was none.
    """

    source: str
    counted: int
    refused: int
    after: int


@dataclass(frozen=True, slots=True)
class Pause:
    """The latest pause of a source; it has ended when `ended_at` says when."""

    id: int
    source: str
    since: datetime
    counted: int
    refused: int
    ended_at: datetime | None
    ended_by: str | None

    @property
    def why(self) -> str:
        """What a sender is told."""
        since = format_rfc3339(self.since)
        return _why(self.source, f"is paused since {since}", self.counted, self.refused)


class Pauses:
    """Counts what became of each source's events, and says which sources rest."""

    def __init__(self) -> None:
        self.begun_one = asyncio.Event()
        """Set when a pause has begun here."""
        self._windows: dict[str, Window] = {}
        self._reasons: dict[str, str] = {}
        self._begun: dict[str, Begun] = {}
        self._latest: dict[str, int] = {}

    def note(
        self, caller: Principal, *, accepted: Sequence[str], refused: Sequence[str | None]
    ) -> None:
        """Count events by the source that they name; one the caller may not use is nobody's."""
        taken, lost = Counter(accepted), Counter(refused)
        for source in caller.sources.intersection(taken.keys() | lost.keys()):
            # What was on its way when the pause began says nothing of what comes after it.
            if source in self._reasons:
                continue
            window = self._windows.get(source)
            if window is None:
                window = self._windows[source] = Window()
            window.add(taken[source], lost[source])
            if window.is_mostly_refused:
                self._begin(source, window)

    def paused(self, sources: Iterable[str]) -> str | None:
        """Why nothing may be taken from a caller with these sources; None when it may."""
        reasons = [self._reasons.get(source) for source in sources]
        return reasons[0] if reasons and all(reasons) else None

    def among(self, sources: Iterable[str]) -> frozenset[str]:
        """Which of these are paused."""
        return frozenset(self._reasons.keys() & sources) if self._reasons else frozenset()

    def begun(self) -> list[Begun]:
        """The pauses that are still to be written down."""
        return list(self._begun.values())

    def know(self, latest: Iterable[Pause], written: Collection[Begun]) -> None:
        """Go by what PostgreSQL says, and by what has begun here and is not in `written`.

        A source that has been paused and let go on since this was called last is counted anew.
        """
        for begun in written:
            self._begun.pop(begun.source, None)
        reasons = {begun.source: _unwritten(begun) for begun in self._begun.values()}
        known: dict[str, int] = {}
        for pause in latest:
            known[pause.source] = pause.id
            if pause.id != self._latest.get(pause.source):
                self._windows.pop(pause.source, None)
            if pause.ended_at is None:
                reasons[pause.source] = pause.why
        self._latest = known
        self._reasons = reasons

    def _begin(self, source: str, window: Window) -> None:
        after = self._latest.get(source, 0)
        begun = Begun(source, window.counted, window.refused, after)
        self._begun[source] = begun
        self._reasons[source] = _unwritten(begun)
        del self._windows[source]
        self.begun_one.set()


def _unwritten(begun: Begun) -> str:
    return _why(begun.source, "is paused", begun.counted, begun.refused)


def _why(source: str, state: str, counted: int, refused: int) -> str:
    return (
        f"{source} {state}: of its last {counted:,} records {refused:,} were refused. "
        "Nothing of it is taken, and nothing is lost if you keep it. See why with "
        "GET /v1/rejections, mend what is wrong, and ask an operator to let it go on "
        "(POST /v1/pauses/SOURCE/end, or nhipso sources resume)."
    )
