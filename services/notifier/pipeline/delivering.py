"""Send what the log of deliveries holds, each kind of receiver by itself.

At most one delivery a receiver is under way, and each attempt has an end, so a dead receiver holds
up nobody but itself. If this process dies between sending and noting it, the lease runs out and the
delivery is sent once more under the same id.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import structlog

from services.chassis.clock import Clock
from services.chassis.database import is_transient
from services.notifier.core.schedule import next_attempt
from services.notifier.metrics import NotifierMetrics
from services.notifier.receivers.outcome import Delivered, Outcome, Refused, Retry
from services.notifier.receivers.reading import Receivers
from services.notifier.store import deliveries
from services.notifier.store.deliveries import Delivery

AT_ONCE: Final = 16
"""So many deliveries of one kind are under way at most."""

Send = Callable[[Any, Delivery], Awaitable[Outcome]]


class Delivering:
    """The sender of one kind."""

    def __init__(
        self,
        kind: str,
        send: Send,
        *,
        pool: asyncpg.Pool,
        receivers: Receivers,
        metrics: NotifierMetrics,
        clock: Clock,
        lease: timedelta,
        give_up: timedelta,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` gives numbers from 0 up to 1."""
        self._kind = kind
        self._send = send
        self._pool = pool
        self._receivers = receivers
        self._metrics = metrics
        self._clock = clock
        self._lease = lease
        self._give_up = give_up
        self._jitter = jitter
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._log = structlog.get_logger(__name__)

    async def step(self, now: datetime) -> None:
        """Begin what is due; do not wait for it. Raises what an earlier delivery raised."""
        self._reap()
        while (free := AT_ONCE - len(self._under_way)) > 0:
            async with self._pool.acquire() as connection:
                due = await deliveries.claim(
                    connection,
                    self._kind,
                    busy=self._under_way,
                    limit=free,
                    leased_until=now + self._lease,
                    now=now,
                )
            if not due:
                return
            for delivery in due:
                self._under_way[delivery.receiver] = asyncio.create_task(self._deliver(delivery))

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())
            self._reap()

    async def close(self) -> None:
        """Cancel what is under way; its leases run out and it is taken up again."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        self._under_way.clear()

    def _reap(self) -> None:
        done = {name: task for name, task in self._under_way.items() if task.done()}
        for name in done:
            del self._under_way[name]
        for task in done.values():
            task.result()

    async def _deliver(self, delivery: Delivery) -> None:
        receiver = self._receivers.by_name.get(delivery.receiver)
        if receiver is None or receiver.kind != self._kind:
            outcome: Outcome = Refused("the receiver is no longer in the receivers file")
        else:
            outcome = await self._send(receiver, delivery)
        self._metrics.notifications.labels(self._kind, outcome.name).inc()
        self._log.info(
            "a delivery was tried",
            delivery=str(delivery.id),
            receiver=delivery.receiver,
            attempt=delivery.attempts,
            outcome=outcome.name,
            error=None if isinstance(outcome, Delivered) else outcome.error,
        )
        try:
            await self._note(delivery, outcome)
        except Exception as error:
            if not is_transient(error):
                raise
            # The lease runs out and it is sent once more under its id: at least once.
            self._log.warning("an outcome could not be noted", error=repr(error))

    async def _note(self, delivery: Delivery, outcome: Outcome) -> None:
        now = self._clock.now()
        async with self._pool.acquire() as connection:
            match outcome:
                case Delivered():
                    await deliveries.mark_delivered(connection, delivery.id, now)
                case Refused(error=error):
                    await deliveries.mark_failed(connection, delivery.id, now, error)
                case Retry(error=error, asked=asked):
                    if now - delivery.created_at >= self._give_up:
                        await deliveries.mark_failed(connection, delivery.id, now, error)
                        return
                    again = next_attempt(
                        delivery.attempts, jitter=self._jitter(), asked=asked, now=now
                    )
                    await deliveries.mark_retry(connection, delivery.id, again, error)
            self._metrics.deliveries_waiting.set(await deliveries.waiting(connection))
