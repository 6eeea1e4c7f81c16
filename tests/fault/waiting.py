"""Waits for what nothing tells of: asks again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

_LOOK_SECONDS: Final = 0.03


async def until(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until the answer is true (or not empty), and return it; how long is the caller's to say."""
    while not (answer := await ask()):  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(_LOOK_SECONDS)
    return answer
