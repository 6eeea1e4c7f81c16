"""Waits for records, and what the consumers of this process know when one was in vain."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """End what takes longer, and print where all tasks and consumers stand then.

    Raises:
        TimeoutError: it took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        for line in [*waiting_points(), *await where_consumers_stand()]:
            print(line)  # noqa: T201 - pytest shows it with the failure
        raise


def waiting_points() -> list[str]:
    """Each task that waits, with the places in the code that it waits at, the outermost first."""
    found = []
    for task in asyncio.all_tasks():
        places = []
        step: Any = task.get_coro()
        while step is not None:
            frame = getattr(step, "cr_frame", None) or getattr(step, "gi_frame", None)
            if frame is None:
                places.append(repr(step))
                break
            places.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
            step = getattr(step, "cr_await", None) or getattr(step, "gi_yieldfrom", None)
        found.append(f"{task.get_name()}: {' > '.join(places)}")
    return sorted(found)


async def where_consumers_stand() -> list[str]:
    """Each partition of each consumer that runs: its position, and where the broker's log ends."""
    found = []
    # aiokafka keeps no list of them.
    for consumer in [one for one in gc.get_objects() if isinstance(one, AIOKafkaConsumer)]:
        if consumer._closed or consumer._fetcher is None:
            continue
        state = consumer._subscription
        found.append(
            f"{consumer!r} of group {consumer._group_id}: "
            f"reassigning {state.reassignment_in_progress}, "
            f"unread {consumer._fetcher._records}, in flight {consumer._fetcher._in_flight}"
        )
        partitions = sorted(consumer.assignment())
        first = await consumer.beginning_offsets(partitions) if partitions else {}
        end = await consumer.end_offsets(partitions) if partitions else {}
        found += [
            f"  {one}: {_known(consumer, one)}, log {first[one]}-{end[one]}" for one in partitions
        ]
    return found


def _known(consumer: AIOKafkaConsumer, partition: TopicPartition) -> str:
    state = consumer._subscription.subscription.assignment.state_value(partition)
    position = state.position if state.has_valid_position else state._status
    return (
        f"position {position}, high water {state.highwater}, paused {state.paused}, "
        f"leader {consumer._client.cluster.leader_for_partition(partition)}"
    )
