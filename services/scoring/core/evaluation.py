"""Evaluation: what a subject counts for today, from its facts and the catalogue.

Conditions become bits; the masks of populations and numerators are a function of those bits alone,
of which few distinct values occur, so they are remembered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from contracts.areas import Areas
from contracts.catalogue import (
    AgeCondition,
    All,
    AnyOf,
    Catalogue,
    Condition,
    Expression,
    FactCondition,
    LatestCondition,
    Not,
    Satisfied,
    SubjectRules,
)
from contracts.events import EVENT_MODELS
from contracts.subjects import SubjectKind
from contracts.times import local_ordinal
from services.scoring.core.facts import Facts, FactTable, Register, later, latest

#: Ordinals of days (``date.toordinal``) are plain integers: cheap to compare and to store.
Ordinal = int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subject counts: unit, bit masks of populations and numerators.

    `due` is the next day on which time alone could change unit or masks, None when it cannot.
    """

    area_id: str | None = None
    population: int = 0
    numerator: int = 0
    due: Ordinal | None = None


NOWHERE: Final = Standing()


@dataclass(frozen=True, slots=True)
class _Subject:
    """What conditions look at."""

    facts: Facts
    today: Ordinal
    birth: date | None


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A compiled condition: whether it holds, and the next day it could flip by itself."""

    holds: Callable[[_Subject], bool]
    flips: Callable[[_Subject], Ordinal | None] | None = None


_Formula = Callable[[int], bool]

#: Masks remembered at most; far more than occur together, so that garbage cannot fill the memory.
_MOST_MASKS: Final = 262_144


@lru_cache(maxsize=65_536)
def _parse_day(text: str) -> date:
    return date.fromisoformat(text)


def birthday(birth: date, age: int) -> Ordinal | None:
    """The day on which someone turns `age`; born on 29 February, 1 March of a common year.

    None beyond the year 9999.
    """
    year = birth.year + age
    if year > date.max.year:
        return None
    try:
        return birth.replace(year=year).toordinal()
    except ValueError:
        return date(year, 3, 1).toordinal()


def _fact_leaf(condition: FactCondition, rules: SubjectRules) -> _Leaf:
    slot = rules.fact(condition.fact).slot
    window = condition.within_days
    wanted = tuple((field, frozenset(values)) for field, values in condition.values.items())

    def holds(subject: _Subject) -> bool:
        register = subject.facts[slot]
        return register is not None and all(
            register.data.get(field) in values for field, values in wanted
        )

    if window is None:
        return _Leaf(holds)

    def holds_in_window(subject: _Subject) -> bool:
        register = subject.facts[slot]
        return register is not None and subject.today - local_ordinal(register.time) <= window

    def runs_out(subject: _Subject) -> Ordinal | None:
        register = subject.facts[slot]
        return None if register is None else local_ordinal(register.time) + window + 1

    return _Leaf(holds_in_window, runs_out)


def _latest_leaf(condition: LatestCondition, rules: SubjectRules) -> _Leaf:
    parts = []
    for name, field in condition.parts:
        fact = rules.fact(name)
        data = EVENT_MODELS[fact.event_type].model_fields["data"].annotation
        default = getattr(data, "model_fields", {})[field].get_default()
        parts.append((fact.slot, field, default))

    def holds(subject: _Subject) -> bool:
        found: Register | None = None
        value: object = None
        for slot, field, default in parts:
            register = subject.facts[slot]
            if register is not None and (found is None or later(register, found)):
                found, value = register, register.data.get(field, default)
        return found is not None and value == condition.value

    return _Leaf(holds)


def _age_leaf(condition: AgeCondition) -> _Leaf:
    lowest, highest = condition.age.lowest, condition.age.highest

    def bounds(birth: date) -> tuple[Ordinal | None, Ordinal | None]:
        return birthday(birth, lowest), None if highest is None else birthday(birth, highest + 1)

    def holds(subject: _Subject) -> bool:
        if subject.birth is None:
            return False
        begins, ends = bounds(subject.birth)
        return (begins is not None and begins <= subject.today) and (
            ends is None or subject.today < ends
        )

    def flips(subject: _Subject) -> Ordinal | None:
        if subject.birth is None:
            return None
        ahead = [day for day in bounds(subject.birth) if day is not None and day > subject.today]
        return min(ahead, default=None)

    return _Leaf(holds, flips)


def _leaf(condition: Condition, rules: SubjectRules) -> _Leaf:
    match condition:
        case FactCondition():
            return _fact_leaf(condition, rules)
        case LatestCondition():
            return _latest_leaf(condition, rules)
        case AgeCondition():
            return _age_leaf(condition)


class KindEvaluator:
    """Evaluates subjects of one kind."""

    def __init__(self, catalogue: Catalogue, rules: SubjectRules, areas: Areas) -> None:
        self.table: Final = FactTable(rules)
        self._catalogue = catalogue
        self._areas = areas
        self._present = rules.fact(rules.present).slot
        self._absent = rules.fact(rules.absent).slot
        self._area = [rules.fact(name).slot for name in rules.area]
        self._birth = None if rules.birth_date is None else rules.fact(rules.birth_date).slot
        self._rules = rules
        self._bit_of: dict[str, int] = {}
        self._leaves: list[_Leaf] = []
        self._formulas = [
            (1 << (indicator.bit or 0), *self._formulas_of(indicator.id))
            for indicator in catalogue.counted
            if catalogue.population_of(indicator).subject == rules.kind
        ]
        self._timed = [leaf.flips for leaf in self._leaves if leaf.flips is not None]
        self._masks: dict[int, tuple[int, int]] = {}
        self._located = lru_cache(maxsize=65_536)(self._locate)

    def evaluate(self, facts: Facts, today: Ordinal) -> Standing:
        """What a subject with these facts counts for on the local day `today`."""
        present, absent = facts[self._present], facts[self._absent]
        if present is None or (absent is not None and later(absent, present)):
            return NOWHERE
        residence = latest([facts[slot] for slot in self._area])
        if residence is None:
            return NOWHERE
        located = self._located(residence.data["area"], local_ordinal(residence.time), today)
        if located is None:
            return NOWHERE
        area_id, reformed = located
        subject = _Subject(facts, today, self._birth_of(facts))
        bits = 0
        for index, leaf in enumerate(self._leaves):
            if leaf.holds(subject):
                bits |= 1 << index
        population, numerator = self._masks_of(bits)
        ahead = [
            day for flips in self._timed if (day := flips(subject)) is not None and day > today
        ]
        if reformed is not None:
            ahead.append(reformed)
        return Standing(area_id, population, numerator, min(ahead, default=None))

    def _birth_of(self, facts: Facts) -> date | None:
        register = None if self._birth is None else facts[self._birth]
        return None if register is None else _parse_day(register.data["birth_date"])

    def _locate(self, code: str, on: Ordinal, today: Ordinal) -> tuple[str, Ordinal | None] | None:
        """The unit that stands today for a code of some day, and the day of its next reform."""
        area = self._areas.commune(code, date.fromordinal(on))
        if area is None:
            return None
        day = date.fromordinal(today)
        reform = self._areas.next_succession(area.area_id, day)
        ahead = None if reform is None else reform.toordinal()
        return self._areas.current(area.area_id, day), ahead

    def _masks_of(self, bits: int) -> tuple[int, int]:
        known = self._masks.get(bits)
        if known is None:
            population = numerator = 0
            for bit, counts, satisfies in self._formulas:
                if counts(bits):
                    population |= bit
                    if satisfies(bits):
                        numerator |= bit
            if len(self._masks) >= _MOST_MASKS:
                self._masks.clear()
            known = self._masks[bits] = (population, numerator)
        return known

    def _formulas_of(self, indicator_id: str) -> tuple[_Formula, _Formula]:
        indicator = self._catalogue.by_id[indicator_id]
        where = self._catalogue.population_of(indicator).where
        counts: _Formula = (lambda _: True) if where is None else self._compile(where)
        if indicator.numerator is None:
            raise ValueError(f"{indicator_id} is fed by reports and cannot be evaluated")
        return counts, self._compile(indicator.numerator)

    def _compile(self, expression: Expression) -> _Formula:
        match expression:
            case All(all=parts):
                every = [self._compile(part) for part in parts]
                return lambda bits: all(part(bits) for part in every)
            case AnyOf(any=parts):
                some = [self._compile(part) for part in parts]
                return lambda bits: any(part(bits) for part in some)
            case Not(negated=part):
                inner = self._compile(part)
                return lambda bits: not inner(bits)
            case Satisfied(indicator=other):
                numerator = self._catalogue.by_id[other].numerator
                if numerator is None:
                    raise ValueError(f"{other} is fed by reports and cannot be part of another")
                return self._compile(numerator)
            case str(name):
                mask = 1 << self._bit(name)
                return lambda bits: bits & mask != 0

    def _bit(self, name: str) -> int:
        if name not in self._bit_of:
            self._bit_of[name] = len(self._leaves)
            self._leaves.append(_leaf(self._catalogue.conditions[name], self._rules))
        return self._bit_of[name]


def evaluators(catalogue: Catalogue, areas: Areas) -> Mapping[SubjectKind, KindEvaluator]:
    """An evaluator for every kind of subject that has facts."""
    return {rules.kind: KindEvaluator(catalogue, rules, areas) for rules in catalogue.subjects}
