"""Send what the log of deliveries holds, each kind of receiver by itself.

At most one delivery a receiver is under way, and each attempt has an end, so a dead receiver holds
up nobody but itself; after a failure it rests, each time longer. If this process dies between
sending and noting it, the lease runs out and the delivery is sent once more under the same id.
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
from services.chassis.failpoints import failpoint
from services.notifier.core.schedule import next_attempt
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.under_way import UnderWay
from services.notifier.receivers.outcome import Delivered, Outcome, Reason, Refused, Retry
from services.notifier.receivers.reading import Receivers
from services.notifier.store import deliveries
from services.notifier.store import receivers as standings
from services.notifier.store.deliveries import Delivery
from services.notifier.store.receivers import Known

AT_ONCE: Final = 64
"""So many receivers of one kind are served at the same time, one delivery each."""

_RUN: Final = 20
"""So many deliveries a receiver that answers gets before others that wait have their turn."""

_MOMENT: Final = 0.1
"""Seconds that a step waits for room when more is due than can be served at once."""

_PART_OF_LEASE: Final = 0.9
"""What an attempt may take of its lease, whatever its sender does."""

Send = Callable[[Any, Any], Awaitable[Outcome]]
Claim = Callable[..., Awaitable[list[Delivery[Any]]]]


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
        at_once: int = AT_ONCE,
        claim: Claim = deliveries.claim,
    ) -> None:
        """`jitter` gives numbers from 0 up to 1; `claim` takes from the log what this kind sends."""
        self._kind = kind
        self._send = send
        self._pool = pool
        self._receivers = receivers
        self._metrics = metrics
        self._clock = clock
        self._lease = lease
        self._give_up = give_up
        self._jitter = jitter
        self._at_once = at_once
        self._take = claim
        self._under_way = UnderWay()
        self._are_known = False
        self._log = structlog.get_logger(__name__)

    async def step(self, now: datetime) -> None:
        """Begin what is due; do not wait for it. Raises what an earlier delivery raised."""
        self._under_way.reap()
        await self._keep_house(now)
        while True:
            free = self._at_once - len(self._under_way)
            if free == 0 and not (free := await self._room()):
                return
            due = await self._claim(free, now)
            if not due:
                return
            failpoint("delivery.before-send")
            for delivery in due:
                self._under_way.begin(delivery.receiver, self._serve(delivery))

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        await self._under_way.settle()

    async def close(self) -> None:
        """Cancel what is under way; its leases run out and it is taken up again."""
        await self._under_way.close()

    async def _room(self) -> int:
        """How many more can be served after a moment; 0 where all that are served take longer."""
        await self._under_way.wait(_MOMENT)
        return self._at_once - len(self._under_way)

    async def _keep_house(self, now: datetime) -> None:
        async with self._pool.acquire() as connection:
            if not self._are_known:
                known = [
                    Known(one.kind, one.name, one.fingerprint)
                    for one in self._receivers.by_name.values()
                    if one.kind == self._kind
                ]
                for name in await standings.meet(connection, known, now):
                    self._log.info("a receiver is enabled by its configuration", receiver=name)
                self._are_known = True
            expired = await deliveries.expire(
                connection,
                self._kind,
                now=now,
                since=now - self._give_up,
                reason=Reason.DISABLED,
            )
            off = await standings.disabled(connection)
        if expired:
            self._metrics.notifications.labels(self._kind, "refused", Reason.DISABLED).inc(expired)
        self._metrics.receivers_disabled.labels(self._kind).set(off.get(self._kind, 0))

    async def _claim(
        self, limit: int, now: datetime, receiver: str | None = None
    ) -> list[Delivery]:
        busy = self._under_way if receiver is None else ()
        async with self._pool.acquire() as connection:
            return await self._take(
                connection,
                self._kind,
                busy=busy,
                limit=limit,
                leased_until=now + self._lease,
                now=now,
                receiver=receiver,
            )

    async def _serve(self, first: Delivery) -> None:
        """Bring one receiver what waits for it, until it fails or others should have a turn."""
        run, turns = [first], 0
        while run and await self._deliver(run[0]):
            turns += 1
            if turns >= _RUN and len(self._under_way) >= self._at_once:
                return
            try:
                run = await self._claim(1, self._clock.now(), first.receiver)
            except Exception as error:
                if not is_transient(error):
                    raise
                return

    async def _deliver(self, delivery: Delivery) -> bool:
        outcome = await self._attempt(delivery)
        failpoint("delivery.after-send")
        self._metrics.notifications.labels(self._kind, outcome.name, outcome.reason).inc()
        self._log.info(
            "a delivery was tried",
            delivery=str(delivery.id),
            receiver=delivery.receiver,
            attempt=delivery.attempts,
            outcome=outcome.name,
            reason=outcome.reason,
            error=None if isinstance(outcome, Delivered) else outcome.error,
        )
        try:
            await self._note(delivery, outcome)
        except Exception as error:
            if not is_transient(error):
                raise
            # The lease runs out and it is sent once more under its id: at least once.
            self._log.warning("an outcome could not be noted", error=repr(error))
            return False
        failpoint("delivery.after-mark")
        if not isinstance(outcome, Delivered):
            return False
        if delivery.news_at is not None:
            took = self._clock.now() - delivery.news_at
            self._metrics.latency.labels(self._kind).observe(took.total_seconds())
        return True

    async def _attempt(self, delivery: Delivery) -> Outcome:
        receiver = self._receivers.by_name.get(delivery.receiver)
        if receiver is None or receiver.kind != self._kind:
            # Another process may have read a newer file.
            return Retry(
                "the receiver is not in the receivers file", reason=Reason.UNKNOWN_RECEIVER
            )
        end = self._lease.total_seconds() * _PART_OF_LEASE
        try:
            async with asyncio.timeout(end):
                return await self._send(receiver, delivery)
        except TimeoutError:
            return Retry(f"no outcome within {end:.0f} s", reason=Reason.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - logged with its trace
            # One message that we cannot render must not stop the others.
            self._log.exception("a delivery failed by a mistake of ours", delivery=str(delivery.id))
            return Retry(f"a mistake of ours: {type(error).__name__}", reason=Reason.FAULT)

    async def _note(self, delivery: Delivery, outcome: Outcome) -> None:
        now = self._clock.now()
        failures, rest = 0, None
        attempt = delivery.attempts
        async with self._pool.acquire() as connection, connection.transaction():
            match outcome:
                case Delivered(reason=reason):
                    await deliveries.mark_delivered(connection, delivery.id, now, reason)
                case Refused(error=error, reason=reason):
                    await deliveries.mark_failed(
                        connection, delivery.id, now, error, reason, attempt=attempt
                    )
                    if reason is Reason.GONE:
                        await self._disable(connection, delivery.receiver, error, now)
                case Retry(error=error, asked=asked, reason=reason):
                    failures = delivery.failures + 1
                    rest = self._later(failures, asked, now)
                    if now - delivery.created_at >= self._give_up:
                        await deliveries.mark_failed(
                            connection, delivery.id, now, error, reason, attempt=attempt
                        )
                    else:
                        again = self._later(attempt, asked, now)
                        await deliveries.mark_retry(
                            connection, delivery.id, again, error, reason, attempt=attempt
                        )
            if delivery.leased_until is not None:
                await standings.release(
                    connection,
                    delivery.receiver,
                    delivery.leased_until,
                    failures=failures,
                    resting_until=rest,
                    error=None if isinstance(outcome, Delivered) else outcome.error,
                    at=now,
                )

    async def _disable(
        self, connection: asyncpg.Connection, name: str, error: str, now: datetime
    ) -> None:
        receiver = self._receivers.by_name[name]
        await standings.disable(
            connection, name, now, reason=error, fingerprint=receiver.fingerprint
        )
        self._log.error(
            "a receiver wants no more and is disabled; "
            "mend its entry in the receivers file, or enable it over HTTP",
            receiver=name,
            error=error,
        )

    def _later(self, attempts: int, asked: timedelta | None, now: datetime) -> datetime:
        return next_attempt(attempts, jitter=self._jitter(), asked=asked, now=now)
