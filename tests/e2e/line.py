"""The whole line as one process tree, started by `nhipso up` on a folder and ports of its own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.embedded.ports import is_free

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0

_UP: Final = (sys.executable, "-m", "services.cli", "up")
_PORTS: Final = 8
#: Below what systems give out by themselves.
_BASES: Final = range(20_000, 32_000, _PORTS)


@dataclass(frozen=True)
class Line:
    """A running line, as its `endpoints.json` tells; read anew each time, since processes change."""

    data_dir: Path

    def endpoints(self) -> dict[str, Any]:
        """Addresses, process ids and tokens."""
        content: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        return content

    def bearer(self, caller: str) -> dict[str, str]:
        """The header that says who calls: a source's URN, `operator` or `leader`."""
        return {"Authorization": f"Bearer {self.endpoints()['tokens'][caller]}"}

    def kill(self, service: str) -> int:
        """End a process with SIGKILL and return its id."""
        pid = int(self.endpoints()["pids"][service])
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_restarted(self, service: str, killed: int, seconds: float = 30.0) -> float:
        """Wait until another process stands in `endpoints.json`; return how long it took."""
        begun = time.monotonic()
        while self.endpoints()["pids"][service] == killed:
            if time.monotonic() - begun > seconds:
                raise TimeoutError(f"{service} was not started again within {seconds:g} s")
            time.sleep(0.05)
        return time.monotonic() - begun

    @property
    def _file(self) -> Path:
        return self.data_dir / "endpoints.json"


@contextmanager
def running(data_dir: Path, **settings: str) -> Iterator[Line]:
    """Start a line without demo, wait until all of it is ready, and stop it afterwards.

    `settings` are variables of the environment that its services are given.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    base = _free_base()
    with (data_dir / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [*_UP, "--no-demo", "--data-dir", str(data_dir), "--port-base", str(base)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | settings,
        )
    try:
        _wait_for_endpoints(process, data_dir)
        yield Line(data_dir)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _wait_for_endpoints(process: subprocess.Popen[bytes], data_dir: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (data_dir / "endpoints.json").exists():
        said = (data_dir / "up.log").read_text(encoding="utf-8", errors="replace")
        if process.poll() is not None:
            raise RuntimeError(f"`nhipso up` ended with code {process.returncode}:\n{said}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"`nhipso up` was not ready within {START_SECONDS:g} s:\n{said}")
        time.sleep(0.1)


def _free_base() -> int:
    """The first of eight neighbouring ports that nobody listens on."""
    for base in random.sample(_BASES, len(_BASES)):
        if all(is_free(port) for port in range(base, base + _PORTS)):
            return base
    raise RuntimeError("no eight neighbouring ports are free")
