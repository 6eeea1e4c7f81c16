"""Tell of promises that were broken: their alerts fire again, with that reason."""

from datetime import datetime

import asyncpg
import structlog

from contracts.times import local_day
from services.notifier.core.acknowledgement import fire_again, is_broken
from services.notifier.metrics import NotifierMetrics
from services.notifier.store import Turn, alerts, take_turn, works


class Promising:
    """The keeper of promises."""

    def __init__(self, pool: asyncpg.Pool, metrics: NotifierMetrics) -> None:
        self._pool = pool
        self._metrics = metrics
        self._log = structlog.get_logger(__name__)

    async def step(self, now: datetime) -> None:
        """Break every promise whose day has passed while its alert still fires."""
        today = local_day(now)
        async with self._pool.acquire() as connection, connection.transaction():
            # Alerts are changed by one process at a time; see `Evaluating`.
            if not await take_turn(connection, Turn.EVALUATE):
                return
            overdue = await works.overdue(connection, today)
            said = await works.acknowledgements(connection, [alert.id for alert in overdue])
            broken = [alert for alert in overdue if is_broken(alert, said[alert.id], today)]
            steps = [fire_again(alert, now) for alert in broken]
            await alerts.apply(connection, steps)
            for alert in broken:
                await works.break_promise(connection, alert.id, now)
        for step in steps:
            if step.event is not None:
                self._metrics.judgements.labels(step.event.data.reason).inc()
                self._log.info("a promise was broken", alert=str(step.alert.id))
