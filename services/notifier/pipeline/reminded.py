"""Take events about units' reports from Kafka into alerts, a batch a transaction.

An event that is no newer than what was taken of its unit and period changes nothing, so a batch may
come any number of times.
"""

from typing import Final

import asyncpg
from faststream.kafka import KafkaBroker

from contracts.report_events import ReportEvent
from contracts.topics import REPORT_EVENTS
from services.notifier.core.reports import judge, keys_of
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.records import Records
from services.notifier.store import alerts, reports

GROUP: Final = "notifier-reports"


class Reminded:
    """The subscriber of ``report-events.v1``."""

    def __init__(self, broker: KafkaBroker, pool: asyncpg.Pool, metrics: NotifierMetrics) -> None:
        """Subscribe on a broker that has not been started yet."""
        self._pool = pool
        self._metrics = metrics
        self._records = Records(
            broker, REPORT_EVENTS, ReportEvent, self.take, group=GROUP, metrics=metrics
        )

    async def watch(self) -> None:
        """Wait for what could not be explained, and raise it."""
        await self._records.watch()

    async def take(self, events: list[ReportEvent]) -> None:
        """Take a batch, in its order."""
        async with self._pool.acquire() as connection, connection.transaction():
            for event in events:
                if not await reports.advance(connection, event):
                    continue
                held = await alerts.open_of_keys(connection, keys_of(event))
                steps = list(judge(event, held))
                for step in steps:
                    self._metrics.judgements.labels(step.alert.reason.value).inc()
                await alerts.apply(connection, steps)
