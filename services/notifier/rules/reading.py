"""Read the rules of judgement from YAML and refuse what does not hold together."""

from collections.abc import Hashable, Iterable
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from contracts import areas as known_areas
from contracts import catalogue as known_catalogue
from contracts.areas import Areas
from contracts.catalogue import Catalogue
from services.notifier.rules.in_force import Rules
from services.notifier.rules.model import File, RulesError

_BOOLEAN: Final = "tag:yaml.org,2002:bool"


def read(
    path: Path,
    *,
    hold_for: timedelta | None = None,
    catalogue: Catalogue | None = None,
    areas: Areas | None = None,
) -> Rules:
    """Read a rules file.

    Args:
        path: the file.
        hold_for: stands in for every ``for`` of the file, if given.
        catalogue: the indicators there are; without it, those that ship with the contract.
        areas: the units there are; without it, those that ship with the contract.

    Raises:
        RulesError: naming the file, the rule and the field that is wrong.
    """
    try:
        file = File.model_validate(_parsed(path))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RulesError(f"the rules in {path}: {place}: {first['msg']}") from error
    catalogue = catalogue if catalogue is not None else known_catalogue.load()
    areas = areas if areas is not None else known_areas.load()
    try:
        _refuse_strangers(file, catalogue, areas)
        return Rules(file, catalogue, hold_for=hold_for)
    except RulesError as error:
        raise RulesError(f"the rules in {path}: {error}") from None


class _Loader(yaml.SafeLoader):
    """Takes ``on`` for the word that it is, and refuses a key that stands twice in one mapping."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the class above has it
        first: [one for one in known if first in "tTfF" or one[0] != _BOOLEAN]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep=deep)


def shipped() -> Path:
    """The rules that come with the service."""
    with resources.as_file(resources.files(__package__ or __name__) / "rules.yaml") as path:
        return path


def _parsed(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RulesError(f"the rules in {path} cannot be read: {error}") from error


def _refuse_strangers(file: File, catalogue: Catalogue, areas: Areas) -> None:
    """A rule for what there is not is a misspelt one."""
    sets = {indicator.set for indicator in catalogue}
    _known("sets", file.sets, sets, "set of the catalogue")
    _known("indicators", file.indicators, catalogue.by_id, "indicator of the catalogue")
    _known("national.targets", file.national.targets, catalogue.by_id, "indicator of the catalogue")
    _known("units", file.units, areas.by_id, "unit; write an area id such as 2025:02647")
    for unit, entry in file.units.items():
        place = f"units.{unit}.indicators"
        _known(place, entry.indicators, catalogue.by_id, "indicator of the catalogue")


def _known(place: str, named: Iterable[str], there_are: Iterable[str], what: str) -> None:
    strangers = sorted(set(named) - set(there_are))
    if strangers:
        raise RulesError(f"{place}.{strangers[0]}: is no {what}")
