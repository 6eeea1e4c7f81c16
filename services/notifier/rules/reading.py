"""Read the rules of judgement from YAML and refuse what does not hold together."""

from collections.abc import Iterable
from datetime import timedelta
from importlib import resources
from pathlib import Path

from contracts import areas as known_areas
from contracts import catalogue as known_catalogue
from contracts import yaml_file
from contracts.areas import Areas
from contracts.catalogue import Catalogue
from services.notifier.rules.in_force import Rules
from services.notifier.rules.model import File, RulesError


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
    file = yaml_file.read(path, File, RulesError, name=f"the rules in {path}")
    catalogue = catalogue if catalogue is not None else known_catalogue.load()
    areas = areas if areas is not None else known_areas.load()
    try:
        _refuse_strangers(file, catalogue, areas)
        return Rules(file, catalogue, hold_for=hold_for)
    except RulesError as error:
        raise RulesError(f"the rules in {path}: {error}") from None


def shipped() -> Path:
    """The rules that come with the service."""
    with resources.as_file(resources.files(__package__ or __name__) / "rules.yaml") as path:
        return path


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
