"""The processes that are struck: scoring, one to three of them, and ingest.

Whatever ends without having been told to is started again at once, as a supervisor would.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from deploy.embedded.child import Child
from deploy.embedded.layout import Layout, Ports
from deploy.embedded.ports import LOOPBACK, free_port
from deploy.embedded.services import environment
from deploy.embedded.user_files import write_connectors
from services.chassis.failpoints import TAKEN_BY, VARIABLE
from tests.fault.topics import PARTITIONS
from tests.fault.waiting import until

FEWEST, MOST = 1, 3
_CHECKOUT: Final = Path(__file__).parents[2]
_LOOK_SECONDS: Final = 0.05
#: The exit code of a service whose start failed (services.chassis.process).
_COULD_NOT_START: Final = 3
_STOP_SECONDS: Final = 40.0
#: Small batches, short journals and quick rounds, so that points are passed often.
_TUNING: Final = {
    "NHIPSO_KAFKA__PARTITIONS": str(PARTITIONS),
    "NHIPSO_SCORING__BATCH_RECORDS": "200",
    "NHIPSO_SCORING__JOURNAL_ENTRIES": "20",
    "NHIPSO_SCORING__ROLLUP_SECONDS": "0.1",
    "NHIPSO_SCORING__ROLLUP_BEHIND_SECONDS": "0.1",
    "NHIPSO_SCORING__PUBLISH_SECONDS": "0.2",
    "NHIPSO_SCORING__PUBLISH_BEHIND_SECONDS": "0.2",
    "NHIPSO_LOG__LEVEL": "info",
}


@dataclass(slots=True)
class Worker:
    """A place for a scoring process, which may be filled by several in turn."""

    child: Child
    port: int
    held: bool = False
    """Whether it has been stopped with SIGSTOP and not gone on yet."""


class Workers:
    """Scoring's workers and ingest, kept alive."""

    def __init__(self, layout: Layout, ports: Ports, tokens: Mapping[str, str]) -> None:
        self._layout = layout
        self._ports = ports
        self._tokens = tokens
        self._points = layout.root / "failpoints"
        self._points.mkdir()
        write_connectors(layout.connectors)
        self._numbers = 0
        self._watching: asyncio.Task[None] | None = None
        self.working: list[Worker] = []
        self.ingest = self._child("ingest", "ingest", ports.ingest)
        self.expected = set[int]()
        """Process ids that have been struck, so that their end is no surprise."""
        self.surprises = Counter[str]()
        """How processes ended that nobody had struck."""
        self.restarts = 0
        """Processes that could not start while a server was away, and were started again."""

    async def start(self, count: int) -> None:
        """Start ingest and so many workers; from now on they are kept alive."""
        self.ingest.start()
        for _ in range(count):
            self.join()
        self._watching = asyncio.create_task(self._keep_alive())

    async def stop(self) -> None:
        """End everything."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        children = [self.ingest, *(worker.child for worker in self.working)]
        for child in children:
            if child.alive and child.pid is not None:
                os.kill(child.pid, signal.SIGCONT)
            child.ask_to_stop()
        for child in children:
            await asyncio.to_thread(child.stop, _STOP_SECONDS)

    async def any_free(self, rng: Random) -> Worker:
        """One of the workers that run and have not been stopped, as soon as there is one."""

        async def free() -> list[Worker]:
            return [worker for worker in self.working if worker.child.alive and not worker.held]

        return rng.choice(await until(free))

    def join(self) -> Worker:
        """Start one more worker."""
        self._numbers += 1
        port = free_port()
        worker = Worker(self._child(f"scoring-{self._numbers}", "scoring", port), port)
        self.working.append(worker)
        worker.child.start()
        self.write_endpoints()
        return worker

    async def leave(self, rng: Random) -> None:
        """Tell one worker to stop, and wait until it has."""
        worker = await self.any_free(rng)
        self.working.remove(worker)
        self.write_endpoints()
        clean = await asyncio.to_thread(worker.child.stop, _STOP_SECONDS)
        if not clean:
            self.surprises["a worker did not stop when told to"] += 1

    def arm(self, point: str, action: str) -> None:
        """Lay out a fault: the first process at this point does the action to itself."""
        hidden = self._points / f".{point}"
        hidden.write_text(action, encoding="ascii")
        hidden.rename(self._points / point)

    async def taken(self, point: str) -> int:
        """Wait until a process has taken the fault of a point; returns its id."""

        async def files() -> list[Path]:
            return list(self._points.glob(f"{point}{TAKEN_BY}*"))

        file, *_ = await until(files)
        pid = int(file.name.rpartition(TAKEN_BY)[2])
        self.expected.add(pid)
        file.unlink()
        return pid

    def strike(self, child: Child, with_signal: signal.Signals) -> None:
        """Send a signal to a process that runs."""
        assert child.pid is not None
        self.expected.add(child.pid)
        os.kill(child.pid, with_signal)

    def of(self, pid: int) -> Worker | None:
        """The worker whose process has this id."""
        return next((worker for worker in self.working if worker.child.pid == pid), None)

    def write_endpoints(self) -> None:
        """Tell where everything is, as `nhipso up` does."""
        told = {
            "ingest": f"http://{LOOPBACK}:{self._ports.ingest}",
            "scoring": f"http://{LOOPBACK}:{self.working[0].port}" if self.working else None,
            "tokens": dict(self._tokens),
        }
        partial = self._layout.root / ".endpoints"
        partial.write_text(json.dumps(told), encoding="utf-8")
        partial.rename(self._layout.endpoints)

    async def _keep_alive(self) -> None:
        while True:
            for child in (self.ingest, *(worker.child for worker in self.working)):
                # One that was stopped may have been told to die too: it does so when it goes on.
                if not child.alive:
                    self._note_end(child)
                    child.start()
            await asyncio.sleep(_LOOK_SECONDS)

    def _note_end(self, child: Child) -> None:
        taken = any(self._points.glob(f"*{TAKEN_BY}{child.pid}"))
        if child.pid in self.expected or taken:
            return
        if child.exit_code == _COULD_NOT_START:
            self.restarts += 1
        else:
            kind = child.name.partition("-")[0]
            self.surprises[f"{kind} ended by itself with code {child.exit_code}"] += 1

    def _child(self, name: str, service: str, port: int) -> Child:
        # Settings of a service that runs here must not get in.
        kept = {key: text for key, text in os.environ.items() if not key.startswith("NHIPSO_")}
        return Child(
            name=name,
            argv=[sys.executable, "-m", f"services.{service}"],
            log=self._layout.logs / f"{name}.log",
            env={
                **kept,
                **environment(service, self._layout, self._ports),
                **_TUNING,
                "NHIPSO_HTTP__PORT": str(port),
                VARIABLE: str(self._points),
            },
            cwd=_CHECKOUT,
        )
