"""Evaluation: what a subject counts for today, from its facts and the catalogue.

Conditions become bits; the masks of populations and numerators are a function of those bits alone,
so they are remembered.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

import msgspec

from contracts.areas import Areas
from contracts.catalogue import Catalogue, SubjectRules
from contracts.subjects import SubjectKind
from contracts.times import local_ordinal
from services.scoring.core.conditions import NEVER, Conditions, Ordinal
from services.scoring.core.facts import Facts, FactTable, later, latest
from services.scoring.core.formulas import ALWAYS, Formula, formula

#: Masks remembered at most; far more than occur together, so that garbage cannot fill the memory.
_MOST_MASKS: Final = 262_144


class Standing(msgspec.Struct, frozen=True, gc=False):
    """Where a subject counts: unit, bit masks of populations and numerators.

    `due` is the next day on which time alone could change the masks, None when it cannot.
    """

    area_id: str | None = None
    population: int = 0
    numerator: int = 0
    due: Ordinal | None = None


NOWHERE: Final = Standing()


class KindEvaluator:
    """Evaluates subjects of one kind."""

    def __init__(self, catalogue: Catalogue, rules: SubjectRules, areas: Areas) -> None:
        self.table: Final = FactTable(rules)
        self._areas = areas
        self._present = rules.fact(rules.present).slot
        self._absent = rules.fact(rules.absent).slot
        self._area = [rules.fact(name).slot for name in rules.area]
        self._conditions = Conditions(catalogue.conditions, rules)
        self._formulas = _formulas(catalogue, rules.kind, self._conditions)
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
        bits, flips = self._conditions.ask(facts, today)
        population, numerator = self._masks_of(bits)
        due = min(flips, reformed)
        return Standing(area_id, population, numerator, None if due == NEVER else due)

    def _locate(self, code: str, on: Ordinal, today: Ordinal) -> tuple[str, Ordinal] | None:
        """The unit that stands today for a code of some day, and the day of its next reform."""
        area = self._areas.commune(code, date.fromordinal(on))
        if area is None:
            return None
        day = date.fromordinal(today)
        reform = self._areas.next_succession(area.area_id, day)
        return self._areas.current(
            area.area_id, day
        ), NEVER if reform is None else reform.toordinal()

    def _masks_of(self, bits: int) -> tuple[int, int]:
        known = self._masks.get(bits)
        if known is None:
            population = numerator = 0
            for counts, members in self._formulas:
                if counts.holds(bits):
                    for bit, satisfied in members:
                        population |= bit
                        if satisfied.holds(bits):
                            numerator |= bit
            if len(self._masks) >= _MOST_MASKS:
                self._masks.clear()
            known = self._masks[bits] = (population, numerator)
        return known


def evaluators(catalogue: Catalogue, areas: Areas) -> Mapping[SubjectKind, KindEvaluator]:
    """An evaluator for every kind of subject that has facts."""
    return {rules.kind: KindEvaluator(catalogue, rules, areas) for rules in catalogue.subjects}


def _formulas(
    catalogue: Catalogue, kind: SubjectKind, conditions: Conditions
) -> list[tuple[Formula, list[tuple[int, Formula]]]]:
    """Each population of a kind, with the bits and numerators of the indicators that count in it."""
    found: dict[Formula, list[tuple[int, Formula]]] = {}
    for indicator in catalogue.counted:
        population = catalogue.population_of(indicator)
        if population.subject != kind or indicator.numerator is None or indicator.bit is None:
            continue
        where = population.where
        counts = ALWAYS if where is None else formula(where, catalogue, conditions.bit_of)
        satisfied = formula(indicator.numerator, catalogue, conditions.bit_of)
        found.setdefault(counts, []).append((1 << indicator.bit, satisfied))
    return list(found.items())
