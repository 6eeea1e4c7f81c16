"""What holds the processes of a bench back, so that all of them are measured over the same stretch.

The consumer waits before its first fetch until all processes have their partitions: no rebalance
falls into the measurement. Where a line is drawn, it also waits there until every process has come
to it: what lies before was loaded, what comes after is measured. Only fetching is held, at the
interface of aiokafka; past the last gate it is aiokafka's own again.
"""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

#: Made by the parent: the offset of each partition at which to hold (JSON), the sign to set off,
#: and the sign to cross the line.
LINE: Final = "line"
GO: Final = "go"
CROSS: Final = "cross"
#: Written by each process (its id follows): how many partitions it has; when its first record of
#: the measured stretch came.
ASSIGNED: Final = "assigned-"
BEGUN: Final = "begun-"

_LOOK_SECONDS: Final = 0.01

_Fetched = Mapping[TopicPartition, list[ConsumerRecord]]


def write(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    half = path.with_name(f".{path.name}")
    half.write_text(text, encoding="ascii")
    half.replace(path)


class Gate:
    """Holds the consumer of one topic in this process."""

    def __init__(self, folder: Path, topic: str) -> None:
        self._folder = folder
        self._topic = topic
        line = folder / LINE
        text = line.read_text("ascii") if line.exists() else "{}"
        self._line = {int(shard): offset for shard, offset in json.loads(text).items()}
        self._is_off = False
        self._paused: set[TopicPartition] = set()

    def close(self) -> None:
        """From now on the consumer of the topic is held."""
        fetch = AIOKafkaConsumer.getmany

        async def held(consumer: AIOKafkaConsumer, *args: Any, **kwargs: Any) -> _Fetched:
            if self._topic not in consumer.subscription():
                found: _Fetched = await fetch(consumer, *args, **kwargs)
                return found
            if not self._is_off:
                await self._together(consumer)
                self._is_off = True
            if self._line and (self._folder / CROSS).exists():
                self._line = {}
                consumer.resume(*self._paused & consumer.assignment())
            fetched: _Fetched = await fetch(consumer, *args, **kwargs)
            if self._line:
                return self._up_to_line(consumer, fetched)
            if any(fetched.values()):
                write(self._folder / f"{BEGUN}{os.getpid()}", repr(time.monotonic()))
                AIOKafkaConsumer.getmany = fetch
            return fetched

        AIOKafkaConsumer.getmany = held

    async def _together(self, consumer: AIOKafkaConsumer) -> None:
        told = -1
        while not (self._folder / GO).exists():
            assigned = len(consumer.assignment())
            if assigned != told:
                told = assigned
                write(self._folder / f"{ASSIGNED}{os.getpid()}", str(assigned))
            await asyncio.sleep(_LOOK_SECONDS)

    def _up_to_line(self, consumer: AIOKafkaConsumer, fetched: _Fetched) -> _Fetched:
        before: dict[TopicPartition, list[ConsumerRecord]] = {}
        for partition, records in fetched.items():
            end = self._line[partition.partition]
            before[partition] = [record for record in records if record.offset < end]
            if records and records[-1].offset + 1 >= end:
                consumer.seek(partition, end)
                consumer.pause(partition)
                self._paused.add(partition)
        return before
