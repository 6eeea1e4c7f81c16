"""Keep Alertmanagers at what fires: the whole state, again and again, each by itself.

Nothing is logged before it is sent, because nothing can be lost: the next round tells all again.
"""

from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog

from services.chassis.clock import Clock
from services.chassis.database import is_transient
from services.notifier.core.causes import Domain
from services.notifier.links import NO_LINKS, Links
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.under_way import UnderWay
from services.notifier.receivers.alertmanager.rendering import postable
from services.notifier.receivers.alertmanager.sending import (
    KIND,
    AlertmanagerReceiver,
    AlertmanagerSender,
)
from services.notifier.receivers.outcome import Delivered, Outcome, Reason, Refused, Retry
from services.notifier.receivers.reading import Receivers
from services.notifier.store import mirror
from services.notifier.store import receivers as standings
from services.notifier.store.receivers import Known

CHUNK: Final = 500
"""So many alerts go in one request."""

ENDED_FOR: Final = timedelta(minutes=15)
"""So long what has ended is told; a receiver that was away longer sees it end by itself."""

_LIVES: Final = 4
"""An alert ends there by itself after so many rounds without a word."""


class Mirroring:
    """The sender of states."""

    def __init__(
        self,
        sender: AlertmanagerSender,
        *,
        pool: asyncpg.Pool,
        receivers: Receivers,
        domain: Domain,
        metrics: NotifierMetrics,
        clock: Clock,
        every: timedelta,
        links: Links = NO_LINKS,
    ) -> None:
        """`every` is the time from round to round."""
        self._sender = sender
        self._pool = pool
        self._mirrors = receivers.mirrors
        self._domain = domain
        self._metrics = metrics
        self._clock = clock
        self._every = every
        self._links = links
        self._under_way = UnderWay()
        self._are_known = False
        self._log = structlog.get_logger(__name__)

    async def step(self, now: datetime) -> None:
        """Begin the rounds that are due; do not wait for them."""
        self._under_way.reap()
        if not self._mirrors:
            return
        async with self._pool.acquire() as connection:
            if not self._are_known:
                known = [Known(one.kind, one.name, one.fingerprint) for one in self._mirrors]
                await standings.meet(connection, known, now)
                self._are_known = True
            off = await standings.disabled(connection)
        self._metrics.receivers_disabled.labels(KIND).set(off.get(KIND, 0))
        for receiver in self._mirrors:
            if receiver.name in self._under_way:
                continue
            async with self._pool.acquire() as connection:
                failures = await mirror.begin(
                    connection, receiver.name, now=now, last_before=now - self._every
                )
            if failures is not None:
                self._under_way.begin(receiver.name, self._round(receiver, failures, now))

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        await self._under_way.settle()

    async def close(self) -> None:
        """Cancel what is under way; the next round tells all again."""
        await self._under_way.close()

    async def _round(self, receiver: AlertmanagerReceiver, failures: int, now: datetime) -> None:
        try:
            outcome = await self._tell(receiver, now)
            await self._note(receiver, outcome, failures)
        except Exception as error:
            if not is_transient(error):
                raise
            self._log.warning("a round could not be made", error=repr(error))

    async def _tell(self, receiver: AlertmanagerReceiver, now: datetime) -> Outcome:
        async with self._pool.acquire() as connection:
            alerts = await mirror.standing(
                connection, self._units(receiver), ended_since=now - ENDED_FOR
            )
        lasts = self._every * _LIVES
        for first in range(0, len(alerts), CHUNK):
            chunk = [
                postable(
                    alert, self._domain, now=now, lasts=lasts, page=self._links.page(alert.area)
                )
                for alert in alerts[first : first + CHUNK]
            ]
            outcome = await self._sender.post(receiver, chunk)
            self._metrics.notifications.labels(KIND, outcome.name, outcome.reason).inc()
            if not isinstance(outcome, Delivered):
                return outcome
        return Delivered()

    def _units(self, receiver: AlertmanagerReceiver) -> list[str] | None:
        if receiver.area is None:
            return None
        if not receiver.with_units_below:
            return [receiver.area]
        return sorted(self._domain.areas.below(receiver.area))

    async def _note(self, receiver: AlertmanagerReceiver, outcome: Outcome, failures: int) -> None:
        now, rest = self._clock.now(), None
        if isinstance(outcome, Delivered):
            failures = 0
        else:
            failures += 1
            asked = outcome.asked if isinstance(outcome, Retry) else None
            rest = now + asked if asked is not None else None
            self._log.warning(
                "an Alertmanager could not be told; the next round tells all again",
                receiver=receiver.name,
                outcome=outcome.name,
                reason=outcome.reason,
                error=outcome.error,
            )
        async with self._pool.acquire() as connection:
            await mirror.note(
                connection,
                receiver.name,
                failures=failures,
                resting_until=rest,
                error=None if isinstance(outcome, Delivered) else outcome.error,
                at=now,
            )
            if isinstance(outcome, Refused) and outcome.reason is Reason.GONE:
                await standings.disable(
                    connection,
                    receiver.name,
                    now,
                    reason=outcome.error,
                    fingerprint=receiver.fingerprint,
                )
