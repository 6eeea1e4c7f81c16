"""Counts what became of a source's latest records, to tell when most of them are refused."""

from collections import deque
from typing import Final

LEAST_RECORDS: Final = 1_000
"""Of fewer records nothing is said."""


class Window:
    """The fewest latest batches of a source that hold `LEAST_RECORDS` together.

    Batches are counted whole, whatever order their records had: a window of 1,000 records that came
    in batches of 500 holds exactly two, one of a single large batch holds that one.
    """

    __slots__ = ("_batches", "counted", "refused")

    def __init__(self) -> None:
        self._batches: deque[tuple[int, int]] = deque()
        self.counted = 0
        self.refused = 0

    def add(self, accepted: int, refused: int) -> None:
        """Count a batch."""
        records = accepted + refused
        self._batches.append((records, refused))
        self.counted += records
        self.refused += refused
        while self.counted - self._batches[0][0] >= LEAST_RECORDS:
            oldest, its_refused = self._batches.popleft()
            self.counted -= oldest
            self.refused -= its_refused

    @property
    def is_mostly_refused(self) -> bool:
        """Whether more than half of at least `LEAST_RECORDS` records were refused."""
        return self.counted >= LEAST_RECORDS and 2 * self.refused > self.counted
