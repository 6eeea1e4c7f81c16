"""Do a step again and again, and tell whether it goes forward."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from aiokafka.errors import KafkaError

from services.chassis.clock import Clock
from services.chassis.database import is_transient

_LATE_FACTOR: Final = 10
_LEAST_LATE: Final = timedelta(seconds=60)


class Beat:
    """One step in a loop. What passes by itself is logged and tried again; all else is raised.

    The step takes the present moment.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[datetime], Awaitable[None]],
        *,
        every_seconds: float,
        clock: Clock,
    ) -> None:
        self.name = name
        self._step = step
        self._every = every_seconds
        self._clock = clock
        self._done_at: datetime | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Begin the next step at once: there may be something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            Exception: whatever the step raises that does not pass by itself.
        """
        log = structlog.get_logger(__name__)
        while True:
            self._woken.clear()
            try:
                await self._step(self._clock.now())
                self._done_at = self._clock.now()
            except Exception as error:
                if not (is_transient(error) or isinstance(error, KafkaError)):
                    raise
                log.warning("a step is tried again", step=self.name, error=repr(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._woken.wait()

    async def check(self) -> str | None:
        """For readiness: None while the step goes forward, else what is wrong."""
        if self._done_at is None:
            return f"{self.name} has not run yet"
        late = max(timedelta(seconds=self._every * _LATE_FACTOR), _LEAST_LATE)
        silent = self._clock.now() - self._done_at
        if silent <= late:
            return None
        return f"{self.name} last ran {silent.total_seconds():.0f} s ago"
