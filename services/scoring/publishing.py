"""The outbox: tells ``indicator-events.v1`` what changed, and ``rejected-events.v1`` what failed.

A figure is to be told as long as the round that changed it is above the last one that has been
told; a refusal as long as it is in the table. Both are marked only after the broker has
acknowledged. Ids follow from what is told, so telling twice is harmless. Of a figure that changes
more than once before it is told, the latest version is.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from contracts.catalogue import Catalogue
from contracts.rejected import rejection_key
from contracts.topics import CLOUDEVENTS_JSON, CONTENT_TYPE_HEADER
from services.chassis.database import load_queries
from services.chassis.failpoints import failpoint
from services.scoring.settings import TopicSettings
from services.scoring.updates import encode

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "rollup.sql")
_TOPICS_OF_CONTRACT: Final = TopicSettings()
_HEADERS: Final = [(CONTENT_TYPE_HEADER, CLOUDEVENTS_JSON.encode())]

#: Figures that are read, and refusals that are told, at a time.
PAGE: Final = 5_000
#: After so many figures others get their turn: about two milliseconds.
_TURN: Final = 250


class Publisher:
    """Sends what is to be told and marks it as told."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        catalogue: Catalogue,
        topics: TopicSettings = _TOPICS_OF_CONTRACT,
    ) -> None:
        self._producer = producer
        self._topics = topics
        self._feeds = {one.id: catalogue.feeds_of(one) for one in catalogue}

    async def tell_figures(self, connection: asyncpg.Connection) -> int:
        """Tell all figures that have changed since the last time; returns how many.

        The mark is the last round there was at the beginning, so what changes meanwhile is told the
        next time, whether or not it has been told in the meantime.

        Raises:
            asyncpg.PostgresError, OSError, aiokafka.errors.KafkaError: some may have been told
                without being marked; they are told again, under the same ids.
        """
        rounds = await connection.fetchrow(_SQL["read_rounds"])
        if rounds["told"] >= rounds["rolled_up"]:
            return 0
        heard = await connection.fetch(_SQL["read_freshness"])
        fresh_at = self._fresh_at({row["domain"]: row["fresh_at"] for row in heard})
        failpoint("outbox.before-send")
        count, last = 0, ("", "", "")
        while True:
            rows = await connection.fetch(_SQL["read_figures_to_tell"], rounds["told"], *last, PAGE)
            await self._send(rows, fresh_at)
            count += len(rows)
            if len(rows) < PAGE:
                break
            last = tuple(rows[-1])[: len(last)]
        failpoint("outbox.after-acknowledgement")
        await connection.execute(_SQL["mark_told"], rounds["rolled_up"])
        return count

    async def tell_refusals(self, connection: asyncpg.Connection) -> int:
        """Tell a page of refused records; returns how many. Raises as `tell_figures`."""
        rows = await connection.fetch(_SQL["read_refusals_to_tell"], PAGE)
        sent = [
            await self._producer.send(
                self._topics.rejected_events, row["record"].encode(), rejection_key(row["source"])
            )
            for row in rows
        ]
        for acknowledged in sent:
            await acknowledged
        if rows:
            columns = [[row[name] for row in rows] for name in ("shard", "record_offset")]
            await connection.execute(_SQL["forget_refusals"], *columns)
        return len(rows)

    async def _send(self, rows: list[asyncpg.Record], fresh_at: Mapping[str, datetime]) -> None:
        """Send figures, and wait until the broker has acknowledged them all.

        A producer takes whole batches for a fraction of what it takes for as many records. They go
        where the producer would have sent each of them.
        """
        partitions = sorted(await self._producer.partitions_for(self._topics.indicator_events))
        choose, chosen = DefaultPartitioner(), dict[bytes, int]()
        open_batches: dict[int, BatchBuilder] = {}
        sent: list[asyncio.Future[RecordMetadata]] = []
        for place, row in enumerate(rows, start=1):
            key, value = row["area_id"].encode(), encode(row, fresh_at.get(row["indicator"]))
            partition = chosen.get(key)
            if partition is None:
                partition = chosen[key] = choose(key, partitions, partitions)
            batch = open_batches.get(partition)
            if batch is None or not _added(batch, key, value):
                if batch is not None:
                    sent.append(await self._submit(batch, partition))
                batch = open_batches[partition] = self._producer.create_batch()
                _added(batch, key, value)
            if place % _TURN == 0:
                await asyncio.sleep(0)
        for partition, batch in open_batches.items():
            sent.append(await self._submit(batch, partition))
        await asyncio.gather(*sent)

    async def _submit(self, batch: BatchBuilder, partition: int) -> asyncio.Future[RecordMetadata]:
        # An open one would wait for more.
        batch.close()
        future: asyncio.Future[RecordMetadata] = await self._producer.send_batch(
            batch, self._topics.indicator_events, partition=partition
        )
        return future

    def _fresh_at(self, heard: Mapping[str, datetime]) -> dict[str, datetime]:
        """When what feeds an indicator was last heard of (of several, the one silent longest).

        Indicators of which a feed has never been heard are left out.
        """
        return {
            indicator: min(heard[feed] for feed in feeds)
            for indicator, feeds in self._feeds.items()
            if feeds and feeds <= heard.keys()
        }


def _added(batch: BatchBuilder, key: bytes, value: bytes) -> bool:
    """Whether a batch had room; the first record always finds some."""
    added = batch.append(timestamp=None, key=key, value=value, headers=_HEADERS)
    return added is not None
