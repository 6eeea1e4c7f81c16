"""Read the catalogue from its YAML files."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from contracts import yaml_file
from contracts.catalogue.checking import CatalogueError, check
from contracts.catalogue.model import Catalogue, Indicator

_RULES: Final = "rules.yaml"
_SET_KEYS: Final = {"set", "indicators"}


def read(folder: Path) -> Catalogue:
    """Read ``rules.yaml`` and every other YAML file of a folder as indicator sets.

    Raises:
        CatalogueError: naming the file and the entry that is wrong.
    """
    parts = _parse(folder / _RULES)
    documents = parts.pop("documents", {})
    if not isinstance(documents, dict):
        raise CatalogueError(f"{_RULES}: documents must map a short name to a title")
    parts["indicators"] = [
        indicator
        for path in sorted(folder.glob("*.yaml"))
        if path.name != _RULES
        for indicator in _indicators(_parse(path), documents, path.name)
    ]
    try:
        catalogue = Catalogue.model_validate(parts)
    except ValidationError as error:
        raise CatalogueError(f"{_RULES}: {yaml_file.faults(error)}") from None
    check(catalogue)
    return catalogue


@cache
def load(folder: Path | None = None) -> Catalogue:
    """The catalogue of a folder, or without one the catalogue that ships with the contract.

    Raises:
        CatalogueError: the folder is none, or holds no catalogue; with the file and the entry.
    """
    if folder is not None:
        if not folder.is_dir():
            raise CatalogueError(f"{folder} is no folder; name the folder that holds {_RULES}")
        return read(folder)
    with resources.as_file(resources.files("contracts") / "catalogue") as shipped:
        return read(shipped)


def _parse(path: Path) -> dict[str, Any]:
    parsed = yaml_file.parse(path, CatalogueError, name=path.name)
    if not isinstance(parsed, dict):
        raise CatalogueError(f"{path.name} must hold a mapping at its top")
    return parsed


def _indicators(
    parsed: Mapping[str, Any], documents: Mapping[str, str], file: str
) -> Iterator[Indicator]:
    if parsed.keys() != _SET_KEYS or not isinstance(parsed["indicators"], list):
        raise CatalogueError(f"{file} must hold the key set, and indicators as a list")
    for number, entry in enumerate(parsed["indicators"], start=1):
        if not isinstance(entry, dict):
            raise CatalogueError(f"{file}: indicator number {number} must be a mapping")
        place = f"{file}: {entry.get('id', f'indicator number {number}')}"
        try:
            indicator = Indicator.model_validate({**entry, "set": parsed["set"]})
        except ValidationError as error:
            raise CatalogueError(f"{place}: {yaml_file.faults(error)}") from None
        document = documents.get(indicator.source.document)
        if document is None:
            raise CatalogueError(
                f"{place} cites an unknown document {indicator.source.document}; "
                f"{_RULES} lists them under documents"
            )
        source = indicator.source.model_copy(update={"document": document})
        yield indicator.model_copy(update={"source": source})
