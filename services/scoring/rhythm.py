"""How often the leader rolls up and tells: figures shall be fresh, but counting comes first."""

from dataclasses import dataclass
from typing import Final

#: What is rested after a round, as a multiple of what it took: a tenth of the time is enough.
_REST: Final = 9
#: Near the head freshness goes before that, up to so many intervals.
_PATIENCE: Final = 2
#: Nobody waits longer than this, whatever a round took; readiness would call it stuck.
_LONGEST_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """From one beginning to the next, in seconds: near the head of the topic, and far behind it."""

    near: float
    behind: float

    def pause(self, spent: float, *, is_behind: bool) -> float:
        """How long to rest after a round that took `spent` seconds.

        Far behind, the figures are old anyway, and each round is taken from those that catch up.
        """
        if is_behind:
            wanted = max(self.behind - spent, _REST * spent)
        else:
            wanted = max(self.near - spent, spent, min(_REST * spent, _PATIENCE * self.near))
        return min(wanted, _LONGEST_SECONDS)
