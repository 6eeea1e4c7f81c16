"""What a new catalogue says otherwise than the former one, in words for who decides on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.canonical import canonical_json
from contracts.catalogue import (
    All,
    AnyOf,
    Catalogue,
    Condition,
    Expression,
    Fact,
    Indicator,
    Not,
    Population,
    Satisfied,
)
from contracts.indicator_table import rule
from contracts.subjects import SubjectKind

#: What of an indicator counts nobody elsewhere, but is read by people or asked of the pace.
_SAID: Final = ("name", "set", "feed", "unit", "targets", "baseline", "source", "note")
_REPORTED: Final = "reported by units"


class Kind(StrEnum):
    """What becomes of an indicator."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class IndicatorChange:
    """What becomes of an indicator, and what is said otherwise of it, a line each."""

    indicator: str
    kind: Kind
    says: tuple[str, ...]


def indicator_changes(before: Catalogue, after: Catalogue) -> list[IndicatorChange]:
    """What becomes of indicators: those of the new catalogue in its order, then the removed ones."""
    found = []
    for one in after:
        known = before.by_id.get(one.id)
        if known is None:
            found.append(IndicatorChange(one.id, Kind.ADDED, tuple(_introduced(after, one))))
        elif lines := tuple(_otherwise(before, known, after, one)):
            found.append(IndicatorChange(one.id, Kind.CHANGED, lines))
    gone = [one for one in before if one.id not in after.by_id]
    return [*found, *(IndicatorChange(one.id, Kind.REMOVED, ()) for one in gone)]


def new_facts(before: Catalogue, after: Catalogue) -> list[tuple[SubjectKind, Fact]]:
    """The facts that the former catalogue does not keep: empty until an event or a rebuild."""
    return [
        (rules.kind, fact)
        for rules in after.subjects
        for fact in rules.facts
        if rules.kind not in before.by_kind
        or fact.slot not in {known.slot for known in before.by_kind[rules.kind].facts}
    ]


def _introduced(catalogue: Catalogue, one: Indicator) -> Iterator[str]:
    if one.numerator is None:
        yield _REPORTED
        return
    yield f"who counts: {_who(catalogue.population_of(one))}"
    yield f"counted when: {rule(one.numerator)}"


def _otherwise(
    before: Catalogue, known: Indicator, after: Catalogue, one: Indicator
) -> Iterator[str]:
    was, now = _counting(before, known), _counting(after, one)
    for what, said in now.items():
        if what not in was:
            yield f"{what}: {said}"
        elif was[what] != said:
            yield f"{what}: {was[what]} → {said}"
    for name in _SAID:
        if getattr(known, name) != getattr(one, name):
            yield f"another {name}"


def _counting(catalogue: Catalogue, one: Indicator) -> dict[str, str]:
    """All that decides who counts for an indicator, each with what it says."""
    if one.numerator is None:
        return {"counted when": _REPORTED}
    population = catalogue.population_of(one)
    asked = set(_conditions(catalogue, one.numerator))
    if population.where is not None:
        asked |= set(_conditions(catalogue, population.where))
    return {
        "counted when": rule(one.numerator),
        "who counts": _who(population),
        **{f"condition {name}": _text(catalogue.conditions[name]) for name in sorted(asked)},
    }


def _who(population: Population) -> str:
    where = "" if population.where is None else f" with {rule(population.where)}"
    return f"{population.text.en} (each {population.subject}{where})"


def _text(condition: Condition) -> str:
    return canonical_json(condition.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _conditions(catalogue: Catalogue, expression: Expression) -> Iterator[str]:
    """The conditions that an expression asks, also through indicators that it names."""
    match expression:
        case All(all=parts) | AnyOf(any=parts):
            for part in parts:
                yield from _conditions(catalogue, part)
        case Not(negated=part):
            yield from _conditions(catalogue, part)
        case Satisfied(indicator=other):
            numerator = catalogue.by_id[other].numerator
            if numerator is not None:
                yield from _conditions(catalogue, numerator)
        case str(name):
            yield name
