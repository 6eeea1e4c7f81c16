"""The register in PostgreSQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg

from services.chassis.database import load_queries

_SQL: Final = load_queries(Path(__file__).parent.parent / "sql" / "sources.sql")


@dataclass(frozen=True, slots=True)
class Source:
    """What an operator says of a source."""

    source: str
    domains: frozenset[str]
    title: str
    contact: str


@dataclass(frozen=True, slots=True)
class Registered:
    """A source of the register."""

    said: Source
    added_at: datetime
    changed_at: datetime


Registration = Literal["added", "unchanged", "replaced", "other"]
"""What became of a registration; `other` means that the source is there with other content."""


class SourceStore:
    """Reads and writes the register."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def register(
        self, said: Source, *, replace: bool, by: str, now: datetime
    ) -> tuple[Registration, Registered]:
        """Add a source; what is there already is replaced only when that is asked for."""
        row = (said.source, sorted(said.domains), said.title, said.contact, now, by)
        done = await self._pool.execute(_SQL["add"], *row)
        added = not done.endswith(" 0")
        known = await self._read(said.source)
        if added:
            return "added", known
        if known.said == said:
            return "unchanged", known
        if not replace:
            return "other", known
        await self._pool.execute(_SQL["replace"], *row)
        return "replaced", await self._read(said.source)

    async def all(self) -> list[Registered]:
        """All sources, by name."""
        return [_registered(row) for row in await self._pool.fetch(_SQL["list"])]

    async def open_rejections(self) -> Mapping[str, int]:
        """How many refused events wait to be worked on, by source; none where none do."""
        rows = await self._pool.fetch(_SQL["count_open_rejections"])
        return {row["source"]: row["open"] for row in rows}

    async def of(self, caller: str) -> tuple[frozenset[str], frozenset[str]]:
        """The sources and domains that the register grants to who sends as this `sub`."""
        row = await self._pool.fetchrow(_SQL["read"], caller)
        if row is None:
            return frozenset(), frozenset()
        said = _registered(row).said
        return frozenset({said.source}), said.domains

    async def _read(self, source: str) -> Registered:
        return _registered(await self._pool.fetchrow(_SQL["read"], source))


def _registered(row: Any) -> Registered:
    said = Source(row["source"], frozenset(row["domains"]), row["title"], row["contact"])
    return Registered(said, row["added_at"], row["changed_at"])
