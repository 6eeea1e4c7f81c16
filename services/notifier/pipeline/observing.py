"""Bring the gauges about the store up to date.

Each process shows the whole store, so that any one of them can be asked; add nothing up over
processes.
"""

from datetime import datetime
from itertools import product
from typing import get_args

import asyncpg

from contracts.updates import AlertState, Severity
from services.notifier.core.alert import AlertKind
from services.notifier.metrics import NotifierMetrics
from services.notifier.store import observed


class Observing:
    """The observer of the store."""

    def __init__(self, pool: asyncpg.Pool, metrics: NotifierMetrics) -> None:
        self._pool = pool
        self._metrics = metrics
        self._receivers = set[str]()

    async def step(self, now: datetime) -> None:
        """Look once."""
        async with self._pool.acquire() as connection:
            found = await observed.look(connection)
        metrics = self._metrics
        for labels in product(get_args(AlertState), get_args(AlertKind), get_args(Severity)):
            metrics.alerts.labels(*labels).set(found.alerts.get(labels, 0))
        metrics.outbox_waiting.set(found.outbox)
        metrics.deliveries_waiting.set(sum(one.number for one in found.waiting.values()))
        # Also of kinds for which nothing waits any more.
        self._receivers |= found.waiting.keys()
        for receiver in self._receivers:
            waiting = found.waiting.get(receiver)
            age = (now - waiting.oldest).total_seconds() if waiting is not None else 0.0
            metrics.oldest_delivery.labels(receiver).set(max(age, 0.0))
