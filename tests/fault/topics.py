"""Looks at the broker while it is being struck down: ends of topics, offsets, what has been told."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from contracts.topics import INDICATOR_EVENTS, SUBJECT_EVENTS
from contracts.updates import IndicatorUpdated, IndicatorUpdatedData
from tests.fault.store import GIVE_UP_SECONDS

T = TypeVar("T")

#: Of each topic here.
PARTITIONS: Final = 6

#: (area id, indicator id, basis)
Figure = tuple[str, str, str]

_REQUEST_MS: Final = 3_000
_GROUP: Final = "scoring"


class Topics:
    """A reader of the broker that begins anew whenever the broker was away."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._turn = asyncio.Lock()

    async def ends(self, topic: str = SUBJECT_EVENTS) -> dict[int, int]:
        """How many records each partition of a topic has."""

        async def ask() -> dict[int, int]:
            consumer = await self._reader()
            partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            found = await consumer.end_offsets(partitions)
            return {partition.partition: end for partition, end in found.items()}

        return await self._until_answered(ask)

    async def committed(self, group: str = _GROUP, topic: str = SUBJECT_EVENTS) -> dict[int, int]:
        """What a group has committed of a topic; scoring's, unless another is named."""

        async def ask() -> dict[int, int]:
            if self._admin is None:
                self._admin = AIOKafkaAdminClient(
                    bootstrap_servers=self._bootstrap, request_timeout_ms=_REQUEST_MS
                )
                await self._admin.start()
            offsets = await self._admin.list_consumer_group_offsets(group)
            return {
                partition.partition: at.offset
                for partition, at in offsets.items()
                if partition.topic == topic
            }

        return await self._until_answered(ask)

    async def read(self, topic: str, begin: Mapping[int, int]) -> list[ConsumerRecord]:
        """The records of a topic from these offsets to its present end, in order by partition."""
        ends = await self.ends(topic)

        async def ask() -> list[ConsumerRecord]:
            found: list[ConsumerRecord] = []
            consumer = await self._reader()
            partitions = {TopicPartition(topic, number): end for number, end in ends.items()}
            consumer.assign(list(partitions))
            for partition in partitions:
                consumer.seek(partition, begin.get(partition.partition, 0))
            while any([await consumer.position(one) < end for one, end in partitions.items()]):
                for partition, records in (await consumer.getmany(timeout_ms=100)).items():
                    found += [one for one in records if one.offset < partitions[partition]]
            return found

        return await self._until_answered(ask)

    async def close(self) -> None:
        """Let go of the broker."""
        admin, self._admin = self._admin, None
        consumer, self._consumer = self._consumer, None
        closing = [
            *([] if admin is None else [asyncio.ensure_future(admin.close())]),
            *([] if consumer is None else [asyncio.ensure_future(consumer.stop())]),
        ]
        # Not awaited themselves: aiokafka's clients may raise what they cancel inside.
        for done in (await asyncio.wait(closing))[0] if closing else ():
            done.cancelled() or done.exception()

    async def _reader(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                request_timeout_ms=_REQUEST_MS,
                enable_auto_commit=False,
                group_id=None,
            )
            await self._consumer.start()
        return self._consumer

    async def _until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        async with asyncio.timeout(GIVE_UP_SECONDS), self._turn:
            while True:
                try:
                    return await ask()
                except (KafkaError, OSError):
                    await self.close()
                    await asyncio.sleep(0.05)


class Told:
    """What ``indicator-events.v1`` has told of each figure, in the order in which it stands there."""

    def __init__(self) -> None:
        self.latest: dict[Figure, IndicatorUpdatedData] = {}
        self.backwards: list[str] = []
        """Records whose version is below one that stands before them."""
        self._read = Counter[int]()

    async def catch_up(self, topics: Topics) -> None:
        """Read what has come since the last time."""
        for record in await topics.read(INDICATOR_EVENTS, self._read):
            self._read[record.partition] = record.offset + 1
            event = IndicatorUpdated.model_validate_json(record.value or b"")
            figure = (event.data.area, event.data.indicator, event.data.basis)
            before = self.latest.get(figure)
            if before is not None and event.data.version < before.version:
                self.backwards.append(f"{event.id} comes after version {before.version}")
            else:
                self.latest[figure] = event.data
