"""The replay: records of the topic into a fresh schema, by the very code of the service."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, datetime
from typing import Final

import asyncpg
import stamina

from contracts.times import local_day
from services.chassis.clock import Clock
from services.chassis.database import is_transient
from services.scoring.care.switching import SQL
from services.scoring.care.topic import Topic
from services.scoring.core.records import UnreadableError
from services.scoring.shard import Refusal, Shards

#: How long PostgreSQL may be away before the rebuild gives up.
_PATIENCE_SECONDS: Final = 120.0
#: A shard is near once it lacks at most so many records; after so many rounds it is taken as it is.
_NEAR: Final = 5_000
_ROUNDS: Final = 5

#: Hears how many records have been read, and how many there are to read so far.
Hear = Callable[[int, int], None]


class Replay:
    """Brings shards of the fresh schema to where the service stands."""

    def __init__(
        self,
        *,
        live: asyncpg.Pool,
        shards: Shards,
        topic: Topic,
        begins: Mapping[int, int],
        clock: Clock,
        hear: Hear,
    ) -> None:
        self._live = live
        self._shards = shards
        self._topic = topic
        self._clock = clock
        self._hear = hear
        self._begins = begins
        self._at = dict(begins)
        self._ends = dict(begins)
        #: Records that were read, and offsets that the topic no longer has.
        self.events = 0
        self.missing = 0

    async def expect(self) -> None:
        """Look how far there is to go."""
        for row in await self._live.fetch(SQL["read_positions"]):
            if row["shard"] in self._ends:
                self._ends[row["shard"]] = row["next_offset"]

    async def approach(self, shard: int) -> None:
        """Read a shard until it is nearly where the service stands.

        Raises:
            CareError: the topic does not hold what it should.
            asyncpg.PostgresError, OSError, aiokafka.errors.KafkaError: a server does not answer.
        """
        for _ in range(_ROUNDS):
            await self.read_to(shard, await self._live.fetchval(SQL["read_position"], shard))
            ahead = await self._live.fetchval(SQL["read_position"], shard) - self._at[shard]
            if ahead <= _NEAR:
                return

    async def read_to(self, shard: int, end: int) -> None:
        """Take the records of a shard up to and without `end`. Raises as `approach`."""
        self._ends[shard] = end
        async for records in self._topic.read(shard, self._at[shard], end):
            async for attempt in patiently():
                with attempt:
                    # What is read in its order from the first record on has no gaps but real ones.
                    taken = await self._shards.take(
                        shard, records, self._clock.now(), gap_is_real=True
                    )
            self.events += len(records)
            self.missing += taken.missing
            self._at[shard] = taken.next_offset
            self._tell()

    async def step(self, shard: int) -> date:
        """Take a shard through today, as the service does at midnight; tells which day it is."""
        today = local_day(self._clock.now())
        async for attempt in patiently():
            with attempt:
                await self._shards.step(shard, today)
        return today

    def _tell(self) -> None:
        done = sum(self._at[shard] - begin for shard, begin in self._begins.items())
        self._hear(done, sum(self._ends[shard] - begin for shard, begin in self._begins.items()))


def patiently() -> AsyncIterator[stamina.Attempt]:
    """Attempts of what a lost connection or a restart of PostgreSQL may spoil."""
    return stamina.retry_context(
        on=is_transient, attempts=None, timeout=_PATIENCE_SECONDS, wait_initial=0.2, wait_max=5.0
    )


def refuse_silently(
    shard: int,  # noqa: ARG001 - as `Refuse` has it
    offset: int,
    value: bytes | None,  # noqa: ARG001
    error: UnreadableError,  # noqa: ARG001
    now: datetime,  # noqa: ARG001
) -> Refusal:
    """A refusal of a replay: the service has told of it when it read the record."""
    return Refusal(offset, "unknown", "{}")
