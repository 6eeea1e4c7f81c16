"""The way to one partition: one batch under way, and all that comes meanwhile in the next one.

Requests that come together share a batch, in the order in which they came. aiokafka would let them
queue for a slot each on its own, unfairly, until one of many waits too long (its `add_batch` counts
the time waited several times over: 8 callers at 20,000 events a second met its timeout of 10 s
within seconds). What nobody waits for any more, because its request was given up, is not sent.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from faststream.kafka import KafkaResponse

Send = Callable[[list[KafkaResponse]], Awaitable[None]]
"""Sends a batch and returns once the broker has acknowledged it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Records that are acknowledged together; never more bytes than a batch may have."""

    records: list[KafkaResponse]
    size: int


class Lane:
    """A queue of parcels in front of one partition."""

    def __init__(self, send: Send, max_batch_bytes: int) -> None:
        self._send = send
        self._max_batch_bytes = max_batch_bytes
        self._waiting: deque[tuple[Parcel, asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, parcel: Parcel) -> asyncio.Future[None]:
        """Queue a parcel; the future is done when the broker has acknowledged it.

        Cancelling the future takes the parcel out of the queue, if it is still in it.
        """
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((parcel, acknowledged))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return acknowledged

    async def close(self) -> None:
        """Give up what has not been acknowledged."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for _, acknowledged in self._waiting:
            acknowledged.cancel()

    async def _run(self) -> None:
        try:
            while batch := self._next():
                await self._deliver(batch)
        finally:
            self._task = None

    def _next(self) -> list[tuple[Parcel, asyncio.Future[None]]]:
        batch: list[tuple[Parcel, asyncio.Future[None]]] = []
        size = 0
        while self._waiting:
            parcel, acknowledged = self._waiting[0]
            if acknowledged.done():
                self._waiting.popleft()
                continue
            if batch and size + parcel.size > self._max_batch_bytes:
                break
            batch.append(self._waiting.popleft())
            size += parcel.size
        return batch

    async def _deliver(self, batch: list[tuple[Parcel, asyncio.Future[None]]]) -> None:
        records = [record for parcel, _ in batch for record in parcel.records]
        try:
            await self._send(records)
        except asyncio.CancelledError:
            for _, acknowledged in batch:
                acknowledged.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - raised where the parcels are waited for
            for _, acknowledged in batch:
                if not acknowledged.done():
                    acknowledged.set_exception(error)
        else:
            for _, acknowledged in batch:
                if not acknowledged.done():
                    acknowledged.set_result(None)
