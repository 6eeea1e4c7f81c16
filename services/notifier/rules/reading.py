"""Read the rules of judgement from YAML and refuse what does not hold together."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Final

from contracts import areas as known_areas
from contracts import catalogue as known_catalogue
from contracts import yaml_file
from contracts.areas import Areas
from contracts.catalogue import Catalogue
from contracts.catalogue.model import Targets
from contracts.sources import SOURCE_OF_DOMAIN
from services.notifier.rules.in_force import Rules
from services.notifier.rules.model import File, RulesError

_FEED: Final = f"feed; there are {', '.join(sorted(SOURCE_OF_DOMAIN))}"


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
    _known("freshness.feeds", file.freshness.feeds, SOURCE_OF_DOMAIN, _FEED)
    for place, indicator, targets in _targets(file):
        if catalogue.by_id[indicator].unit != "percent":
            raise RulesError(f"{place}: {indicator} is a quantity; targets are in percent")
        due = [one.percent for one in targets.dated()]
        if not due:
            raise RulesError(f"{place}: names no target; leave it out where there is none")
        if due != sorted(due):
            raise RulesError(f"{place}: a later target is lower than an earlier one")


def _targets(file: File) -> Iterable[tuple[str, str, Targets]]:
    """All targets of the file, each with its place and indicator."""
    for indicator, targets in file.national.targets.items():
        yield f"national.targets.{indicator}", indicator, targets
    for unit, entry in file.units.items():
        for indicator, own in entry.indicators.items():
            if own.targets is not None:
                yield f"units.{unit}.indicators.{indicator}.targets", indicator, own.targets


def _known(place: str, named: Iterable[str], there_are: Collection[str], what: str) -> None:
    strangers = sorted(set(named) - set(there_are))
    if strangers:
        raise RulesError(
            "; ".join(f"{place}.{_stranger(one, there_are, what)}" for one in strangers)
        )


def _stranger(name: str, there_are: Collection[str], what: str) -> str:
    near = get_close_matches(name, there_are, n=1)
    said = f"{name}: is no {what}"
    return f"{said}; did you mean {near[0]}?" if near else said
