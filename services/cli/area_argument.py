"""Finds the unit that somebody means: by area id, by commune code, or by (part of) its name."""

import unicodedata
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from contracts.areas import Area, Areas, AreasError, load
from services.cli.exits import USAGE, CommandError

AreasOption = Annotated[
    Path | None,
    typer.Option(
        "--areas",
        envvar="NHIPSO_AREAS__FOLDER",
        metavar="FOLDER",
        help="Holds areas.csv and area_lineage.csv of the services; those that ship without it.",
    ),
]


def known_areas(folder: Path | None) -> Areas:
    """The units of the folder that the services read, or those that ship.

    Raises:
        CommandError: when they cannot be used.
    """
    try:
        return load(folder)
    except AreasError as error:
        raise CommandError(str(error), USAGE) from None


def find_area(text: str, areas: Areas, today: date) -> Area:
    """The unit meant by `text`: ``2025:04252``, ``04252`` or ``yen bai`` (marks may be left out).

    An area id names any unit of any time; codes and names are looked up among today's.

    Raises:
        CommandError: when no unit, or more than one, fits.
    """
    if (known := areas.get(text)) is not None:
        return known
    current = areas.on(today)
    found = [area for area in current if area.code == text]
    if not found:
        wanted = _plain(text)
        found = [area for area in current if wanted in (_plain(area.name), _bare(area.name))]
        found = found or [area for area in current if wanted in _plain(area.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(
            f"no unit is called {text!r}; give an area id such as 2025:15 (the province),"
            " a commune code such as 04252, or a name",
            USAGE,
        )
    names = ", ".join(f"{area.area_id} ({area.name})" for area in found[:12])
    raise CommandError(f"{text!r} may be {names}: give the area id", USAGE)


def _plain(name: str) -> str:
    """Lower case without Vietnamese marks, so that nobody needs a special keyboard."""
    parts = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return "".join(part for part in parts if not unicodedata.combining(part)).strip()


def _bare(name: str) -> str:
    """The plain name without its kind: ``lao cai`` of ``Phường Lào Cai``."""
    return _plain(name).split(" ", 1)[-1]
