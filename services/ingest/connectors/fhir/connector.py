"""Reads a FHIR server: a first fill in bulk if it is wanted, then searches by `_lastUpdated`."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, Final

from services.chassis.database import load_queries
from services.ingest.connectors.connector import (
    Cursor,
    Event,
    Kind,
    Page,
    RecordMapping,
    SourceRecord,
    Surroundings,
)
from services.ingest.connectors.fhir.bulk import Export, Folder
from services.ingest.connectors.fhir.config import FhirConfig, ResourceType
from services.ingest.connectors.fhir.mapping import map_record
from services.ingest.connectors.fhir.patients import Patients
from services.ingest.connectors.fhir.position import Position, progress_of, stamp_of
from services.ingest.connectors.fhir.reduction import Resource, reduce_record
from services.ingest.connectors.fhir.routes import router
from services.ingest.connectors.fhir.searching import Searching
from services.ingest.connectors.fhir.server import FhirServer
from services.ingest.core.identifiers import redact

_SQL: Final = load_queries(Path(__file__).parents[2] / "sql" / "fhir.sql")

#: What is taken in at once, whatever size a server gives its pages.
_MOST_AT_ONCE: Final = 500
_DIGEST_LETTERS: Final = 16


class FhirConnector:
    """An open connector of one FHIR server."""

    def __init__(self, config: FhirConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._around = surroundings
        self._events_of = mapping_for(config, surroundings)
        self._server = FhirServer(config, surroundings.clock)
        self._searching = Searching(self._server, config)
        self._patients = Patients(self._server, config, surroundings.clock)
        self._export = Export(self._server, config, surroundings.clock)
        self._pages: AsyncGenerator[Page] | None = None
        self._expected: Cursor = None

    async def read(self, cursor: Cursor | None) -> Page:
        """The next page of the present round; a round ends when nothing more is there.

        Raises:
            SourceError: the server does not answer as it should, or the cursor is another kind's.
        """
        if self._pages is None or cursor != self._expected:
            await self._leave_round()
            self._pages = self._round(progress_of(cursor))
        page = await anext(self._pages)
        self._expected = page.cursor
        if page.is_last:
            await self._leave_round()
        return page

    def map(self, original: bytes) -> Sequence[Event]:
        """See `mapping.map_record`."""
        return self._events_of(original)

    async def close(self) -> None:
        """End the round and the connections."""
        await self._leave_round()
        await self._server.close()

    async def _leave_round(self) -> None:
        pages, self._pages = self._pages, None
        if pages is not None:
            await pages.aclose()

    async def _round(self, cursor: dict[str, Any]) -> AsyncGenerator[Page]:
        if self._config.bulk is not None and not cursor.get("filled"):
            async with aclosing(self._fill(cursor)) as pages:
                async for page in pages:
                    cursor = page.cursor
                    yield page
                    if page.is_last:
                        return
        # Asked for first: what is missed while this round runs is caught up by the next.
        missed = await self._around.pool.fetchval(_SQL["read_missed"], self._around.name) or 0
        behind = missed != cursor.get("caught_up", 0)
        config = self._config
        overlap = config.catch_up_overlap_seconds if behind else config.overlap_seconds
        for kind in config.resource_types:
            async for page in self._sweep(kind, cursor, overlap):
                cursor = page.cursor
                yield page
        if behind:
            cursor = cursor | {"caught_up": missed}
        yield Page([], cursor, is_last=True)

    async def _sweep(
        self, kind: ResourceType, cursor: dict[str, Any], overlap: float
    ) -> AsyncIterator[Page]:
        """Read everything of a type from its position on."""
        before = position = Position.of(cursor.get(kind))
        start = before.start(overlap)
        if start is None and self._config.since is not None:
            start = stamp_of(self._config.since)
        reached: str | None = None
        async for found in self._searching.pages(kind, start):
            reached = found.complete_to
            fresh = {
                digest: (resource, stamp)
                for resource, stamp in zip(found.resources, found.stamps, strict=True)
                if not position.has(digest := self._digest(kind, resource))
            }
            rest = list(fresh.items())
            while rest:
                part, rest = rest[:_MOST_AT_ONCE], rest[_MOST_AT_ONCE:]
                records = await self._records([resource for _, (resource, _) in part])
                taken = {digest: stamp for digest, (_, stamp) in part}
                done = None if rest else reached
                position = position.after(taken, done, self._remembered)
                cursor = cursor | {kind: position.as_json()}
                yield Page(records, cursor, is_last=False)
        position = position.after({}, reached, self._remembered)
        if position != before:
            yield Page([], cursor | {kind: position.as_json()}, is_last=False)

    @property
    def _remembered(self) -> float:
        return max(self._config.overlap_seconds, 1.0)

    async def _fill(self, cursor: dict[str, Any]) -> AsyncGenerator[Page]:
        """The first fill, from the files of an export."""
        bulk = self._config.bulk
        source = Folder(bulk.folder, bulk.as_of) if bulk and bulk.folder else self._export
        async with aclosing(source.read(cursor.get("bulk"))) as readings:
            async for resources, progress, as_of in readings:
                records = await self._records(resources)
                if as_of is None:
                    cursor = cursor | {"bulk": progress}
                    yield Page(records, cursor, is_last=not resources)
                    continue
                position = Position(reached=stamp_of(as_of)).as_json()
                filled: dict[str, Any] = dict.fromkeys(self._config.resource_types, position)
                yield Page(records, filled | {"filled": True}, is_last=False)

    async def _records(self, resources: Iterable[Resource]) -> list[SourceRecord]:
        """Reduce resources and put their patients beside them; what does not count is dropped."""
        counted = [
            reduced
            for resource in resources
            if (reduced := reduce_record(resource, self._config)) is not None
        ]
        patients = await self._patients.of(counted)
        return [
            SourceRecord(
                redact(f"{one['resourceType']}/{one['id']}"),
                json.dumps({"resource": one, "patient": patient}, ensure_ascii=False).encode(),
            )
            for one, patient in zip(counted, patients, strict=True)
        ]

    def _digest(self, kind: str, resource: Resource) -> str:
        meta: Mapping[str, Any] = resource["meta"]
        version = f"{meta.get('versionId', '')} {meta['lastUpdated']}"
        said = f"{kind}/{resource.get('id')} {version}".encode()
        return self._around.pseudonymiser.event_id(said)[:_DIGEST_LETTERS]


async def open_connector(config: FhirConfig, surroundings: Surroundings) -> FhirConnector:
    """Open a connector; nothing is asked before the first reading."""
    return FhirConnector(config, surroundings)


def mapping_for(config: FhirConfig, surroundings: Surroundings) -> RecordMapping:
    """The mapping alone, for records that are tried again."""
    return partial(
        map_record,
        config=config,
        source=surroundings.source,
        event_id=surroundings.pseudonymiser.event_id,
    )


FHIR: Final = Kind(config=FhirConfig, open=open_connector, routes=router, mapping=mapping_for)
"""The row of the table of connectors."""
