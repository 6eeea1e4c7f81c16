"""Read from a YAML file which agency answers for what."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from contracts import yaml_file
from contracts.agencies.model import Agencies
from contracts.catalogue import Catalogue

FILE: Final = "agencies.yaml"


class AgenciesError(ValueError):
    """A file that cannot be used; the message says where and why."""


def load(path: Path | None, catalogue: Catalogue) -> Agencies:
    """Who answers for what: by a province's own file, or without one by the sample that ships.

    Args:
        path: the file, or None.
        catalogue: the indicators that there are.

    Raises:
        AgenciesError: the file cannot be read or used, or names an indicator that there is not.
    """
    if path is None:
        return _shipped()
    agencies = read(path)
    for code, agency in agencies.agencies.items():
        unknown = sorted(set(agency.answers_for) - catalogue.by_id.keys())
        if unknown:
            raise AgenciesError(
                f"{path}: agencies.{code}.answers_for: the catalogue does not know "
                f"{', '.join(unknown)}"
            )
    return agencies


def read(path: Path) -> Agencies:
    """Read a file and check its form.

    Raises:
        AgenciesError: the file cannot be read, or an entry is wrong; with its place.
    """
    return yaml_file.read(path, Agencies, AgenciesError)


@cache
def _shipped() -> Agencies:
    with resources.as_file(resources.files("contracts") / "agencies" / FILE) as path:
        return read(path)
