"""`nhipso up`: everything on this machine, from one command."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from contracts.reporting import CalendarError
from contracts.reporting import load as load_calendar
from deploy.embedded.errors import StackError
from deploy.embedded.layout import DEFAULT_PORT_BASE, Province
from deploy.embedded.progress import Report
from services.cli.area_argument import AreasOption, known_areas
from services.cli.board import Board
from services.cli.catalogue_argument import CatalogueOption, known_catalogue
from services.cli.endpoints import DEFAULT_ENDPOINTS
from services.cli.exits import OK, USAGE, WRONG, CommandError
from services.cli.terminal import remarks


def up(
    *,
    data_dir: Annotated[
        Path,
        typer.Option(metavar="DIR", file_okay=False, help="Holds everything; made if absent."),
    ] = DEFAULT_ENDPOINTS.parent,
    port_base: Annotated[
        int, typer.Option(metavar="N", help="The first of eight ports on this machine.")
    ] = DEFAULT_PORT_BASE,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo/--no-demo", help="Fill the province with invented citizens, or start empty."
        ),
    ] = True,
    areas: AreasOption = None,
    catalogue: CatalogueOption = None,
    reporting: Annotated[
        Path | None,
        typer.Option(
            envvar="NHIPSO_REPORTING__FOLDER",
            metavar="FOLDER",
            help="Holds calendar.yaml: who reports what by when; the one that ships without it.",
        ),
    ] = None,
) -> None:
    """Start everything on this machine, and keep it running.

    Kafka, PostgreSQL and the four services, reachable from this machine alone. What dies is started
    again. Ctrl-C stops everything cleanly; a later `up` on the same directory goes on from what is
    there. Exit code 1: something had to be killed at the end, 2: it could not start.

    Example: nhipso up --data-dir .local --no-demo
    """
    run = _runner()
    # A mistake is said before anything is started.
    known_areas(areas)
    rules = known_catalogue(catalogue)
    try:
        load_calendar(reporting, rules)
    except CalendarError as error:
        raise CommandError(str(error), USAGE) from None
    province = Province(areas, catalogue, reporting)
    board = Board(remarks(), data_dir, demo=demo)
    try:
        clean = run(data_dir, port_base, demo, board.hear, province) == OK
    except StackError as error:
        raise CommandError(str(error)) from None
    finally:
        board.close()
    raise typer.Exit(OK if clean else WRONG)


def _runner() -> Callable[[Path, int, bool, Report, Province], int]:
    """The embedded stack. Images of the services come without it, and need the other commands."""
    try:
        from deploy.embedded.stack import run  # noqa: PLC0415  # see the docstring
    except ModuleNotFoundError as error:
        raise CommandError(
            f"the embedded stack is not installed here ({error.name} is missing): run `make setup`"
            " in a checkout"
        ) from None
    return run
