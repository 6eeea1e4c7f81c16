"""The core counts what the oracle counts, on the day itself and while the days go by.

The oracle's other test goes through the whole line, on today alone; here a year passes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from contracts import areas, catalogue
from services.scoring.core.counting import Deltas
from services.scoring.core.evaluation import NOWHERE, Standing, evaluators
from services.scoring.core.facts import Change, Facts
from services.scoring.core.records import reader
from tests.e2e.hard.moments import local_day
from tests.e2e.hard.stream import hard_stream
from tests.oracle.figures import Expected, figures

CATALOGUE: Final = catalogue.load()
AREAS: Final = areas.load()
EVALUATORS: Final = evaluators(CATALOGUE, AREAS)
READ: Final = reader(AREAS, frozenset(CATALOGUE.by_id))
FACTS: Final = 4_000
#: Days after the start on which all counts are compared.
AHEAD: Final = (0, 1, 2, 90, 91, 99, 100, 180, 274, 365, 366, 367, 400)


@dataclass
class Subject:
    """Facts, and where the subject has been counted."""

    facts: Facts
    counted: Standing = NOWHERE


@dataclass
class Core:
    """What the shards do, without their store."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    counters: Deltas = field(default_factory=Deltas)

    def take(self, events: Iterable[dict[str, Any]], today: date) -> None:
        """Fold events, each subject evaluated anew as each event arrives."""
        for event in events:
            said = READ(inside(event))
            if isinstance(said.body, Change):
                table = EVALUATORS[said.kind].table
                subject = self.subjects.setdefault(said.subject, Subject(table.empty()))
                if table.fold(subject.facts, said.body):
                    self._evaluate(said.subject, today)

    def step(self, today: date) -> None:
        """Evaluate those alone whose day has come."""
        for name, subject in self.subjects.items():
            due = subject.counted.due
            if due is not None and due <= today.toordinal():
                self._evaluate(name, today)

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(area id, indicator id) → numerator and denominator, where anybody is counted."""
        return {row[:2]: row[2:] for row in self.counters.rows(CATALOGUE)}

    def _evaluate(self, name: str, today: date) -> None:
        subject = self.subjects[name]
        kind = next(kind for kind in EVALUATORS if name.startswith(f"{kind}:"))
        standing = EVALUATORS[kind].evaluate(subject.facts, today.toordinal())
        self.counters.move(subject.counted, standing)
        subject.counted = standing


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
