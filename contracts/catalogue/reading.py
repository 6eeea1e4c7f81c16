"""Read the catalogue from its YAML files and refuse what does not hold together."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from contracts.catalogue.model import (
    AgeCondition,
    All,
    AnyOf,
    Catalogue,
    Expression,
    FactCondition,
    LatestCondition,
    Not,
    Satisfied,
    SubjectRules,
)
from contracts.events import EVENT_MODELS
from contracts.subjects import SubjectKind

_RULES: Final = "rules.yaml"


class CatalogueError(ValueError):
    """A catalogue that cannot be used, with the place that is wrong."""


def read(folder: Path) -> Catalogue:
    """Read ``rules.yaml`` and every other YAML file of a folder as indicator sets.

    Raises:
        CatalogueError: naming the file or entry that is wrong.
    """
    parts: dict[str, Any] = _parse(folder / _RULES)
    documents: dict[str, str] = parts.pop("documents", {})
    parts["indicators"] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != _RULES:
            parts["indicators"] += list(_set_of(_parse(path), documents, path.name))
    try:
        catalogue = Catalogue.model_validate(parts)
    except ValidationError as error:
        raise CatalogueError(f"the catalogue in {folder.name}/ is not valid: {error}") from error
    _check(catalogue)
    return catalogue


@cache
def load() -> Catalogue:
    """The catalogue that ships with the contract."""
    with resources.as_file(resources.files("contracts") / "catalogue") as folder:
        return read(folder)


def _parse(path: Path) -> dict[str, Any]:
    try:
        parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(parsed, dict):
        raise CatalogueError(f"{path.name} must hold a mapping at its top")
    return parsed


def _set_of(
    parsed: dict[str, Any], documents: dict[str, str], file: str
) -> Iterator[dict[str, Any]]:
    for entry in parsed.get("indicators", ()):
        document = entry["source"]["document"]
        if document not in documents:
            raise CatalogueError(f"{file}: {entry['id']} cites an unknown document {document}")
        source = {**entry["source"], "document": documents[document]}
        yield {**entry, "set": parsed["set"], "source": source}


def _check(catalogue: Catalogue) -> None:
    ids = [indicator.id for indicator in catalogue.indicators]
    bits = [indicator.bit for indicator in catalogue.counted]
    populations = {population.name: population for population in catalogue.populations}
    if len(set(ids)) != len(ids):
        raise CatalogueError("two indicators share an id")
    if len(set(bits)) != len(bits):
        raise CatalogueError("two indicators share a bit")
    for population in catalogue.populations:
        if population.where is not None:
            _check_expression(catalogue, population.where, population.subject, population.name)
    for indicator in catalogue.indicators:
        for criterion in indicator.criteria:
            if criterion not in catalogue.by_id:
                raise CatalogueError(f"{indicator.id}: there is no indicator {criterion}")
        if indicator.numerator is None:
            continue
        if indicator.population not in populations:
            raise CatalogueError(f"{indicator.id}: there is no population {indicator.population}")
        kind = populations[indicator.population].subject
        _check_expression(catalogue, indicator.numerator, kind, indicator.id)


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
    if name not in catalogue.conditions:
        raise CatalogueError(f"{place}: there is no condition {name}")
    condition = catalogue.conditions[name]
    rules = catalogue.by_kind.get(kind)
    if rules is None:
        raise CatalogueError(f"{place}: subjects of kind {kind} have no facts")
    match condition:
        case FactCondition(fact=fact, values=values, within_days=window):
            if values and window is not None:
                raise CatalogueError(f"condition {name}: give either is or within_days")
            _check_fields(rules, [(fact, field) for field in values] or [(fact, None)], name)
        case LatestCondition():
            _check_fields(rules, condition.parts, name)
        case AgeCondition():
            if rules.birth_date is None:
                raise CatalogueError(f"{place}: a {kind} has no age, so {name} does not apply")


def _check_fields(
    rules: SubjectRules, wanted: Iterable[tuple[str, str | None]], condition: str
) -> None:
    for name, field in wanted:
        try:
            fact = rules.fact(name)
        except KeyError:
            message = f"condition {condition}: a {rules.kind} has no fact {name}"
            raise CatalogueError(message) from None
        if field is None:
            continue
        data = EVENT_MODELS[fact.event_type].model_fields["data"].annotation
        if field not in getattr(data, "model_fields", {}) or fact.keeps != "latest":
            raise CatalogueError(f"condition {condition}: {name} keeps no field {field!r}")
