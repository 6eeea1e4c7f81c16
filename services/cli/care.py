"""What the commands that look after the state of scoring share: bars, errors, a table."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich import box
from rich.progress import TaskID
from rich.table import Table

from contracts.catalogue import CatalogueError
from services.cli.area_argument import known_areas
from services.cli.catalogue_argument import known_catalogue
from services.cli.exits import UNREACHABLE, WRONG, CommandError
from services.cli.terminal import events_progress, remarks
from services.scoring.care.comparing import IndicatorDifference

if TYPE_CHECKING:
    from services.scoring.core.rules import Rules


class Bars:
    """A bar for each thing that is done, in the order in which they are heard of."""

    def __init__(self) -> None:
        self._progress = events_progress(remarks())
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def hear(self, what: str, done: int, total: int) -> None:
        """Note how much of something is done, and how much there is."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total, note="")
        self._progress.update(self._tasks[what], completed=done, total=total)


@contextmanager
def told() -> Iterator[None]:
    """Turn what ends such a command into an error with a code.

    Raises:
        CommandError: a server does not answer, or what was asked cannot be done.
    """
    # The clients of both servers take a while to load; other commands do not need them.
    from aiokafka.errors import KafkaError  # noqa: PLC0415
    from asyncpg import InterfaceError, InternalClientError, PostgresError  # noqa: PLC0415

    from services.chassis.database import MigrationError  # noqa: PLC0415
    from services.scoring.care.schemas import CareError  # noqa: PLC0415
    from services.scoring.core.packing import PackError  # noqa: PLC0415

    try:
        yield
    except (CareError, CatalogueError, MigrationError) as error:
        raise CommandError(str(error)) from None
    except PackError as error:
        raise CommandError(f"{error}: rebuild the state from the topic", WRONG) from None
    except KafkaError as error:
        raise CommandError(str(error), UNREACHABLE) from None  # it begins with its name
    except (
        PostgresError,
        InterfaceError,
        InternalClientError,  # a server that is just leaving; see services.chassis.database
        OSError,
        ValueError,
    ) as error:
        # The DSN holds a password, so it is not repeated.
        raise CommandError(f"{type(error).__name__}: {error}", UNREACHABLE) from None


def rules_in_force(dsn: str, catalogue: Path | None, areas: Path | None) -> "Rules":
    """The rules that scoring counts under: units, and the catalogue named or else taken up last.

    Raises:
        CommandError: one of them cannot be used, or the database does not answer.
    """
    # Heavy, and few commands need it.
    from services.scoring.care.schemas import present_catalogue  # noqa: PLC0415
    from services.scoring.core.rules import Rules  # noqa: PLC0415

    if catalogue is not None:
        return Rules(known_catalogue(catalogue), known_areas(areas))
    with told():
        present = asyncio.run(present_catalogue(dsn))
    return Rules(present, known_areas(areas))


def differences_table(differences: Sequence[IndicatorDifference], before: str, after: str) -> Table:
    """A row an indicator that differs; numerator and denominator over all units."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Indicator")
    for heading in (before, after, "Units that differ"):
        table.add_column(heading, justify="right")
    for one in differences:
        table.add_row(one.indicator, _ratio(one.before), _ratio(one.after), f"{one.units:,}")
    return table


def _ratio(both: tuple[int, int]) -> str:
    return f"{both[0]:,} / {both[1]:,}"
