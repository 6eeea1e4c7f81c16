"""Read the wording of forms from its YAML file."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from contracts.catalogue import Catalogue
from contracts.forms.model import Forms

FORMS_FILE: Final = "forms.yaml"


class FormsError(ValueError):
    """Wording that cannot be used; the message says where and why."""


def load(folder: Path | None, catalogue: Catalogue) -> Forms:
    """The wording of a folder, or without one the wording that ships with the contract.

    Args:
        folder: holds ``forms.yaml``.
        catalogue: every indicator of it must have its wording, and no other.

    Raises:
        FormsError: the file cannot be read or used.
    """
    forms = _shipped() if folder is None else read(folder / FORMS_FILE)
    missing = catalogue.by_id.keys() - forms.indicators.keys()
    if missing:
        raise FormsError(
            f"{FORMS_FILE} says nothing of {', '.join(sorted(missing))}; the catalogue has them"
        )
    unknown = {*forms.indicators, *forms.agencies.indicators} - catalogue.by_id.keys()
    if unknown:
        raise FormsError(
            f"{FORMS_FILE} names {', '.join(sorted(unknown))}, which the catalogue does not know"
        )
    return forms


def read(path: Path) -> Forms:
    """Read a file and check its form.

    Raises:
        FormsError: the file cannot be read, or an entry is wrong; with its place.
    """
    try:
        parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormsError(
            f"cannot read {path}: {error.strerror}; name the folder that holds {FORMS_FILE}"
        ) from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise FormsError(f"{path} is no YAML in UTF-8: {error}") from None
    try:
        return Forms.model_validate(parsed)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()
        )
        raise FormsError(f"{path}: {said}") from None


@cache
def _shipped() -> Forms:
    with resources.as_file(resources.files("contracts") / "forms") as folder:
        return read(folder / FORMS_FILE)
