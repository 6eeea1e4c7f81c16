"""Reads a FHIR server: a first fill in bulk if it is wanted, then searches by `_lastUpdated`."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from services.chassis.database import load_queries
from services.ingest.connectors.connector import (
    Cursor,
    Event,
    Kind,
    Page,
    SourceError,
    SourceRecord,
    Surroundings,
)
from services.ingest.connectors.fhir.bulk import Export, Folder
from services.ingest.connectors.fhir.config import FhirConfig, ResourceType
from services.ingest.connectors.fhir.mapping import map_record
from services.ingest.connectors.fhir.patients import Patients, next_link
from services.ingest.connectors.fhir.position import Position, is_stamp, later, stamp_of
from services.ingest.connectors.fhir.queries import ELEMENTS, filters
from services.ingest.connectors.fhir.reduction import Resource, reduce_record
from services.ingest.connectors.fhir.routes import router
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
        self._server = FhirServer(config, surroundings.clock)
        self._patients = Patients(self._server, config, surroundings.clock)
        self._export = Export(self._server, config, surroundings.clock)
        self._pages: AsyncGenerator[Page] | None = None
        self._expected: Cursor = None

    async def read(self, cursor: Cursor | None) -> Page:
        """The next page of the present round; a round ends when nothing more is there."""
        if self._pages is None or cursor != self._expected:
            await self._leave_round()
            self._pages = self._round(dict(cursor or {}))
        page = await anext(self._pages)
        self._expected = page.cursor
        if page.is_last:
            await self._leave_round()
        return page

    def map(self, original: bytes) -> Sequence[Event]:
        """See `mapping.map_record`."""
        return map_record(
            original,
            self._config,
            source=self._around.source,
            event_id=self._around.pseudonymiser.event_id,
        )

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
            async for page in self._fill(cursor):
                cursor = page.cursor
                yield page
                if page.is_last:
                    return
        # Asked for first: what is missed while this round runs is caught up by the next.
        missed = await self._around.pool.fetchval(_SQL["read_missed"], self._around.name) or 0
        behind = missed > cursor.get("caught_up", 0)
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
        """Read everything of a type from its position on.

        A server that sorts is asked anew from the last stamp of each page, so that resources that
        change meanwhile cannot push others past a page's edge, and no link can grow old. Else, and
        while a page has one stamp only, the server's own links are followed.
        """
        before = Position.of(cursor.get(kind))
        position = before
        start = before.start(overlap)
        if start is None and self._config.since is not None:
            start = stamp_of(self._config.since)
        first = start
        bundle = await self._search(kind, start)
        reached: str | None = None
        previous: str | None = None
        is_sorted = _claims_order(bundle)
        while True:
            resources = _resources(bundle, kind)
            stamps = [_stamp(resource) for resource in resources]
            in_order = all(
                later(*pair) == pair[1] for pair in pairwise(filter(None, [previous, *stamps]))
            )
            if is_sorted and not in_order:
                # It claims an order that it does not keep, so what was jumped over is read now.
                is_sorted, previous = False, None
                if start != first:
                    bundle = await self._search(kind, first)
                    continue
            for stamp in stamps:
                previous = stamp
                reached = later(reached, stamp)
            following = next_link(bundle)
            is_complete = following is None or is_sorted
            fresh = {
                digest: (resource, stamp)
                for resource, stamp in zip(resources, stamps, strict=True)
                if not position.has(digest := self._digest(kind, resource))
            }
            rest = list(fresh.items())
            while rest:
                part, rest = rest[:_MOST_AT_ONCE], rest[_MOST_AT_ONCE:]
                records = await self._records([resource for _, (resource, _) in part])
                taken = {digest: stamp for digest, (_, stamp) in part}
                done = reached if is_complete and not rest else None
                position = position.after(taken, done, self._remembered)
                cursor = cursor | {kind: position.as_json()}
                yield Page(records, cursor, is_last=False)
            if following is None:
                break
            if is_sorted and stamps and later(stamps[0], stamps[-1]) != stamps[0]:
                start = stamps[-1]
                bundle = await self._search(kind, start)
            else:
                bundle = await self._server.search(self._server.link(following))
        # The reading is complete now, also with a server that does not sort.
        position = position.after({}, reached, self._remembered)
        if position != before:
            cursor = cursor | {kind: position.as_json()}
        yield Page([], cursor, is_last=False)

    @property
    def _remembered(self) -> float:
        return max(self._config.overlap_seconds, 1.0)

    async def _search(self, kind: ResourceType, start: str | None) -> dict[str, Any]:
        params = filters(kind, self._config) | {
            "_elements": ELEMENTS[kind],
            "_sort": "_lastUpdated",
            "_count": str(self._config.page_size),
        }
        if start is not None:
            params["_lastUpdated"] = f"ge{start}"
        return await self._server.search(f"{self._server.base}/{kind}", params)

    async def _fill(self, cursor: dict[str, Any]) -> AsyncIterator[Page]:
        """The first fill, from the files of an export."""
        bulk = self._config.bulk
        source = Folder(bulk.folder, bulk.as_of) if bulk and bulk.folder else self._export
        async for lines, progress, as_of in source.read(cursor.get("bulk")):
            records = await self._records(lines)
            if as_of is None:
                cursor = cursor | {"bulk": progress}
                yield Page(records, cursor, is_last=not lines)
                continue
            position = Position(reached=stamp_of(as_of)).as_json()
            filled: dict[str, Any] = dict.fromkeys(self._config.resource_types, position)
            cursor = filled | {"filled": True}
            yield Page(records, cursor, is_last=False)

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


async def _open(config: FhirConfig, surroundings: Surroundings) -> FhirConnector:
    """Open a connector; nothing is asked before the first reading."""
    return FhirConnector(config, surroundings)


FHIR: Final = Kind(config=FhirConfig, open=_open, routes=router)


def _resources(bundle: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """The matches of a bundle; a server may add an OperationOutcome."""
    entries = bundle.get("entry", [])
    resources = [entry.get("resource") for entry in entries if isinstance(entry, dict)]
    return [one for one in resources if isinstance(one, dict) and one.get("resourceType") == kind]


def _stamp(resource: Resource) -> str:
    meta = resource.get("meta")
    stamp = meta.get("lastUpdated") if isinstance(meta, dict) else None
    if not isinstance(stamp, str) or not is_stamp(stamp):
        raise SourceError(
            "the server gives resources without meta.lastUpdated, so they cannot be read by it"
        )
    return stamp


def _claims_order(bundle: Mapping[str, Any]) -> bool:
    """Whether the server says that it has sorted: its own link names what it has gone by."""
    links = [one for one in bundle.get("link", []) if one.get("relation") == "self"]
    return any("_sort=_lastUpdated" in str(one.get("url")) for one in links)
