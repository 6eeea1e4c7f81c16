"""The stream's listeners: told in order, let go when they are slow or the service stops."""

import asyncio
from typing import Any

from prometheus_client import CollectorRegistry

from contracts.examples import UPDATE_EXAMPLES
from contracts.updates import IndicatorUpdated
from services.scoring.http.stream import Stream

EVENT = IndicatorUpdated.model_validate(UPDATE_EXAMPLES["vn.nhipso.indicator.updated.v1"])


def offer(stream: Stream, times: int) -> None:
    for _ in range(times):
        for queue in tuple(stream._listeners):
            stream._offer(queue, EVENT)


async def listening(stream: Stream) -> Any:
    events = stream.events(None, None)
    await anext(events)
    return events


async def test_a_listener_that_does_not_keep_up_is_let_go() -> None:
    registry = CollectorRegistry()
    stream = Stream(registry)
    slow = await listening(stream)
    offer(stream, 10_000)
    assert registry.get_sample_value("scoring_stream_listeners") == 1
    offer(stream, 1)
    assert registry.get_sample_value("scoring_stream_listeners") == 0
    assert [event async for event in slow] == []


async def test_closing_ends_streams_that_are_full_too() -> None:
    stream = Stream(CollectorRegistry())
    full, empty = await listening(stream), await listening(stream)
    offer(stream, 10_000)
    stream.close()
    async with asyncio.timeout(5):
        assert [event async for event in full] == []
        assert [event async for event in empty] == []


async def test_a_listener_may_ask_for_one_unit_or_one_indicator() -> None:
    stream = Stream(CollectorRegistry())
    mine, others = stream.events("2025:02647", "ds.smartphone"), stream.events("2025:04252", None)
    await anext(mine)
    await anext(others)
    offer(stream, 1)
    assert (await anext(mine)).id == EVENT.id
    stream.close()
    assert [event async for event in others] == []
