"""One process of the notifier, forked from a server that has imported it already.

Importing takes seconds and starting everything else a fraction of one, so a suite that kills and
starts dozens of times would mostly wait for imports. What runs is `main()` of the service, in a
process of its own with an environment and a log of its own.
"""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

_SERVICE: Final = "services.notifier.__main__"
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([_SERVICE])


@dataclass
class Forked:
    """A notifier to run, and the process that runs it now, if any; `env` is the whole of it."""

    name: str
    log: Path
    env: Mapping[str, str]
    _process: ForkServerProcess | None = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int | None:
        """The process id, None before the first start; it stays after the process died."""
        return self._process.pid if self._process is not None else None

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal); None while it runs or was not begun."""
        return self._process.exitcode if self._process is not None else None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Start it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # As a daemon it is ended when the suite's own process ends.
        self._process = _CONTEXT.Process(
            target=_serve, args=(str(self.log), dict(self.env)), name=self.name, daemon=True
        )
        self._process.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and return at once."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()

    def stop(self, grace: float) -> None:
        """Wait until it has stopped; by force after `grace` seconds."""
        if self._process is None:
            return
        self.ask_to_stop()
        self._process.join(grace)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(log: str, environment: dict[str, str]) -> None:
    """What the new process does."""
    with Path(log).open("ab") as written:
        os.dup2(written.fileno(), 1)
        os.dup2(written.fileno(), 2)
    # The server takes its signals as a terminal sends them to a group; this one is told by name.
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    from services.notifier.__main__ import main  # noqa: PLC0415 - imported by the server before

    main()
