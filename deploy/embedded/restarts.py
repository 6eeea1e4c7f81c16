"""When a program that died is started again: a pure rule.

At once, as a rule: whoever depends on it waits. Only a program that keeps ending by itself before
it ever served is given more and more time; one that is killed from outside is not to blame.
"""

import signal
from dataclasses import dataclass

PATIENCE = 5
"""So many deaths in a row are answered at once."""

_LONGEST_SECONDS = 10.0
_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}


@dataclass(frozen=True)
class Deaths:
    """How often a program ended by itself since it last served."""

    in_a_row: int = 0

    def after(self, exit_code: int, *, served: bool) -> "Deaths":
        """Count one more death.

        Args:
            exit_code: how it ended; negative is the signal that ended it.
            served: whether it had been ready since its start.
        """
        before = 0 if served else self.in_a_row
        return Deaths(before if exit_code in _FROM_OUTSIDE else before + 1)

    @property
    def delay(self) -> float:
        """How many seconds to wait before the next start."""
        if self.in_a_row <= PATIENCE:
            return 0.0
        return min(_LONGEST_SECONDS, 2.0 ** (self.in_a_row - PATIENCE - 1))

    @property
    def hopeless(self) -> bool:
        """Whether a stack that is starting should give up on it."""
        return self.in_a_row >= PATIENCE
