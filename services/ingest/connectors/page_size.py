"""How much is taken in at once, where the source does not decide it. Pure."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

_MOST_RECORDS: Final = 1_000
_MOST_BYTES: Final = 8 * 1024 * 1024


def fitting(sizes: Iterable[int]) -> int:
    """How many of the first records, of these sizes in bytes, fit a page; one at least."""
    count = total = 0
    for size in islice(sizes, _MOST_RECORDS):
        total += size
        if total > _MOST_BYTES and count > 0:
            break
        count += 1
    return count
