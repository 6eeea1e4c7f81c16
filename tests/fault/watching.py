"""What must hold at every moment, looked at again and again while faults strike."""

import asyncio
from typing import Final

from tests.fault.store import Store
from tests.fault.topics import Figure, Told, Topics

_LOOK_SECONDS: Final = 0.3

_POSITIONS: Final = "SELECT shard, next_offset FROM shards"
_MARKED: Final = """
    SELECT area_id, indicator, basis, version FROM figures
    WHERE round <= (SELECT round FROM rounds WHERE step = 'told')
"""


class Watch:
    """Collects violations; there must be none."""

    def __init__(self, store: Store, topics: Topics) -> None:
        self._store = store
        self._topics = topics
        self._told = Told()
        self.looks = 0
        self.violations: list[str] = []

    async def kafka_never_leads(self) -> None:
        """Look without end whether Kafka's offsets stay behind PostgreSQL's positions."""
        while True:
            # In this order, since positions only go forward.
            committed = await self._topics.committed()
            positions = {
                row["shard"]: row["next_offset"] for row in await self._store.fetch(_POSITIONS)
            }
            self.looks += 1
            self.violations += [
                f"Kafka has committed {offset} of shard {shard}, PostgreSQL {positions.get(shard, 0)}"
                for shard, offset in committed.items()
                if offset > positions.get(shard, 0)
            ]
            await asyncio.sleep(_LOOK_SECONDS)

    async def what_is_marked_has_been_told(self) -> Told:
        """See that each version marked as told stands on the topic; returns what does."""
        marked: dict[Figure, int] = {
            (row["area_id"], row["indicator"], row["basis"]): row["version"]
            for row in await self._store.fetch(_MARKED)
        }
        await self._told.catch_up(self._topics)
        told = self._told.latest
        self.violations += [
            f"{'/'.join(figure)} is marked as told up to {version}, the topic has "
            f"{told[figure].version if figure in told else 'nothing'}"
            for figure, version in marked.items()
            if figure not in told or told[figure].version < version
        ]
        return self._told
