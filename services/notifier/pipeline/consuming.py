"""Take indicator events from Kafka into the store, a batch a transaction, then commit offsets.

Correctness rests on versions: an older or equal one changes nothing, so a batch may come any number
of times.
"""

from datetime import datetime
from typing import Final

import asyncpg
from faststream.kafka import KafkaBroker

from contracts.catalogue import Catalogue
from contracts.topics import INDICATOR_EVENTS
from contracts.updates import IndicatorUpdated
from services.chassis.failpoints import failpoint
from services.notifier.core.intake import digest
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.records import Records
from services.notifier.store import days, figures

GROUP: Final = "notifier"


class Consuming:
    """The subscriber of ``indicator-events.v1``."""

    def __init__(
        self,
        broker: KafkaBroker,
        pool: asyncpg.Pool,
        catalogue: Catalogue,
        metrics: NotifierMetrics,
    ) -> None:
        """Subscribe on a broker that has not been started yet."""
        self._pool = pool
        self._catalogue = catalogue
        self._metrics = metrics
        self._records = Records(
            broker, INDICATOR_EVENTS, IndicatorUpdated, self._take, group=GROUP, metrics=metrics
        )

    async def watch(self) -> None:
        """Wait for what could not be explained, and raise it."""
        await self._records.watch()

    async def check(self) -> str | None:
        """For readiness: None while partitions are assigned to this process."""
        return await self._records.check()

    async def observe_lag(self, now: datetime) -> None:  # noqa: ARG002 - a step of a beat
        """Bring the lag's gauge up to date."""
        consumer, taken = self._records.consumer, self._records.taken
        if consumer is None:
            return
        for lost in taken.keys() - consumer.assignment():
            del taken[lost]
            # Its new owner tells its lag from now on.
            self._metrics.consumer_lag.remove(str(lost.partition))
        for partition in consumer.assignment():
            if partition not in taken:
                committed = await consumer.committed(partition) or 0
                # A batch may have been taken, or the partition lost, while the broker was asked.
                taken.setdefault(partition, committed)
            if partition not in consumer.assignment():
                continue
            end = consumer.highwater(partition)
            # It is not known before the first fetch.
            if end is not None:
                lag = max(0, end - taken[partition])
                self._metrics.consumer_lag.labels(str(partition.partition)).set(lag)

    async def _take(self, events: list[IndicatorUpdated]) -> None:
        digested = digest(events, self._catalogue)
        async with self._pool.acquire() as connection, connection.transaction():
            await figures.hear(connection, digested.heard)
            await figures.upsert(connection, digested.figures)
            await days.upsert(connection, digested.days)
            failpoint("figures.before-commit")
        failpoint("figures.after-commit")
