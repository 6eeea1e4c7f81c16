"""A shard counted over: what its subjects should count for, beside what they have been counted as."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contracts.catalogue import Catalogue
from contracts.subjects import SubjectKind
from services.scoring.core.conditions import NEVER
from services.scoring.core.counting import DENOMINATOR, NUMERATOR
from services.scoring.core.rules import Rules
from services.scoring.core.state import ShardState
from services.scoring.core.subjects import Standings, Subjects
from services.scoring.core.territory import NOWHERE

#: What is shown of a key: enough to tell two apart, too little to find a person by.
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Expected:
    """What subjects of a kind should have been counted as, and the rows where they have not."""

    standings: Standings
    wrong: NDArray[np.int64]


def expected(
    state: ShardState, kind: SubjectKind, rules: Rules, today: int, evaluated_on: int
) -> Expected:
    """Evaluate everybody of a kind from the facts.

    Whom time alone has changed since, and whom the daily step has still to take up, is evaluated as
    of the day before that change: that is what is to be counted until the step comes.

    Args:
        state: of the shard.
        kind: of subject.
        rules: that it has been counted under.
        today: a local day on or after all on which the shard was evaluated.
        evaluated_on: the day that the daily step has done.
    """
    subjects, evaluator = state.subjects[kind], rules.evaluators[kind]
    counted = subjects.standings
    rows = subjects.all_rows()
    found = evaluator.evaluate(subjects, rows, today)
    waiting = (counted.due > evaluated_on) & (counted.due <= today)
    for day in np.unique(counted.due[waiting]).tolist():
        of_day = rows[waiting & (counted.due == day)]
        before = evaluator.evaluate(subjects, of_day, day - 1)
        found.areas[of_day], found.due[of_day] = before.areas, before.due
        found.populations[of_day] = before.populations
        found.numerators[of_day] = before.numerators
    different = np.zeros(len(rows), np.bool_)
    for known, right in zip(counted, found, strict=True):
        different |= known != right
    return Expected(found, np.flatnonzero(different))


def describe(
    subjects: Subjects, row: int, counted: Standings, right: Standings, rules: Rules
) -> str:
    """What is wrong with a subject."""
    one, other = _one(counted, row), _one(right, row)
    parts = []
    if one[0] != other[0]:
        parts.append(f"is counted in {_unit(one[0], rules)}, belongs to {_unit(other[0], rules)}")
    for what, place in (("population", 1), ("numerator", 2)):
        extra = _names(one[place] & ~other[place], rules.catalogue)
        lacking = _names(other[place] & ~one[place], rules.catalogue)
        parts += [f"is in the {what} of {extra} and should not be"] if extra else []
        parts += [f"is missing in the {what} of {lacking}"] if lacking else []
    if one[3] != other[3]:
        parts.append(f"is due {_day(one[3])}, should be {_day(other[3])}")
    return f"{name(subjects, row)} {'; '.join(parts)}"


def wrong_counters(state: ShardState, rules: Rules) -> Iterator[str]:
    """The counters that are not the sum of what subjects have been counted as."""
    recounted = state.recount()
    names = {one.bit: one.id for one in rules.catalogue.counted}
    places = np.argwhere((recounted != state.counts).any(axis=1))
    for unit, bit in places.tolist():
        had, has = state.counts[unit, :, bit], recounted[unit, :, bit]
        yield (
            f"{rules.territory.area_ids[unit]} {names.get(bit, f'bit {bit}')} "
            f"is {had[NUMERATOR]} / {had[DENOMINATOR]}, "
            f"its subjects are {has[NUMERATOR]} / {has[DENOMINATOR]}"
        )


def name(subjects: Subjects, row: int) -> str:
    """A subject, by its kind and the beginning of its key."""
    first, second = subjects.keys[row].tolist()
    return f"{subjects.kind}:{(first.to_bytes(8) + second.to_bytes(8)).hex()[:_SHOWN]}…"


def _one(standings: Standings, row: int) -> tuple[int, int, int, int]:
    area, population, numerator, due = (int(column[row]) for column in standings)
    return area, population, numerator, due


def _unit(place: int, rules: Rules) -> str:
    return "no unit" if place == NOWHERE else rules.territory.area_ids[place]


def _names(mask: int, catalogue: Catalogue) -> str:
    known = {one.bit: one.id for one in catalogue.counted}
    bits = [bit for bit in range(64) if mask >> bit & 1]
    return ", ".join(known.get(bit, f"bit {bit}") for bit in bits)


def _day(ordinal: int) -> str:
    return "never" if ordinal == NEVER else date.fromordinal(ordinal).isoformat()
