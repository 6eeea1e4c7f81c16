"""Evaluation: what subjects count for today, from their facts and the catalogue.

Conditions become bits; the masks of populations and numerators are a function of those bits alone,
so they are remembered.
"""

from typing import Final

import numpy as np

from contracts.catalogue import Catalogue, SubjectRules
from contracts.subjects import SubjectKind
from services.scoring.core.coding import coding
from services.scoring.core.conditions import NEVER, Conditions, Ordinal, Ordinals, latest
from services.scoring.core.formulas import ALWAYS, Formula, formula
from services.scoring.core.subjects import Facts, Rows, Standings
from services.scoring.core.territory import NOWHERE, Territory
from services.scoring.core.texts import local_ordinals

#: Masks remembered at most; far more than occur together, so that garbage cannot fill the memory.
_MOST_MASKS: Final = 65_536


class KindEvaluator:
    """Evaluates subjects of one kind."""

    def __init__(self, catalogue: Catalogue, rules: SubjectRules, territory: Territory) -> None:
        self.rules: Final = rules
        self._territory = territory
        self._present = rules.fact(rules.present).slot
        self._absent = rules.fact(rules.absent).slot
        facts = [rules.fact(name) for name in rules.area]
        self._area = [fact.slot for fact in facts]
        self._area_places = {fact.slot: coding(fact.event_type).place("area") for fact in facts}
        self._conditions = Conditions(catalogue.conditions, rules)
        self._formulas = _formulas(catalogue, rules.kind, self._conditions)
        self._masks: dict[int, tuple[int, int]] = {}

    def evaluate(self, subjects: Facts, rows: Rows, today: Ordinal) -> Standings:
        """What subjects count for on the local day `today`."""
        areas, reformed = self._locate(subjects, rows, today)
        bits, flips = self._conditions.ask(subjects, rows, today)
        unique, inverse = np.unique(bits, return_inverse=True)
        masks = np.array([self._masks_of(int(one)) for one in unique], np.uint64).reshape(-1, 2)
        there = areas != NOWHERE
        due = np.where(there, np.minimum(flips, reformed), NEVER)
        return Standings(
            areas.astype(np.int32),
            np.where(there, masks[inverse, 0], 0).astype(np.uint64),
            np.where(there, masks[inverse, 1], 0).astype(np.uint64),
            due.astype(np.int32),
        )

    def _locate(self, subjects: Facts, rows: Rows, today: Ordinal) -> tuple[Ordinals, Ordinals]:
        """The units in which subjects stand today, and the days of their units' next reforms."""
        present = subjects.register(rows, self._present)
        absent = subjects.register(rows, self._absent)
        gone = subjects.later((self._absent, absent), (self._present, present))
        slots, places = latest(subjects, rows, self._area)
        codes = np.zeros(len(rows), np.int64)
        for slot, place in self._area_places.items():
            of = slots == slot
            codes[of] = subjects.codes(places[of]) >> place.shift & place.mask
        here = (present > 0) & ~gone & (places > 0) & (codes > 0)
        areas = np.full(len(rows), NOWHERE, np.int64)
        reformed = np.full(len(rows), NEVER, np.int64)
        days = local_ordinals(subjects.times(places[here]))
        areas[here], reformed[here] = self._territory.stand(codes[here] - 1, days, today)
        return areas, reformed

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
