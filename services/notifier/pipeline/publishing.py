"""Bring events from the outbox to ``alert-events.v1``; twice is harmless, their ids stay."""

from datetime import datetime
from typing import Final

import asyncpg
from faststream.kafka import KafkaBroker

from contracts.topics import ALERT_EVENTS, CLOUDEVENTS_JSON, CONTENT_TYPE_HEADER
from services.chassis.failpoints import failpoint
from services.notifier.store import Turn, alerts, take_turn

_CHUNK: Final = 500


class Publishing:
    """The publisher; the broker's producer must want ``acks=all``."""

    def __init__(self, broker: KafkaBroker, pool: asyncpg.Pool) -> None:
        self._broker = broker
        self._pool = pool

    async def step(self, now: datetime) -> None:  # noqa: ARG002 - a step of a beat
        """Publish all that waits, in order, and remove what the broker has acknowledged."""
        more = True
        while more:
            async with self._pool.acquire() as connection, connection.transaction():
                if not await take_turn(connection, Turn.PUBLISH):
                    return
                waiting = await alerts.next_outgoing(connection, _CHUNK)
                if waiting:
                    failpoint("alert-events.before-send")
                for event in waiting:
                    await self._broker.publish(
                        event.payload.encode(),
                        ALERT_EVENTS,
                        key=event.key.encode(),
                        headers={CONTENT_TYPE_HEADER: CLOUDEVENTS_JSON},
                        correlation_id=event.id,
                    )
                if waiting:
                    failpoint("alert-events.after-acknowledgement")
                    await alerts.mark_published(connection, [event.number for event in waiting])
                more = len(waiting) == _CHUNK
