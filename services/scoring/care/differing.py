"""``nhipso catalogue diff``: who would gain or lose what under a new catalogue.

All subjects are evaluated from their facts under the present catalogue and under the new one, as of
today. Each shard is read in one snapshot; nothing is written.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from contracts.areas import Areas
from contracts.catalogue import Catalogue, dumped
from contracts.rule_changes import IndicatorChange, indicator_changes, new_facts
from contracts.subjects import SubjectKind
from contracts.times import local_day
from services.chassis.clock import Clock
from services.scoring.care.schemas import Hear, one_moment, read_only
from services.scoring.care.switching import SQL
from services.scoring.core.counting import BITS, DENOMINATOR, NUMERATOR, Counts, differences
from services.scoring.core.rules import Rules
from services.scoring.core.state import ShardState
from services.scoring.core.subjects import Standings, nowhere
from services.scoring.store import load
from services.scoring.taking_up import read_present, refuse_misreading


@dataclass(frozen=True, slots=True)
class Share:
    """How many count, and how many of them have it: a denominator and a numerator."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What becomes of an indicator in a unit, or in all of them together.

    Args:
        indicator: its id.
        area_id: the unit itself, without those below it; None for all units.
        before: under the present catalogue.
        after: under the new one.
        gained: subjects that come into the numerator and into the population.
        lost: subjects that leave them.
    """

    indicator: str
    area_id: str | None
    before: Share
    after: Share
    gained: Share
    lost: Share


@dataclass(frozen=True, slots=True)
class Differing:
    """What a new catalogue would change.

    Args:
        present: fingerprint of the catalogue that was taken up last.
        new: fingerprint of the new one. The same means that nobody would count otherwise.
        subjects: how many were evaluated.
        indicators: which come, go, or are said otherwise.
        empty_facts: facts of which nothing has been kept, as ``kind/name``.
        totals: over all units, of each indicator in which anybody gains or loses.
        by_unit: the same in each unit.
    """

    present: str
    new: str
    subjects: int
    indicators: list[IndicatorChange]
    empty_facts: list[str]
    totals: list[Difference]
    by_unit: list[Difference]


async def differ(dsn: str, new: Catalogue, areas: Areas, clock: Clock, hear: Hear) -> Differing:
    """Evaluate everybody under both catalogues.

    Raises:
        CareError, CatalogueError: there is no state, or the new catalogue must not be used on it.
        services.scoring.core.packing.PackError: stored state cannot be read.
        asyncpg.PostgresError, OSError: the server does not answer.
    """
    async with read_only(dsn) as connection:
        present = await read_present(connection)
        await refuse_misreading(connection, new)
        run = _Run(present, new, areas, local_day(clock.now()).toordinal())
        shards = [row["shard"] for row in await connection.fetch(SQL["read_shards"])]
        for number, shard in enumerate(shards, start=1):
            async with one_moment(connection):
                stored = await load(connection, shard, run.both)
            await asyncio.to_thread(run.evaluate, stored.state)
            hear("evaluate", number, len(shards))
    return Differing(
        present=present.fingerprint,
        new=new.fingerprint,
        subjects=run.subjects,
        indicators=indicator_changes(present, new),
        empty_facts=[f"{kind}/{fact.name}" for kind, fact in new_facts(present, new)],
        totals=run.totals(),
        by_unit=run.by_unit(),
    )


class _Run:
    """One comparison. Counts are (unit, 2, bit), as those of a shard."""

    def __init__(self, present: Catalogue, new: Catalogue, areas: Areas, today: int) -> None:
        #: What the state is read by: the facts of both.
        self.both: Final = Rules(_with_facts_of(present, new), areas)
        self._before = Rules(present, areas)
        self._after = Rules(new, areas)
        self._today = today
        self.subjects = 0
        shape = (len(self.both.territory.area_ids), 2, BITS)
        self._counts: Mapping[str, Counts] = {
            name: np.zeros(shape, np.int64) for name in ("before", "after", "gained", "lost")
        }

    def evaluate(self, state: ShardState) -> None:
        """Evaluate the subjects of a shard under both."""
        for kind, subjects in state.subjects.items():
            self.subjects += subjects.count
            before = self._standings(self._before, kind, state)
            after = self._standings(self._after, kind, state)
            self._add("before", before)
            self._add("after", after)
            self._add("gained", _only(after, before))
            self._add("lost", _only(before, after))

    def totals(self) -> list[Difference]:
        """Over all units."""
        return self._differences(
            {name: counts.sum(axis=0) for name, counts in self._counts.items()}
        )

    def by_unit(self) -> list[Difference]:
        """Of each unit in which anybody gains or loses."""
        moved = (self._counts["gained"] + self._counts["lost"]).any(axis=(1, 2))
        return [
            one
            for unit in np.flatnonzero(moved).tolist()
            for one in self._differences(
                {name: counts[unit] for name, counts in self._counts.items()},
                self.both.territory.area_ids[unit],
            )
        ]

    def _standings(self, rules: Rules, kind: SubjectKind, state: ShardState) -> Standings:
        subjects, evaluator = state.subjects[kind], rules.evaluators.get(kind)
        if evaluator is None:
            return nowhere(subjects.count)
        return evaluator.evaluate(subjects, subjects.all_rows(), self._today)

    def _add(self, name: str, standings: Standings) -> None:
        units, amounts = differences(nowhere(len(standings.areas)), standings)
        self._counts[name][units] += amounts

    def _differences(
        self, counts: Mapping[str, Counts], area_id: str | None = None
    ) -> list[Difference]:
        names = {
            one.bit: one.id
            for catalogue in (self._before.catalogue, self._after.catalogue)
            for one in catalogue.counted
        }
        bits = np.flatnonzero((counts["gained"] + counts["lost"]).any(axis=0)).tolist()
        return [
            Difference(
                names[bit], area_id, **{name: _share(of, bit) for name, of in counts.items()}
            )
            for bit in bits
        ]


def _share(counts: Counts, bit: int) -> Share:
    return Share(int(counts[NUMERATOR, bit]), int(counts[DENOMINATOR, bit]))


def _only(one: Standings, other: Standings) -> Standings:
    """What subjects count for in one and not in the other; another unit is another count."""
    same = one.areas == other.areas
    return one._replace(
        populations=np.where(same, one.populations & ~other.populations, one.populations),
        numerators=np.where(same, one.numerators & ~other.numerators, one.numerators),
    )


def _with_facts_of(present: Catalogue, new: Catalogue) -> Catalogue:
    """The new catalogue, with the facts of the present one that it has given up."""
    form, former = dumped(new), dumped(present)
    facts_of = {rules["kind"]: rules["facts"] for rules in form["subjects"]}
    for rules in former["subjects"]:
        facts = facts_of.get(rules["kind"])
        if facts is None:
            form["subjects"].append(rules)
            continue
        slots = {fact["slot"] for fact in facts}
        facts += [
            # Its name may be another fact's by now; nothing asks for it by name.
            fact | {"name": f"given-up-{fact['slot']}"}
            for fact in rules["facts"]
            if fact["slot"] not in slots
        ]
    return Catalogue.model_validate(form)
