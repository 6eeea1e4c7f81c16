"""Which sources are paused, because most of what they send is refused.

What a paused source sends is not taken: its requests are told to come again later, its connectors
rest. So nothing of it is lost, and a fault is kept a few thousand times instead of a million.
"""

from collections.abc import Iterable, Sequence

from contracts.tokens import Principal


class Pauses:
    """Counts what became of each source's events, and says which sources rest."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def note(
        self, caller: Principal, *, accepted: Sequence[str], refused: Sequence[str | None]
    ) -> None:
        """Count events by the source that they name; one the caller may not use is nobody's."""

    def paused(self, sources: Iterable[str]) -> str | None:
        """Why nothing may be taken from a caller with these sources; None when it may."""
        reasons = [self._reasons.get(source) for source in sources]
        return reasons[0] if reasons and all(reasons) else None
