"""Read a reporting calendar from its YAML file."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from contracts import yaml_file
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
    if folder is None:
        return Calendar(_shipped(), catalogue)
    path = folder / CALENDAR_FILE
    if not path.exists():
        raise CalendarError(f"there is no {path}; name the folder that holds {CALENDAR_FILE}")
    return Calendar(read(path), catalogue)


def read(path: Path) -> CalendarFile:
    """Read a file and check its form.

    Raises:
        CalendarError: the file cannot be read, or an entry is wrong; with its place.
    """
    return yaml_file.read(path, CalendarFile, CalendarError)


@cache
def _shipped() -> CalendarFile:
    with resources.as_file(resources.files("contracts") / "reporting") as folder:
        return read(folder / CALENDAR_FILE)
