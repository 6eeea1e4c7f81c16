"""The notifier's processes: what ends without having been told to is started again at once."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import aiohttp

from deploy.embedded.ports import LOOPBACK, free_port
from services.chassis.failpoints import TAKEN_BY, VARIABLE
from tests.fault.notifier.forked import Forked
from tests.fault.waiting import until

_LOOK_SECONDS: Final = 0.05
_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 40.0
#: The exit code of a service whose start failed (services.chassis.process).
_COULD_NOT_START: Final = 3
_DELIVERED: Final = 'outcome="delivered"'


class Processes:
    """Notifiers that share one broker, one database and one receivers file."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._environment = dict(environment)
        self._points = root / "failpoints"
        self._points.mkdir()
        self._watching: asyncio.Task[None] | None = None
        self._struck = set[int]()
        self._children: list[tuple[Forked, int]] = []
        self.surprises = Counter[str]()
        """How processes ended that nobody had struck."""
        self.starts = 0

    async def start(self, count: int) -> None:
        """Start so many more, wait until they serve, and keep them alive from now on."""
        for _ in range(count):
            port = free_port()
            child = self._child(f"notifier-{len(self._children) + 1}", port)
            child.start()
            self._children.append((child, port))
            self.starts += 1
        if self._watching is None:
            self._watching = asyncio.create_task(self._keep_alive())
        async with asyncio.timeout(_START_SECONDS):
            for _, port in self._children:
                await until(partial(_is_ready, port))

    async def stop(self) -> None:
        """Tell all to stop, and wait until they have."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
            self._watching = None
        for child, _ in self._children:
            child.ask_to_stop()
        for child, _ in self._children:
            await asyncio.to_thread(child.stop, _STOP_SECONDS)
        self._children.clear()

    def arm(self, point: str, action: str = "kill") -> None:
        """Lay out a fault: the first process at this point kills or stops itself."""
        hidden = self._points / f".{point}"
        hidden.write_text(action, encoding="ascii")
        hidden.rename(self._points / point)

    def is_taken(self, point: str) -> bool:
        """Whether a process has died at the point."""
        return any(self._points.glob(f"{point}{TAKEN_BY}*"))

    async def stopped_at(self, point: str) -> int:
        """Wait until a process has stopped itself at the point, and name it."""

        async def taken() -> list[Path]:
            return list(self._points.glob(f"{point}{TAKEN_BY}*"))

        (file,) = await until(taken)
        return int(file.name.rpartition(TAKEN_BY)[2])

    def forget(self) -> None:
        """Clear what has been taken, so that the points can be armed again."""
        for file in self._points.glob(f"*{TAKEN_BY}*"):
            self._struck.add(int(file.name.rpartition(TAKEN_BY)[2]))
            file.unlink()

    def wake(self, pid: int) -> None:
        """SIGCONT for one that has stopped itself."""
        os.kill(pid, signal.SIGCONT)

    async def serving(self, pid: int) -> None:
        """Wait until this one serves (again), or has ended."""
        for child, port in self._children:
            if child.pid == pid:

                async def serves(child: Forked = child, port: int = port) -> bool:
                    return child.pid != pid or await _is_ready(port)

                await until(serves)

    async def kill_any(self, rng: Random) -> None:
        """SIGKILL for one that runs, wherever it is in its work."""

        async def alive() -> list[Forked]:
            return [child for child, _ in self._children if child.alive]

        child = rng.choice(await until(alive))
        assert child.pid is not None
        self._struck.add(child.pid)
        os.kill(child.pid, signal.SIGKILL)

    async def delivered(self) -> list[float]:
        """How many deliveries each process has made, as its metrics say."""
        return [await _delivered(port) for _, port in self._children]

    async def _keep_alive(self) -> None:
        while True:
            for child, _ in self._children:
                if not child.alive:
                    self._note_end(child)
                    child.start()
                    self.starts += 1
            await asyncio.sleep(_LOOK_SECONDS)

    def _note_end(self, child: Forked) -> None:
        taken = any(self._points.glob(f"*{TAKEN_BY}{child.pid}"))
        if child.pid not in self._struck and not taken and child.exit_code != _COULD_NOT_START:
            self.surprises[f"{child.name} ended by itself with code {child.exit_code}"] += 1

    def _child(self, name: str, port: int) -> Forked:
        # Settings of a service that runs here must not get in.
        kept = {key: text for key, text in os.environ.items() if not key.startswith("NHIPSO_")}
        return Forked(
            name=name,
            log=self._root / "logs" / f"{name}.log",
            env={
                **kept,
                **self._environment,
                "NHIPSO_HTTP__PORT": str(port),
                VARIABLE: str(self._points),
            },
        )


async def _is_ready(port: int) -> bool:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{LOOPBACK}:{port}/readyz") as answer,
        ):
            return answer.ok
    except aiohttp.ClientError:
        return False


async def _delivered(port: int) -> float:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{LOOPBACK}:{port}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    wanted = [one for one in lines if one.startswith("notifier_notifications_total{")]
    return sum(float(one.rpartition(" ")[2]) for one in wanted if _DELIVERED in one)
