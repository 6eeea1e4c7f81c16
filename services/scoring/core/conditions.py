"""Conditions: yes-or-no questions to the facts of subjects and today, each a bit.

Compiled once for a kind of subject into a few tables, by what a question looks at: the data of a
register, the time of one, the later of several, or the age. All subjects of a batch are asked at
once. Beside the bits comes the first day on which time alone could change one.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from contracts.catalogue import (
    AgeCondition,
    CatalogueError,
    Condition,
    FactCondition,
    LatestCondition,
    SubjectRules,
)
from contracts.events import EVENT_MODELS
from services.scoring.core.coding import Place, coding
from services.scoring.core.subjects import Facts, Rows
from services.scoring.core.texts import Marks, local_ordinals

#: Ordinals of days (``date.toordinal``) are plain integers: cheap to compare and to store.
Ordinal = int
Ordinals = NDArray[np.int64]

#: A day that no date reaches.
NEVER: Final = np.iinfo(np.int32).max

#: As many bits as an integer has beside its sign.
_MOST: Final = 63

#: Birthdays remembered at most; there are no more in a century.
_BIRTHDAYS: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Said:
    """The data of a register have these values: a table for each field, by what stands in it."""

    slot: int
    fields: tuple[tuple[int, int, Marks], ...]
    bit: int


@dataclass(frozen=True, slots=True)
class _Later:
    """The latest of several registers decides: its slot, and which places in a field say yes."""

    parts: tuple[tuple[int, int, int, Marks], ...]
    bit: int


class Conditions:
    """The conditions of one kind of subject; `bit_of` compiles one when it is first asked for."""

    def __init__(self, known: dict[str, Condition], rules: SubjectRules) -> None:
        self._known = known
        self._rules = rules
        self._bit_of: dict[str, int] = {}
        self._birth: tuple[int, Place] | None = None
        if rules.birth_date is not None:
            fact = rules.fact(rules.birth_date)
            self._birth = fact.slot, coding(fact.event_type).place("birth_date")
        self._said: list[_Said] = []
        self._windows: list[tuple[int, int, int]] = []
        self._latest: list[_Later] = []
        self._ages: list[tuple[int, int | None, int]] = []
        # Days of ages by birth date: the place of each rank, and the days at the places.
        self._births: dict[int, int] = {}
        self._birth_days: Ordinals = np.empty((0, 0, 2), np.int64)

    def bit_of(self, name: str) -> int:
        """The number of a condition's bit.

        Raises:
            KeyError: when the catalogue has no such condition, or the subject no such fact.
            CatalogueError: when there are too many conditions for the bits of a number.
        """
        if name not in self._bit_of:
            if len(self._bit_of) >= _MOST:
                raise CatalogueError(
                    f"populations and numerators of subjects of kind {self._rules.kind} ask for more "
                    f"than {_MOST} different conditions; ask for fewer"
                )
            self._bit_of[name] = len(self._bit_of)
            self._compile(self._known[name], 1 << self._bit_of[name])
        return self._bit_of[name]

    def ask(self, subjects: Facts, rows: Rows, today: Ordinal) -> tuple[Ordinals, Ordinals]:
        """The bits that hold today, and the first later days on which one could flip by itself."""
        bits = np.zeros(len(rows), np.int64)
        due = np.full(len(rows), NEVER, np.int64)
        self._ask_windows(subjects, rows, today, bits, due)
        self._ask_ages(subjects, rows, today, bits, due)
        self._ask_data(subjects, rows, bits)
        return bits, due

    def _ask_windows(
        self, subjects: Facts, rows: Rows, today: Ordinal, bits: Ordinals, due: Ordinals
    ) -> None:
        for slot, days, bit in self._windows:
            places = subjects.register(rows, slot)
            there = np.flatnonzero(places)
            ends = local_ordinals(subjects.times(places[there])) + (days + 1)
            open_ = today < ends
            inside = there[open_]
            bits[inside] |= bit
            due[inside] = np.minimum(due[inside], ends[open_])

    def _ask_ages(
        self, subjects: Facts, rows: Rows, today: Ordinal, bits: Ordinals, due: Ordinals
    ) -> None:
        if self._birth is None or not self._ages:
            return
        slot, place = self._birth
        ranks = subjects.codes(subjects.register(rows, slot)) >> place.shift & place.mask
        days = self._days_of_births(ranks)
        for number, (_, _, bit) in enumerate(self._ages):
            begins, ends = days[:, number, 0], days[:, number, 1]
            before = today < begins
            inside = ~before & (today < ends)
            bits[inside] |= bit
            ahead = np.where(before, begins, np.where(inside, ends, NEVER))
            np.minimum(due, ahead, out=due)

    def _ask_data(self, subjects: Facts, rows: Rows, bits: Ordinals) -> None:
        known: dict[int, Ordinals] = {}

        def places(slot: int) -> Ordinals:
            found = known.get(slot)
            if found is None:
                found = known[slot] = subjects.register(rows, slot)
            return found

        codes: dict[int, Ordinals] = {}
        for said in self._said:
            if said.slot not in codes:
                codes[said.slot] = subjects.codes(places(said.slot))
            holds = places(said.slot) > 0
            for shift, mask, table in said.fields:
                holds = holds & table[codes[said.slot] >> shift & mask]
            bits[holds] |= said.bit
        for latest in self._latest:
            found, answers = self._answer(subjects, latest, places)
            bits[(found > 0) & answers] |= latest.bit

    def _answer(self, subjects: Facts, latest: _Later, places: Any) -> tuple[Ordinals, Marks]:
        (slot, shift, mask, table), *others = latest.parts
        at = places(slot)
        answers = table[subjects.codes(at) >> shift & mask]
        slots = np.full(len(at), slot)
        for other, shift, mask, table in others:
            candidate = places(other)
            after = _later(subjects, (other, candidate), (slots, at))
            answers = np.where(after, table[subjects.codes(candidate) >> shift & mask], answers)
            slots = np.where(after, other, slots)
            at = np.where(after, candidate, at)
        return at, answers

    def _compile(self, condition: Condition, bit: int) -> None:
        match condition:
            case FactCondition(fact=name, values=values, within_days=days):
                fact = self._rules.fact(name)
                if days is not None:
                    self._windows.append((fact.slot, days, bit))
                    return
                code = coding(fact.event_type)
                fields = []
                for field, wanted in values.items():
                    place = code.place(field)
                    fields.append((place.shift, place.mask, _table(place, wanted)))
                self._said.append(_Said(fact.slot, tuple(fields), bit))
            case LatestCondition():
                self._latest.append(self._later(condition, bit))
            case AgeCondition(age=age):
                self._ages.append((age.lowest, age.highest, bit))
                self._births.clear()
                self._birth_days = np.empty((0, len(self._ages), 2), np.int64)

    def _later(self, condition: LatestCondition, bit: int) -> _Later:
        parts = []
        for name, field in condition.parts:
            fact = self._rules.fact(name)
            data = EVENT_MODELS[fact.event_type].model_fields["data"].annotation
            absent = getattr(data, "model_fields", {})[field].get_default()
            place = coding(fact.event_type).place(field)
            table = _table(place, (condition.value,))
            table[0] = absent == condition.value
            parts.append((fact.slot, place.shift, place.mask, table))
        return _Later(tuple(parts), bit)

    def _days_of_births(self, ranks: Ordinals) -> Ordinals:
        """(n, ages, 2) first days of ages and the days after their last, by ranks of birth dates."""
        born, inverse = np.unique(ranks, return_inverse=True)
        known = self._births
        if len(known) > _BIRTHDAYS:
            known.clear()
            self._birth_days = self._birth_days[:0]
        unknown = [rank for rank in born.tolist() if rank not in known]
        if unknown:
            new = np.array([self._days_of_ages(rank) for rank in unknown], np.int64)
            self._births.update(zip(unknown, range(len(known), len(known) + len(new)), strict=True))
            self._birth_days = np.concatenate(
                (self._birth_days, new.reshape(-1, len(self._ages), 2))
            )
        places = np.array([known[rank] for rank in born.tolist()], np.int64)
        days: Ordinals = self._birth_days[places[inverse]]
        return days

    def _days_of_ages(self, rank: int) -> list[Ordinal]:
        """First day of each age condition and the day after its last one, of one birth date.

        A rank of 0 is a birth that nobody told of: no age ever begins.
        """
        days: list[Ordinal] = []
        for lowest, highest, _ in self._ages:
            if rank == 0:
                days += [NEVER, NEVER]
            else:
                born = date.fromordinal(rank)
                ends = NEVER if highest is None else birthday(born, highest + 1)
                days += [birthday(born, lowest), ends]
        return days


def _table(place: Place, wanted: tuple[Any, ...]) -> Marks:
    """For whatever stands in a field's place: whether it is one of these values."""
    table = np.zeros(place.mask + 1, np.bool_)
    for value in wanted:
        table[place.of(value)] = True
    return table


def _later(
    subjects: Facts,
    one: tuple[int, Ordinals],
    other: tuple[Ordinals, Ordinals],
) -> Marks:
    """Where a fact's register comes after the one that is the latest so far."""
    slot, places = one
    slots, others = other
    after = np.zeros(len(places), np.bool_)
    for before in np.unique(slots):
        of = np.flatnonzero(slots == before)
        after[of] = subjects.later((slot, places[of]), (int(before), others[of]))
    return after


def latest(subjects: Facts, rows: Rows, slots: list[int]) -> tuple[Ordinals, Ordinals]:
    """The slots and places of the latest of several facts; place 0 where there is none."""
    at = subjects.register(rows, slots[0])
    chosen = np.full(len(rows), slots[0])
    for slot in slots[1:]:
        candidate = subjects.register(rows, slot)
        after = _later(subjects, (slot, candidate), (chosen, at))
        at = np.where(after, candidate, at)
        chosen = np.where(after, slot, chosen)
    return chosen, at


def birthday(birth: date, age: int) -> Ordinal:
    """The day on which someone turns `age`; born on 29 February, 1 March of a common year.

    `NEVER` beyond the year 9999.
    """
    year = birth.year + age
    if year > date.max.year:
        return NEVER
    try:
        return birth.replace(year=year).toordinal()
    except ValueError:
        return date(year, 3, 1).toordinal()
