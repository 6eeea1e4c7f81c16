"""Where the command writes: answers to standard output, progress and complaints to standard error.

Colour follows the terminal and ``NO_COLOR``; without a terminal everything is plain text. Consoles
are made on request, so that they see the streams and variables of the moment. They take every text
as it is: an event's id may look like rich's markup.
"""

import sys
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

#: Tables must not be cut when they go to a file or a pipe.
_PLAIN_WIDTH: Final = 160


def answers() -> Console:
    """For what was asked."""
    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def remarks() -> Console:
    """For progress, warnings and errors."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def events_progress(console: Console) -> Progress:
    """A progress bar that counts events; silent where there is no terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=False,
    )
