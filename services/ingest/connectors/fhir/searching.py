"""Pages through the resources of a type from a stamp on, and says how far that is complete.

A server that sorts is asked anew from the last stamp of each page, so that resources that change
meanwhile cannot push others past a page's edge, and no link can grow old. Else, and while a page
has one stamp only, the server's own links are followed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.fhir.config import FhirConfig, ResourceType
from services.ingest.connectors.fhir.patients import next_link
from services.ingest.connectors.fhir.position import is_stamp, later
from services.ingest.connectors.fhir.queries import ELEMENTS, filters
from services.ingest.connectors.fhir.reduction import Resource
from services.ingest.connectors.fhir.server import FhirServer


@dataclass(frozen=True, slots=True)
class Found:
    """The resources of a page, each with its stamp.

    `complete_to` is the stamp up to which everything has been found by now; None when nothing is
    known of that, because the server does not sort and more is to come.
    """

    resources: Sequence[Resource]
    stamps: Sequence[str]
    complete_to: str | None


class Searching:
    """Searches of one server."""

    def __init__(self, server: FhirServer, config: FhirConfig) -> None:
        self._server = server
        self._config = config
        self._sorting: dict[ResourceType, bool] = {}

    async def pages(self, kind: ResourceType, first: str | None) -> AsyncIterator[Found]:
        """Everything of a type that was changed at a stamp or later; None is everything.

        Raises:
            SourceError: the server does not answer, or not as it should.
        """
        start, reached, previous = first, None, None
        bundle = await self._search(kind, start)
        is_sorted = _claims_order(bundle)
        while True:
            resources = _resources(bundle, kind)
            stamps = [_stamp(resource) for resource in resources]
            if is_sorted and not _in_order(previous, stamps):
                # It does not keep the order that it claims, so what was jumped over is read now.
                is_sorted = self._sorting[kind] = False
                if start != first:
                    bundle = await self._search(kind, first)
                    continue
            for stamp in stamps:
                previous, reached = stamp, later(reached, stamp)
            following = next_link(bundle)
            if is_sorted and following is not None:
                is_sorted = await self._sorts(kind, start, stamps)
            yield Found(resources, stamps, reached if is_sorted or following is None else None)
            if following is None:
                return
            if is_sorted and stamps and _is_later(stamps[-1], stamps[0]):
                start = stamps[-1]
                bundle = await self._search(kind, start)
            else:
                bundle = await self._server.search(self._server.link(following))

    async def _sorts(self, kind: ResourceType, start: str | None, stamps: Sequence[str]) -> bool:
        """Whether the server sorts, and does not only say so.

        Asked for the other end first, one that does not gives the same first resource as before,
        which is older than the last of the page.
        """
        if kind not in self._sorting and stamps and _is_later(stamps[-1], stamps[0]):
            bundle = await self._search(kind, start, sort="-_lastUpdated", count=1)
            newest = [_stamp(resource) for resource in _resources(bundle, kind)[:1]]
            self._sorting[kind] = bool(newest) and not _is_later(stamps[-1], newest[0])
        return self._sorting.get(kind, True)

    async def _search(
        self,
        kind: ResourceType,
        start: str | None,
        *,
        sort: str = "_lastUpdated",
        count: int | None = None,
    ) -> dict[str, Any]:
        params = filters(kind, self._config) | {
            "_elements": ELEMENTS[kind],
            "_sort": sort,
            "_count": str(count or self._config.page_size),
        }
        if start is not None:
            params["_lastUpdated"] = f"ge{start}"
        return await self._server.search(f"{self._server.base}/{kind}", params)


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


def _in_order(previous: str | None, stamps: Sequence[str]) -> bool:
    known = stamps if previous is None else [previous, *stamps]
    return not any(_is_later(one, other) for one, other in pairwise(known))


def _is_later(one: str, other: str) -> bool:
    return later(other, one) != other
