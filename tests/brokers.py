"""Brokers that forget what older tests have left."""

import asyncio
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

_PATIENCE_SECONDS: Final = 60


async def wipe(bootstrap: str) -> None:
    """Delete all topics, and wait until the groups have forgotten where they stood in them.

    A group that remembered would pass over the first records of a topic that is made anew.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            topics = [name for name in await admin.list_topics() if not name.startswith("__")]
            if topics:
                await admin.delete_topics(topics)
            while await _remembered(admin):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def _remembered(admin: AIOKafkaAdminClient) -> bool:
    """Whether a topic is still there, or a group still has an offset."""
    if any(not name.startswith("__") for name in await admin.list_topics()):
        return True
    for group, _ in await admin.list_consumer_groups():
        if await admin.list_consumer_group_offsets(group):
            return True
    return False
