"""Long work in pieces, so that whoever does it may let others have their turn in between.

A batch that is late by a year, or half a million subjects under new rules, are seconds of work. A
process that does nothing else so long misses the heartbeats of its group.
"""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

#: Work that yields after each piece, and returns what comes of it.
Pieces = Generator[None, None, T]


def at_once(work: Pieces[T]) -> T:
    """Do all of it without a pause."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            outcome: T = done.value
            return outcome
