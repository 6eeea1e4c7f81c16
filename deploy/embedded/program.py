"""What the supervisor and the tests know of each program: prepare, start, readiness, stop."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from deploy.embedded.child import Child
from deploy.embedded.errors import StackError

_POLL_SECONDS = 0.05


class Program(Protocol):
    """One program of the stack."""

    @property
    def name(self) -> str:
        """What it is called in logs, messages and `endpoints.json`."""
        ...

    @property
    def child(self) -> Child:
        """Its process."""
        ...

    def prepare(self) -> None:
        """Make what it needs on disk, once. Safe in any thread, harmless to repeat."""
        ...

    def before_start(self) -> None:
        """Clear what a process that was killed may have left in the way."""
        ...

    def is_ready(self) -> bool:
        """Ask the program whether it serves; takes at most a second, never raises."""
        ...


def wait_ready(program: Program, timeout: float) -> None:
    """Wait until the program serves.

    Raises:
        StackError: it ended, or was not ready within `timeout` seconds; with the end of its log.
    """
    deadline = time.monotonic() + timeout
    while not program.is_ready():
        child = program.child
        if not child.alive:
            _fail(child, f"{child.name} ended with code {child.exit_code} while starting")
        if time.monotonic() > deadline:
            _fail(child, f"{child.name} was not ready after {timeout:g} seconds")
        time.sleep(_POLL_SECONDS)


def start_together(programs: Sequence[Program], timeout: float = 60) -> None:
    """Prepare programs side by side, start them from this thread, wait until all are ready.

    Raises:
        StackError: one of them cannot be prepared or started, or is not ready in time.
    """
    with ThreadPoolExecutor(max_workers=len(programs)) as pool:
        list(pool.map(lambda program: program.prepare(), programs))
    for program in programs:
        program.before_start()
        program.child.start()
    for program in programs:
        wait_ready(program, timeout)


def _fail(child: Child, what: str) -> None:
    raise StackError(f"{what}; its log is {child.log}, which ends:\n{child.last_lines()}")
