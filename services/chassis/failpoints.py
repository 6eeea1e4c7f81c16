"""Failpoints: named points at which a process kills or stops itself, because a test asked for it.

The word is FreeBSD's and TiKV's. They are off unless the variable NHIPSO_FAILPOINTS_DIR names a
folder when the process starts, and the process then says so as loudly as it can. A file in that
folder, named after a point, is one fault: the first process that comes to the point takes the file
away and then does to itself what the file says, `kill` (SIGKILL) or `stop` (SIGSTOP). Nothing is
cleaned up, flushed or told, as little as when the machine loses its power.
"""

import os
import signal
from pathlib import Path
from typing import Final

import structlog

VARIABLE: Final = "NHIPSO_FAILPOINTS_DIR"

#: Between the name of a point and the id of the process that took its file.
TAKEN_BY: Final = ".taken-by-"

#: What a file may say.
ACTIONS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class _Armed:
    """Where this process looks for faults; nowhere, unless `arm` has found a folder."""

    folder: Path | None = None


def arm() -> None:
    """Look for faults from now on if the environment names a folder; called once, at the start.

    Raises:
        SystemExit: with 2 if what it names is no folder.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return
    log = structlog.get_logger(__name__)
    folder = Path(named)
    if not folder.is_dir():
        log.critical("failpoints: this names no folder; unset it", variable=VARIABLE, folder=named)
        raise SystemExit(2)
    log.critical(
        "FAILPOINTS ARE ARMED: this process kills itself when a file asks for it; "
        "this is for tests alone, unset the variable",
        variable=VARIABLE,
        folder=named,
    )
    _Armed.folder = folder


def failpoint(name: str) -> None:
    """Die or stop here if a test has asked for it; else nothing, at the cost of one comparison."""
    if _Armed.folder is not None:
        _strike(_Armed.folder, name)


def _strike(folder: Path, name: str) -> None:
    taken = folder / f"{name}{TAKEN_BY}{os.getpid()}"
    try:
        # Of several processes at the point the rename lets one through.
        (folder / name).rename(taken)
    except FileNotFoundError:
        return
    os.kill(os.getpid(), ACTIONS[taken.read_text(encoding="ascii").strip()])
