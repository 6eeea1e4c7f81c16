"""Refuses a catalogue that does not hold together; every message names the entry that is wrong."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from contracts.catalogue.model import (
    AgeCondition,
    All,
    AnyOf,
    Catalogue,
    Expression,
    FactCondition,
    Indicator,
    LatestCondition,
    Not,
    Satisfied,
    SubjectRules,
)
from contracts.events import EVENT_MODELS, domain_of
from contracts.subjects import SubjectKind

#: What feeds an indicator that is made of others.
COMPOSITE: Final = "composite"

_FEEDS: Final = {domain_of(event_type) for event_type in EVENT_MODELS} | {COMPOSITE}


class CatalogueError(ValueError):
    """A catalogue that cannot be used, with the place that is wrong."""


def check(catalogue: Catalogue) -> None:
    """Check what goes beyond the form of single entries.

    Raises:
        CatalogueError: naming the entry that is wrong.
    """
    _refuse_twice("kind of subject", (rules.kind for rules in catalogue.subjects))
    _refuse_twice("population", (population.name for population in catalogue.populations))
    _refuse_twice("indicator", (indicator.id for indicator in catalogue.indicators))
    _check_bits(catalogue)
    for rules in catalogue.subjects:
        _check_subject(rules)
    for population in catalogue.populations:
        if population.where is not None:
            _check_expression(catalogue, population.where, population.subject, population.name)
    for indicator in catalogue.indicators:
        _check_indicator(catalogue, indicator)


def _refuse_twice(what: str, names: Iterable[Hashable]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise CatalogueError(f"the {what} {name} stands {times} times; one must go")


def _check_bits(catalogue: Catalogue) -> None:
    owners: dict[int | None, str] = {}
    for indicator in catalogue.counted:
        owner = owners.setdefault(indicator.bit, indicator.id)
        if owner != indicator.id:
            raise CatalogueError(
                f"{owner} and {indicator.id} share bit {indicator.bit}; give the newer one a free bit"
            )


def _check_subject(rules: SubjectRules) -> None:
    for fact in rules.facts:
        if rules.kind not in EVENT_MODELS[fact.event_type].subject_kinds:
            raise CatalogueError(f"fact {fact.name}: {fact.event} is not about a {rules.kind}")
        for field, value in fact.where.items():
            _check_value(f"fact {fact.name}", _fields(fact.event_type)[field], field, value)
    wanted = [(name, "area") for name in rules.area]
    if rules.birth_date is not None:
        wanted.append((rules.birth_date, "birth_date"))
    for name, field in wanted:
        _kept_field(rules, name, field, f"subject {rules.kind}")


def _check_indicator(catalogue: Catalogue, indicator: Indicator) -> None:
    if indicator.feed not in _FEEDS:
        feeds = ", ".join(sorted(_FEEDS))
        raise CatalogueError(f"{indicator.id}: feed {indicator.feed} is none of {feeds}")
    for criterion in indicator.criteria:
        if criterion not in catalogue.by_id:
            raise CatalogueError(f"{indicator.id}: there is no indicator {criterion}")
    named: set[str] = set()
    if indicator.numerator is not None:
        kinds = {population.name: population.subject for population in catalogue.populations}
        if indicator.population not in kinds:
            raise CatalogueError(f"{indicator.id}: there is no population {indicator.population}")
        kind = kinds[indicator.population]
        _check_expression(catalogue, indicator.numerator, kind, indicator.id)
        named = set(_indicators_in(indicator.numerator))
    wanted = named if indicator.feed == COMPOSITE else set()
    if set(indicator.criteria) != wanted or (indicator.feed == COMPOSITE and not wanted):
        raise CatalogueError(
            f"{indicator.id}: a {COMPOSITE} lists as criteria the indicators that its numerator "
            "names, and no other indicator has criteria"
        )


def _indicators_in(expression: Expression) -> Iterator[str]:
    match expression:
        case All(all=parts) | AnyOf(any=parts):
            for part in parts:
                yield from _indicators_in(part)
        case Not(negated=part):
            yield from _indicators_in(part)
        case Satisfied(indicator=other):
            yield other


def _check_expression(
    catalogue: Catalogue,
    expression: Expression,
    kind: SubjectKind,
    place: str,
    within: tuple[str, ...] = (),
) -> None:
    match expression:
        case All(all=parts) | AnyOf(any=parts):
            for part in parts:
                _check_expression(catalogue, part, kind, place, within)
        case Not(negated=part):
            _check_expression(catalogue, part, kind, place, within)
        case Satisfied(indicator=other):
            if other in within:
                raise CatalogueError(f"{place}: {' → '.join((*within, other))} runs in a circle")
            named = catalogue.by_id.get(other)
            if named is None or named.numerator is None:
                raise CatalogueError(f"{place}: {other} is not an indicator that events feed")
            _check_expression(catalogue, named.numerator, kind, place, (*within, other))
        case str(name):
            _check_condition(catalogue, name, kind, place)


def _check_condition(catalogue: Catalogue, name: str, kind: SubjectKind, place: str) -> None:
    condition = catalogue.conditions.get(name)
    if condition is None:
        raise CatalogueError(f"{place}: there is no condition {name}")
    rules = catalogue.by_kind.get(kind)
    if rules is None:
        raise CatalogueError(f"{place}: subjects of kind {kind} have no facts")
    here = f"condition {name}"
    match condition:
        case FactCondition():
            _check_fact_condition(rules, condition, here)
        case LatestCondition(value=value):
            for fact, field in condition.parts:
                _check_value(here, _kept_field(rules, fact, field, here), field, value)
        case AgeCondition():
            if rules.birth_date is None:
                raise CatalogueError(f"{place}: a {kind} has no age, so {name} does not apply")


def _check_fact_condition(rules: SubjectRules, condition: FactCondition, place: str) -> None:
    if condition.values and condition.within_days is not None:
        raise CatalogueError(f"{place}: give either is or within_days")
    _known_fact(rules, condition.fact, place)
    for field, allowed in condition.values.items():
        info = _kept_field(rules, condition.fact, field, place)
        for value in allowed:
            _check_value(place, info, field, value)


def _known_fact(rules: SubjectRules, name: str, place: str) -> None:
    if name not in {fact.name for fact in rules.facts}:
        raise CatalogueError(f"{place}: a {rules.kind} has no fact {name}")


def _kept_field(rules: SubjectRules, name: str, field: str, place: str) -> FieldInfo:
    _known_fact(rules, name, place)
    fact = rules.fact(name)
    fields = _fields(fact.event_type)
    if field not in fields or fact.keeps != "latest":
        raise CatalogueError(f"{place}: {name} keeps no field {field!r}")
    return fields[field]


def _fields(event_type: str) -> Mapping[str, FieldInfo]:
    data = EVENT_MODELS[event_type].model_fields["data"].annotation
    return getattr(data, "model_fields", {})


def _check_value(place: str, info: FieldInfo, field: str, value: Any) -> None:
    """Refuse a value that the field never has: a condition on it would never hold."""
    kind: Any = Annotated[info.annotation, info]
    adapter: TypeAdapter[Any] = TypeAdapter(kind, config=ConfigDict(strict=True))
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise CatalogueError(f"{place}: {field} is never {value!r}: {reason}") from None
