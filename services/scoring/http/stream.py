"""``GET /v1/stream``: what ``indicator-events.v1`` tells, as server-sent events.

Every process reads the whole topic from its end on, without a consumer group, and passes the events
to its listeners. A listener that does not keep up is let go and may come back: the figures
themselves are always at the other routes. Source: HTML Standard, "Server-sent events".
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, Query
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry, Gauge
from sse_starlette import EventSourceResponse, ServerSentEvent

from contracts.tokens import Principal
from contracts.updates import IndicatorUpdated
from services.chassis.batches import Batch, subscribe

EVENT_NAME: Final = "indicator.updated"

#: Events that a listener may be behind before it is let go.
_QUEUE: Final = 10_000
_PING_SECONDS: Final = 15


class Stream:
    """Passes indicator events on to whoever listens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._listeners: set[asyncio.Queue[IndicatorUpdated | None]] = set()
        self._log = structlog.get_logger(__name__)
        listening = Gauge(
            "scoring_stream_listeners", "Open streams of indicator.updated", registry=registry
        )
        listening.set_function(lambda: len(self._listeners))

    def subscribe(self, broker: KafkaBroker, topic: str) -> None:
        """Read the topic of indicator events from its end on."""
        subscribe(broker, topic, self._handle, group_id=None, poll_seconds=0.2, from_end=True)

    async def events(self, area: str | None, indicator: str | None) -> AsyncIterator[Any]:
        """What is told from now on, as server-sent events."""
        queue: asyncio.Queue[IndicatorUpdated | None] = asyncio.Queue(_QUEUE)
        self._listeners.add(queue)
        try:
            # A listener who has read this misses nothing from here on.
            yield ServerSentEvent(comment="listening")
            while (event := await queue.get()) is not None:
                if area is not None and event.data.area != area:
                    continue
                if indicator is not None and event.data.indicator != indicator:
                    continue
                yield ServerSentEvent(event.model_dump_json(), event=EVENT_NAME, id=event.id)
        finally:
            self._listeners.discard(queue)

    async def _handle(self, batch: Batch) -> None:
        if not self._listeners:
            return
        for record in batch:
            try:
                event = IndicatorUpdated.model_validate_json(record.value or b"")
            except ValueError:
                self._log.warning(
                    "an unreadable indicator event is not streamed",
                    partition=record.partition,
                    offset=record.offset,
                )
                continue
            for queue in tuple(self._listeners):
                self._offer(queue, event)

    def _offer(
        self, queue: asyncio.Queue[IndicatorUpdated | None], event: IndicatorUpdated
    ) -> None:
        if not queue.full():
            queue.put_nowait(event)
            return
        self._let_go(queue)

    def _let_go(self, queue: asyncio.Queue[IndicatorUpdated | None]) -> None:
        self._listeners.discard(queue)
        # What it has not read it will find at the other routes.
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def close(self) -> None:
        """End all open streams."""
        for queue in tuple(self._listeners):
            self._let_go(queue)


def stream_route(stream: Stream, authorised: Callable[..., Principal]) -> APIRouter:
    """The router of the stream; it wants a reader's token."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(authorised)])

    @router.get("/stream", response_class=EventSourceResponse)
    async def stream_of_updates(
        area: Annotated[str | None, Query(description="of one unit only")] = None,
        indicator: Annotated[str | None, Query(description="of one indicator only")] = None,
    ) -> EventSourceResponse:
        """Server-sent events `indicator.updated`, from now on; data is the CloudEvent."""
        return EventSourceResponse(stream.events(area, indicator), ping=_PING_SECONDS)

    return router
