"""What a rejection's original means today: the events that are made of it, and whose they are.

An event is an event still; a row is read as a row; a connector's record goes through the connector's
mapping as it is now, so that a mended mapping is enough. The connector need not run for that.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, Protocol, Self

from contracts.reasons import Reason
from contracts.rejected import MAX_SEALED_BYTES, ConnectorOrigin, FileOrigin
from contracts.tokens import Principal, Role
from services.ingest.connectors.connector import (
    Configured,
    Kind,
    RecordMapping,
    SourceError,
    Surroundings,
)
from services.ingest.connectors.running import received
from services.ingest.core.identifiers import redact
from services.ingest.core.rows import attributes_of, row_of, to_event
from services.ingest.core.verdicts import ObjectionError
from services.ingest.rejecting.store import Rejection, Whole
from services.ingest.wire import NotCloudEventsError, Received, TooManyEventsError, read_events

_OPEN_SECONDS: Final = 10.0

EventId = Callable[[bytes], str]
"""Makes an id of an event's content."""


class NotRetriableError(Exception):
    """This rejection cannot be taken again here; the message says why and what to do instead."""


class Grants(Protocol):
    """What sources may send now, beside what stood in their tokens then."""

    async def of(self, caller: str) -> tuple[frozenset[str], frozenset[str]]:
        """The sources and the domains that are granted to a source, or to the `sub` of a token."""
        ...


class Meaning:
    """Makes events of originals; mappings that had to be opened are closed with the context."""

    def __init__(
        self,
        connectors: Sequence[Configured[Any]],
        kinds: Mapping[str, Kind[Any]],
        surroundings: Mapping[str, Surroundings],
        *,
        event_id: EventId,
        grants: Grants | None,
    ) -> None:
        self._connectors = {one.name: one for one in connectors}
        self._kinds = kinds
        self._surroundings = surroundings
        self._event_id = event_id
        self._grants = grants
        self._mappings: dict[str, RecordMapping | NotRetriableError] = {}
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    def refusal(self, rejection: Rejection) -> NotRetriableError | None:
        """Why it cannot be retried at all, which one sees before its original is opened."""
        if rejection.stage == "scoring":
            return NotRetriableError(
                "scoring could not read what ingest had accepted, so taking it in again brings the "
                "same; run one version of both, then `nhipso rebuild` reads the record anew"
            )
        if rejection.original_bytes > MAX_SEALED_BYTES:
            return NotRetriableError(
                f"only the first {MAX_SEALED_BYTES // 1024} KiB of the original were kept; have the "
                "source send it again, in smaller records"
            )
        return None

    async def caller(self, whole: Whole) -> Principal:
        """As whom it is taken again: with what the caller might send then, and may send now."""
        sources, domains = set(whole.caller_sources), set(whole.caller_domains)
        sub = whole.rejection.caller or "unknown"
        origin = whole.rejection.origin
        if isinstance(origin, ConnectorOrigin):
            configured = self._configured(origin.connector)
            sources.add(configured.source)
            domains |= configured.domains
        elif self._grants is not None:
            # The register knows sources by their name, which is also who its tokens are for.
            named = whole.rejection.source
            for name in {sub, named} if named is not None and named in sources else {sub}:
                granted, its_domains = await self._grants.of(name)
                sources |= granted
                domains |= its_domains
        return Principal(
            sub=sub, role=Role.SOURCE, sources=frozenset(sources), domains=frozenset(domains)
        )

    async def events(self, whole: Whole, original: bytes, caller: Principal) -> list[Received]:
        """The events of an original; none when a mapping passes over it now.

        Raises:
            NotRetriableError: no mapping is to be had.
        """
        origin = whole.rejection.origin
        if isinstance(origin, ConnectorOrigin):
            source = self._configured(origin.connector).source
            return received(await self._mapping(origin.connector), original, 0, source)
        if isinstance(origin, FileOrigin) and (row := _row(original, caller, self._event_id)):
            return [row]
        return [_event(original)]

    def _configured(self, name: str) -> Configured[Any]:
        try:
            return self._connectors[name]
        except KeyError:
            raise NotRetriableError(
                f"there is no connector {redact(name)} in the configuration (NHIPSO_CONNECTORS__FILE); "
                "put it back, its source need not answer"
            ) from None

    async def _mapping(self, name: str) -> RecordMapping:
        known = self._mappings.get(name)
        if known is None:
            try:
                known = await self._made(name)
            except Exception as error:  # noqa: BLE001 - a connector's fault is told, not repeated
                why = str(error) if isinstance(error, SourceError) else type(error).__name__
                known = NotRetriableError(f"connector {name} cannot be opened to map: {why}")
            self._mappings[name] = known
        if isinstance(known, NotRetriableError):
            raise known
        return known

    async def _made(self, name: str) -> RecordMapping:
        configured = self._connectors[name]
        kind = self._kinds[configured.kind]
        if kind.mapping is not None:
            return kind.mapping(configured.config, self._surroundings[name])
        async with asyncio.timeout(_OPEN_SECONDS):
            connector = await kind.open(configured.config, self._surroundings[name])
        self._opened.push_async_callback(connector.close)
        return connector.map


def subjects_of(events: Sequence[Received]) -> list[object]:
    """The subjects that events name."""
    return [one.decoded.get("subject") for one in events if isinstance(one.decoded, Mapping)]


def _event(original: bytes) -> Received:
    try:
        (event,) = read_events("batch", {}, b"[" + original + b"]", max_events=1)
    except (NotCloudEventsError, TooManyEventsError, ValueError):
        objection = ObjectionError(Reason.BAD_ENVELOPE, "the original is no event in JSON")
        return Received(0, None, original, objection)
    return Received(0, event.decoded, original, event.objection)


def _row(original: bytes, caller: Principal, event_id: EventId) -> Received | None:
    """The event of a row; None if it is no row but an event."""
    try:
        row = row_of(original)
    except ObjectionError:
        return None
    attributes = attributes_of(row, caller.sources)
    try:
        event = to_event(row, sources=caller.sources, event_id=event_id)
    except ObjectionError as objection:
        return Received(0, attributes, original, objection)
    return Received(0, event, original)
