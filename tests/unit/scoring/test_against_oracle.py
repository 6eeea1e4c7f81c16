"""The core counts what the oracle counts, on the day itself and while the days go by.

The oracle's other test goes through the whole line, on today alone; here a year passes.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import Any, Final

import pytest

from services.scoring.core.state import ShardState
from tests.e2e.hard.moments import local_day
from tests.e2e.hard.stream import hard_stream
from tests.oracle.figures import Expected, figures
from tests.unit.scoring.saying import RULES, counted, take

FACTS: Final = 4_000
#: Days after the start on which all counts are compared.
AHEAD: Final = (0, 1, 2, 90, 91, 99, 100, 180, 274, 365, 366, 367, 400)


class Core:
    """What the shards do, without their store."""

    def __init__(self) -> None:
        self._state = ShardState(RULES)

    def take(self, events: Sequence[dict[str, Any]], today: date) -> None:
        """Fold events in batches of ever another size, subjects evaluated after each batch."""
        sizes = cycle((1, 2, 7, 50, 333))
        first = 0
        while first < len(events):
            last = first + next(sizes)
            take(self._state, [inside(event) for event in events[first:last]], today)
            first = last

    def step(self, today: date) -> None:
        """Evaluate those alone whose day has come."""
        self._state.step(today.toordinal())

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(area id, indicator id) → numerator and denominator, where anybody is counted."""
        return counted(self._state.counts)


def inside(event: dict[str, Any]) -> bytes:
    """The record of an event, with some pseudonym for whom it is about."""
    kind, _, identifier = event["subject"].partition(":")
    if kind in {"citizen", "household"}:
        identifier = hashlib.blake2b(identifier.encode(), digest_size=16).hexdigest()
    return json.dumps({**event, "subject": f"{kind}:{identifier}"}).encode()


def right(events: list[dict[str, Any]], day: date) -> Iterator[tuple[tuple[str, str], Expected]]:
    """What the oracle counts from events in each commune."""
    for place, figure in figures(events, day).items():
        if place[0] != "2025:15" and figure.basis == "events" and figure.denominator:
            yield place, figure


@pytest.mark.parametrize(
    ("seed", "start"),
    [
        (1, datetime(2026, 11, 22, 9, tzinfo=UTC)),
        (2, datetime(2027, 2, 28, 16, 59, 59, tzinfo=UTC)),  # a second before 1 March here
        (3, datetime(2028, 2, 28, 17, 0, tzinfo=UTC)),  # 29 February has just begun
        (4, datetime(2026, 12, 31, 17, 30, tzinfo=UTC)),
    ],
)
def test_a_year_goes_by(seed: int, start: datetime) -> None:
    events = [item.event for item in hard_stream(seed, FACTS, start)]
    today = local_day(start)
    core = Core()
    core.take(events, today)
    for days in range(max(AHEAD) + 1):
        day = today + timedelta(days=days)
        core.step(day)
        if days in AHEAD:
            expected = {
                place: (figure.numerator, figure.denominator)
                for place, figure in right(events, day)
            }
            assert core.counts() == expected, f"{days} days after the start"
