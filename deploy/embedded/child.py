"""One operating-system process: started in its own session, logged to a file, ended for certain.

On Linux a child is bound to the thread that started it: when that thread ends, however it ends,
the kernel sends the child its stop signal. So start children from a thread that lives as long as
they should, as a rule the main thread.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from deploy.embedded.errors import StackError

LOG_LIMIT_BYTES = 10 * 1024 * 1024
LOG_GENERATIONS = 3

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """A user of this machine, as whom a child runs; without numbers, whoever calls."""

    name: str = "the caller"
    uid: int | None = None
    gid: int | None = None

    @property
    def other(self) -> bool:
        """Whether this is another user than the caller."""
        return self.uid is not None

    @property
    def extra_groups(self) -> list[int] | None:
        """The further groups of a child: none of root's for another user."""
        return [] if self.other else None


CALLER = Account()


@dataclass
class Child:
    """A program to run, and the process that runs it now, if any.

    `env` is the whole environment (None: the caller's); `cwd` is entered before the account is
    taken on, so it may lie where the account could not go by itself.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    account: Account = CALLER
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int | None:
        """The process id, or None before the first start. It stays after the process died."""
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """How the process ended (negative: by that signal); None while it runs or was not begun."""
        return self._process.poll() if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process.

        Raises:
            StackError: the program cannot be executed.
        """
        if self.alive:
            return
        with open_log(self.log) as log:
            try:
                self._process = subprocess.Popen(
                    list(self.argv),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=dict(self.env) if self.env is not None else None,
                    cwd=self.cwd,
                    start_new_session=True,
                    # It only calls an already loaded C function, which is safe after a fork.
                    preexec_fn=_die_with_parent(self.stop_signal),  # noqa: PLW1509
                    user=self.account.uid,
                    group=self.account.gid,
                    extra_groups=self.account.extra_groups,
                )
            except OSError as error:
                raise StackError(
                    f"{self.name} cannot be started: {self.argv[0]}: {error.strerror}; "
                    "run `make setup` again"
                ) from error

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.stop_signal)

    def stop(self, grace: float) -> bool:
        """Stop the process, by force after `grace` seconds, and whatever is left of its session.

        Returns:
            Whether it went by itself; False if it had to be killed.
        """
        if self._process is None:
            return True
        self.ask_to_stop()
        clean = True
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            clean = False
            self._process.kill()
            self._process.wait()
        self.sweep()
        return clean

    def sweep(self) -> None:
        """End the processes that a dead child left behind in its session's group."""
        if self._process is None or self._process.poll() is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def last_lines(self, count: int = 12) -> str:
        """Return the end of the log, for an error message."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 16_384))
                lines = log.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-count:])


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to; one that has grown past its limit makes room first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        for number in range(LOG_GENERATIONS - 1, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            if older.exists():
                older.replace(path.with_name(f"{path.name}.{number + 1}"))
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


def _die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what a new process runs before its program, so that it does not outlive its parent.

    `subprocess` calls it after the change of account, which is the right order: the kernel forgets
    the wish when credentials change.
    """
    if _LIBC is None:
        return None
    prctl, parent, number = _LIBC.prctl, os.getpid(), int(stop_signal)

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the wish
            os._exit(1)

    return ask_the_kernel
