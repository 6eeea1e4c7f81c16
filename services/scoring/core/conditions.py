"""Conditions: yes-or-no questions to the facts of a subject and today, each a bit.

Compiled once for a kind of subject into a few tables, by what a question looks at: the data of a
register, the time of one, the later of several, or the age. Beside the bits comes the first day on
which time alone could change one.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from contracts.catalogue import (
    AgeCondition,
    Condition,
    FactCondition,
    LatestCondition,
    SubjectRules,
)
from contracts.events import EVENT_MODELS
from contracts.times import local_ordinal
from services.scoring.core.facts import Facts, Register, later

#: Ordinals of days (``date.toordinal``) are plain integers: cheap to compare and to store.
Ordinal = int

#: A day that no date reaches.
NEVER: Final = date.max.toordinal() + 1

#: Birthdays remembered at most; there are no more in a century.
_BIRTHDAYS: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Later:
    """The latest of several registers decides: its slot, field and what an absent field means."""

    bit: int
    parts: tuple[tuple[int, str, Any], ...]
    value: Any

    def holds(self, facts: Facts) -> bool:
        found: Register | None = None
        said: Any = None
        for slot, field, default in self.parts:
            register = facts[slot]
            if register is not None and (found is None or later(register, found)):
                found, said = register, register.data.get(field, default)
        return found is not None and bool(said == self.value)


class Conditions:
    """The conditions of one kind of subject; `bit_of` compiles one when it is first asked for."""

    def __init__(self, known: dict[str, Condition], rules: SubjectRules) -> None:
        self._known = known
        self._rules = rules
        self._bit_of: dict[str, int] = {}
        self._birth = None if rules.birth_date is None else rules.fact(rules.birth_date).slot
        self._said: list[tuple[int, tuple[tuple[str, frozenset[Any]], ...], int]] = []
        self._windows: list[tuple[int, int, int]] = []
        self._latest: list[_Later] = []
        self._ages: list[tuple[int, int | None, int]] = []
        self._age_days = lru_cache(_BIRTHDAYS)(self._days_of_ages)

    def bit_of(self, name: str) -> int:
        """The number of a condition's bit.

        Raises:
            KeyError: when the catalogue has no such condition, or the subject no such fact.
        """
        if name not in self._bit_of:
            self._bit_of[name] = len(self._bit_of)
            self._compile(self._known[name], 1 << self._bit_of[name])
        return self._bit_of[name]

    def ask(self, facts: Facts, today: Ordinal) -> tuple[int, Ordinal]:
        """The bits that hold today, and the first later day on which one could flip by itself."""
        bits, due = self._of_windows(facts, today)
        born = None if self._birth is None else facts[self._birth]
        if born is not None:
            for begins, ends, bit in self._age_days(born.data["birth_date"]):
                if today < begins:
                    due = min(due, begins)
                elif today < ends:
                    bits |= bit
                    due = min(due, ends)
        return bits | self._of_data(facts), due

    def _of_windows(self, facts: Facts, today: Ordinal) -> tuple[int, Ordinal]:
        bits = 0
        due = NEVER
        for slot, days, bit in self._windows:
            register = facts[slot]
            if register is not None:
                ends = local_ordinal(register.time) + days + 1
                if today < ends:
                    bits |= bit
                    due = min(due, ends)
        return bits, due

    def _of_data(self, facts: Facts) -> int:
        bits = 0
        for slot, wanted, bit in self._said:
            register = facts[slot]
            if register is not None:
                data = register.data
                for field, values in wanted:
                    if data.get(field) not in values:
                        break
                else:
                    bits |= bit
        for condition in self._latest:
            if condition.holds(facts):
                bits |= condition.bit
        return bits

    def _compile(self, condition: Condition, bit: int) -> None:
        match condition:
            case FactCondition(fact=name, values=values, within_days=days):
                slot = self._rules.fact(name).slot
                wanted = tuple((field, frozenset(allowed)) for field, allowed in values.items())
                if days is not None:
                    self._windows.append((slot, days, bit))
                else:
                    self._said.append((slot, wanted, bit))
            case LatestCondition():
                self._latest.append(self._later(condition, bit))
            case AgeCondition(age=age):
                self._ages.append((age.lowest, age.highest, bit))
                self._age_days.cache_clear()

    def _later(self, condition: LatestCondition, bit: int) -> _Later:
        parts = []
        for name, field in condition.parts:
            fact = self._rules.fact(name)
            data = EVENT_MODELS[fact.event_type].model_fields["data"].annotation
            default = getattr(data, "model_fields", {})[field].get_default()
            parts.append((fact.slot, field, default))
        return _Later(bit, tuple(parts), condition.value)

    def _days_of_ages(self, birth: str) -> tuple[tuple[Ordinal, Ordinal, int], ...]:
        """First day of each age condition, the day after its last one, and its bit."""
        born = date.fromisoformat(birth)
        return tuple(
            (birthday(born, lowest), NEVER if highest is None else birthday(born, highest + 1), bit)
            for lowest, highest, bit in self._ages
        )


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
