"""Invented figures far under their pace, written to ``indicator-events.v1`` as scoring does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.topics import INDICATOR_EVENTS
from contracts.updates import IndicatorUpdatedData, indicator_updated
from services.notifier.pipeline.consuming import GROUP
from tests.fault.waiting import until

#: It has a target, and events feed it.
_INDICATOR: Final = "ds.smartphone"
_DENOMINATOR: Final = 1_000
_NUMERATOR: Final = 100


class Feed:
    """Sends figures, each with a version that grows; one unit makes one alert."""

    def __init__(self, bootstrap: str, areas: Sequence[str]) -> None:
        self._bootstrap = bootstrap
        self._areas = areas
        self._version = 0
        self.sent = 0
        """Of so many units a figure has been sent."""

    @property
    def newest(self) -> int:
        """The highest version that has been sent."""
        return self._version + 1 if self.sent else 0

    async def wave(self, size: int) -> None:
        """Send the first figures of so many more units."""
        areas = self._areas[self.sent : self.sent + size]
        self.sent += len(areas)
        await self._send(areas, 0)

    async def nudge(self, size: int) -> None:
        """Send newer figures of units that have been told of: no news."""
        self._version += 1
        await self._send(self._areas[: min(size, self.sent)], self._version)

    async def begin_again(self) -> None:
        """Set the group's offsets back to the beginning; nobody may be in the group."""
        async with AIOKafkaConsumer(INDICATOR_EVENTS, bootstrap_servers=self._bootstrap) as reader:
            begin = await reader.beginning_offsets(list(reader.assignment()))
        async with AIOKafkaConsumer(bootstrap_servers=self._bootstrap, group_id=GROUP) as member:
            member.assign(list(begin))
            await member.commit(begin)

    async def _send(self, areas: Sequence[str], version: int) -> None:
        async def sent() -> bool:
            # A record that came through twice is the same figure.
            try:
                await self._produce(areas, version)
            except (KafkaError, OSError):
                return False
            return True

        await until(sent)

    async def _produce(self, areas: Sequence[str], version: int) -> None:
        now = datetime.now(UTC)
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all")
        try:
            await producer.start()
            for area in areas:
                data = IndicatorUpdatedData(
                    area=area,
                    indicator=_INDICATOR,
                    basis="events",
                    numerator=_NUMERATOR + version,
                    denominator=_DENOMINATOR,
                    value=Decimal(_NUMERATOR + version) / 10,
                    version=version + 1,
                    updated_at=now,
                    fresh_at=now,
                )
                event = indicator_updated(data).model_dump_json()
                await producer.send(INDICATOR_EVENTS, event.encode(), key=area.encode())
            await producer.flush()
        finally:
            # Also one that found no broker; its context would leave it open.
            await producer.stop()
