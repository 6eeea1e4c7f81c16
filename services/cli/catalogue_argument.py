"""The catalogue that a command goes by: the one that the services use."""

from pathlib import Path
from typing import Annotated

import typer

from contracts.catalogue import Catalogue, CatalogueError, load
from services.cli.exits import USAGE, CommandError

CatalogueOption = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        envvar="NHIPSO_CATALOGUE__FOLDER",
        metavar="FOLDER",
        help="Holds rules.yaml and the sets of the services; the catalogue that ships without it.",
    ),
]
PresentCatalogueOption = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        envvar="NHIPSO_CATALOGUE__FOLDER",
        metavar="FOLDER",
        help="Holds rules.yaml and the sets; the catalogue that scoring took up last without it.",
    ),
]


def known_catalogue(folder: Path | None) -> Catalogue:
    """The catalogue of the folder that the services read, or the one that ships.

    Raises:
        CommandError: when it cannot be used.
    """
    try:
        return load(folder)
    except CatalogueError as error:
        raise CommandError(str(error), USAGE) from None
