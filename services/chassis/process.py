"""How a process runs and stops: the HTTP server in front, supervised tasks behind it.

A task that fails stops the process with exit code 1, after an orderly shutdown, so that whoever
supervises it starts it anew: what cannot be explained must not go on half alive.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Final, Self

import structlog
import uvicorn
from fastapi import FastAPI

from services.chassis import failpoints
from services.chassis.settings import HttpSettings

GRACE_SECONDS: Final = 10
"""How long open requests, and then cancelled tasks, may take to end."""

_LAST_RESORT_SECONDS: Final = 3 * GRACE_SECONDS


class _Run:
    """One run of the server, and the exit code it shall end with."""

    def __init__(self, server: uvicorn.Server) -> None:
        self._server = server
        self.exit_code = 0

    def stop(self, exit_code: int) -> None:
        """Begin an orderly shutdown; the first non-zero exit code stays."""
        self.exit_code = self.exit_code or exit_code
        self._server.should_exit = True
        # A shutdown that hangs (a pool that waits for a lost connection) must not keep a failed
        # process alive.
        last_resort = threading.Timer(_LAST_RESORT_SECONDS, os._exit, args=(self.exit_code or 1,))
        last_resort.daemon = True
        last_resort.start()


# The lifespan runs in a copy of the context that `serve` starts in, so its tasks find the run
# without a global and without being handed the server.
_current_run: ContextVar[_Run | None] = ContextVar("current_run", default=None)


def serve(app: FastAPI, settings: HttpSettings) -> None:
    """Run an app until a signal or a failed task stops it.

    uvicorn handles signals: it finishes open requests (10 s), runs the lifespan's end, and lets
    the signal take its usual effect.

    Raises:
        SystemExit: with 1 after a task of `Tasks` failed; with 3 if the lifespan could not start
            or the port is taken.
    """
    failpoints.arm()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            # "auto" would take a lifespan that fails at its start for an app without one.
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    run = _Run(server)
    token = _current_run.set(run)
    try:
        # Control-C ends the process as asked; its traceback would say nothing.
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
    finally:
        _current_run.reset(token)
    if run.exit_code:
        raise SystemExit(run.exit_code)


class Tasks:
    """Background tasks that live as long as a lifespan.

    Use it as `async with Tasks() as tasks: tasks.start("name", loop); yield`. When a task raises,
    the error is logged and the process stops with exit code 1; outside of `serve` (in a test) the
    error is raised when the group closes. A task may return: then it was done. On leaving, all
    are cancelled and awaited.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._closing = False
        self._log = structlog.get_logger(__name__)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
        if error is None and self._failure is not None and _current_run.get() is None:
            raise self._failure

    @property
    def failure(self) -> BaseException | None:
        """What the first failed task raised, if any did."""
        return self._failure

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Start `run()` in the background; `name` is for the log."""

        async def supervised() -> None:
            await run()

        task = asyncio.create_task(supervised(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Cancel all tasks and wait until they have ended, at most 10 seconds."""
        self._closing = True
        running = [task for task in self._tasks if not task.done()]
        for task in running:
            task.cancel()
        if not running:
            return
        _, stuck = await asyncio.wait(running, timeout=GRACE_SECONDS)
        for task in stuck:
            self._log.error(
                "a task ignores its cancellation", task=task.get_name(), waited_s=GRACE_SECONDS
            )

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error: BaseException | None
        if not task.cancelled():
            error = task.exception()
        else:
            # A cancellation nobody here asked for leaves the process half alive all the same.
            error = None if self._closing else RuntimeError(f"task {task.get_name()} was cancelled")
        if error is None:
            return
        self._failure = self._failure or error
        self._log.critical("a task failed, the process stops", task=task.get_name(), exc_info=error)
        run = _current_run.get()
        if run is not None:
            run.stop(1)
