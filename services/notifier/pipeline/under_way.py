"""What is being sent now: at most one task a receiver."""

import asyncio
from collections.abc import Coroutine, Iterator


class UnderWay:
    """The tasks, by the receiver they serve; as a collection, the names of these receivers."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, receiver: str) -> bool:
        return receiver in self._tasks

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, receiver: str, work: Coroutine[None, None, None]) -> None:
        """Begin what serves a receiver; do not wait for it."""
        self._tasks[receiver] = asyncio.create_task(work)

    def reap(self) -> None:
        """Let go of what has ended. Raises what one of them raised."""
        done = {receiver: task for receiver, task in self._tasks.items() if task.done()}
        for receiver in done:
            del self._tasks[receiver]
        for task in done.values():
            task.result()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until all have ended, at most so long, and reap."""
        await asyncio.wait(self._tasks.values(), timeout=seconds)
        self.reap()

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await self.wait()

    async def close(self) -> None:
        """Cancel all, and wait until they have ended."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
