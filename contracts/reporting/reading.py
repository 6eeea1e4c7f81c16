"""Read a reporting calendar from its YAML file."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from contracts.catalogue import Catalogue
from contracts.reporting.calendar import Calendar, CalendarError
from contracts.reporting.model import CalendarFile

CALENDAR_FILE: Final = "calendar.yaml"


def load(folder: Path | None, catalogue: Catalogue) -> Calendar:
    """The calendar of a folder, or without one the calendar that ships with the contract.

    Args:
        folder: holds ``calendar.yaml``.
        catalogue: the indicators that the calendar may name.

    Raises:
        CalendarError: the file cannot be read or used; the message says where and why.
    """
    if folder is not None:
        return Calendar(read(folder / CALENDAR_FILE), catalogue)
    return Calendar(_shipped(), catalogue)


def read(path: Path) -> CalendarFile:
    """Read a file and check its form.

    Raises:
        CalendarError: the file cannot be read, or an entry is wrong; with its place.
    """
    try:
        parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CalendarError(
            f"cannot read {path}: {error.strerror}; name the folder that holds {CALENDAR_FILE}"
        ) from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise CalendarError(f"{path} is no YAML in UTF-8: {error}") from None
    try:
        return CalendarFile.model_validate(parsed)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()
        )
        raise CalendarError(f"{path}: {said}") from None


@cache
def _shipped() -> CalendarFile:
    with resources.as_file(resources.files("contracts") / "reporting") as folder:
        return read(folder / CALENDAR_FILE)
