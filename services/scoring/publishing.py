"""The outbox: tells ``indicator-events.v1`` what changed, and ``rejected-events.v1`` what failed.

A figure is to be told as long as its version is above the one that has been told; a refusal as long
as it is in the table. Both are marked only after the broker has acknowledged. Ids follow from what
is told, so telling twice is harmless. Between two rounds only the latest version of a figure is told.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer

from contracts.catalogue import Catalogue
from contracts.pace import shown
from contracts.rejected import rejection_key
from contracts.topics import (
    CLOUDEVENTS_JSON,
    CONTENT_TYPE_HEADER,
    INDICATOR_EVENTS,
    REJECTED_EVENTS,
)
from contracts.updates import IndicatorUpdatedData, indicator_updated
from services.chassis.database import load_queries
from services.chassis.failpoints import failpoint

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "rollup.sql")
_HEADERS: Final = [(CONTENT_TYPE_HEADER, CLOUDEVENTS_JSON.encode())]

#: Figures or refusals told in one round.
ROUND: Final = 5_000


class Publisher:
    """Sends what is to be told and marks it as told."""

    def __init__(self, producer: AIOKafkaProducer, catalogue: Catalogue) -> None:
        self._producer = producer
        self._feeds = {one.id: catalogue.feeds_of(one) for one in catalogue}

    async def tell_figures(self, connection: asyncpg.Connection) -> int:
        """Tell one round of changed figures; returns how many.

        Raises:
            asyncpg.PostgresError, OSError, aiokafka.errors.KafkaError: some may have been told
                without being marked; they are told again, under the same ids.
        """
        rows = await connection.fetch(_SQL["read_figures_to_tell"], ROUND)
        if not rows:
            return 0
        heard = await connection.fetch(_SQL["read_freshness"])
        fresh_at = {row["domain"]: row["fresh_at"] for row in heard}
        failpoint("outbox.before-send")
        sent = []
        for row in rows:
            event = indicator_updated(self._data(row, fresh_at))
            key, value = row["area_id"].encode(), event.model_dump_json().encode()
            sent.append(await self._producer.send(INDICATOR_EVENTS, value, key, headers=_HEADERS))
        for acknowledged in sent:
            await acknowledged
        failpoint("outbox.after-acknowledgement")
        columns = [
            [row[name] for row in rows] for name in ("area_id", "indicator", "basis", "version")
        ]
        await connection.execute(_SQL["mark_figures_told"], *columns)
        return len(rows)

    async def tell_refusals(self, connection: asyncpg.Connection) -> int:
        """Tell one round of refused records; returns how many. Raises as `tell_figures`."""
        rows = await connection.fetch(_SQL["read_refusals_to_tell"], ROUND)
        sent = [
            await self._producer.send(
                REJECTED_EVENTS, row["record"].encode(), rejection_key(row["source"])
            )
            for row in rows
        ]
        for acknowledged in sent:
            await acknowledged
        if rows:
            columns = [[row[name] for row in rows] for name in ("shard", "record_offset")]
            await connection.execute(_SQL["forget_refusals"], *columns)
        return len(rows)

    def _data(
        self, row: Mapping[str, Any], fresh_at: Mapping[str, datetime]
    ) -> IndicatorUpdatedData:
        feeds = [fresh_at.get(feed) for feed in self._feeds.get(row["indicator"], ())]
        known = [moment for moment in feeds if moment is not None]
        return IndicatorUpdatedData(
            area=row["area_id"],
            indicator=row["indicator"],
            basis=row["basis"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            value=shown(row["numerator"], row["denominator"], row["value"]),
            period=row["period"],
            version=row["version"],
            updated_at=row["updated_at"],
            fresh_at=min(known) if known and len(known) == len(feeds) else None,
        )
