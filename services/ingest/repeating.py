"""A step of work done again and again, in the background."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from services.chassis.database import is_transient

_AFTER_FAILURE_SECONDS: Final = 2.0


async def repeat(
    name: str,
    step: Callable[[], Awaitable[None]],
    *,
    every_seconds: float,
    woken: asyncio.Event | None = None,
) -> None:
    """Do a step until cancelled, at once when `woken` is set.

    What passes by itself is logged and tried again.

    Raises:
        Exception: whatever else the step raises.
    """
    log = structlog.get_logger(__name__)
    event = woken or asyncio.Event()
    while True:
        wait = every_seconds
        try:
            event.clear()
            await step()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("a step is tried again", step=name, error=type(error).__name__)
            event.clear()
            wait = min(wait, _AFTER_FAILURE_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await event.wait()
