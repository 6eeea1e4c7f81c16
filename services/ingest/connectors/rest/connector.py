"""Reads what has changed at an API since the last pass, page by page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog

from services.ingest.connectors.connector import (
    Cursor,
    Event,
    Kind,
    Page,
    RecordMapping,
    SourceError,
    SourceRecord,
    Surroundings,
)
from services.ingest.connectors.page_size import fitting
from services.ingest.connectors.rest import mapping, paging, position
from services.ingest.connectors.rest.api import Api, ForgottenError
from services.ingest.connectors.rest.config import RestConfig
from services.ingest.connectors.rest.position import Place, Position
from services.ingest.connectors.rest.sealing import Seal


@dataclass(frozen=True, slots=True)
class _Record:
    original: bytes
    digest: str
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A page of the API, which may be longer than what is taken in at once."""

    of: Place
    records: Sequence[_Record]
    next: Place | None


class RestConnector:
    """One API."""

    def __init__(self, config: RestConfig, surroundings: Surroundings, api: Api) -> None:
        self._config = config
        self._surroundings = surroundings
        self._api = api
        self._events_of = mapping_for(config, surroundings)
        self._digest = surroundings.pseudonymiser.event_id
        self._seal = Seal(surroundings.pseudonymiser)
        self._fetched: _Fetched | None = None
        self._has_begun_again = False
        self._has_warned = False
        self._log = structlog.get_logger(__name__)

    async def read(self, cursor: Cursor | None) -> Page:
        """Read a page, or on in one that is long.

        Raises:
            SourceError: what to look at in the API or the configuration.
        """
        config = self._config
        before = position.position_of(cursor, config.watermark.start)
        now = position.begin(before, self._surroundings.clock.now())
        try:
            fetched, place = await self._page(now)
        except ForgottenError:
            return self._begin_again(now)
        rest = fetched.records[place.skip :]
        records = rest[: fitting(len(one.original) for one in rest)]
        changed = {one.digest: one.changed for one in records}
        self._look_at_times(changed)
        after = position.seen(now, changed)
        taken = place.skip + len(records)
        if taken < len(fetched.records):
            after = position.turn(after, place.model_copy(update={"skip": taken}))
        elif fetched.next is not None:
            after = position.turn(after, fetched.next)
        else:
            after = position.finish(after, config.watermark.overlap_seconds)
        new = [
            SourceRecord(f"page {place.number + 1}, record {place.skip + index + 1}", one.original)
            for index, one in enumerate(records)
            if one.digest not in now.known
        ]
        is_last = after.began is None
        self._has_begun_again = self._has_begun_again and not is_last
        behind = 0 if is_last else None
        return Page(new, position.cursor_of(after), is_last=is_last, behind=behind)

    def map(self, original: bytes) -> Sequence[Event]:
        """The events of a record, as the configuration says."""
        return self._events_of(original)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    def _begin_again(self, now: Position) -> Page:
        if self._has_begun_again:
            raise SourceError(
                f"the API does not know page {now.at.number + 1}, to which it has led; "
                "look at paging"
            )
        self._has_begun_again = True
        return Page([], position.cursor_of(position.again(now)), is_last=False)

    def _look_at_times(self, changed: Mapping[str, datetime | None]) -> None:
        if not changed or any(changed.values()) or self._has_warned:
            return
        self._has_warned = True
        self._log.warning(
            "no record says when it changed in the form declared, so everything is asked for "
            "again; look at watermark.field and watermark.form",
            connector=self._surroundings.name,
        )

    async def _page(self, now: Position) -> tuple[_Fetched, Place]:
        """The page at a position, asked for unless it is at hand, and the place in it."""
        whole = now.at.model_copy(update={"skip": 0})
        if now.at.skip and self._fetched is not None and self._fetched.of == whole:
            return self._fetched, now.at
        self._fetched = await self._asked(now, whole)
        # Asked for anew it may be another page: it is taken from its first record on.
        return self._fetched, whole

    async def _asked(self, now: Position, place: Place) -> _Fetched:
        config = self._config
        if place.number >= config.most_pages:
            raise SourceError(
                f"the API has given {place.number} pages and no end; look at paging, "
                "or raise most_pages"
            )
        token = self._seal.open(place.token) if place.token is not None else None
        if place.token is not None and token is None:
            raise ForgottenError
        watermark = config.watermark
        since = position.asked_since(now, watermark.start, watermark.overlap_seconds)
        url = paging.url_of(config, place, token, since)
        answer = await self._api.page(url, is_first=place.number == 0)
        found = paging.records_of(config, answer.body)
        digest = self._digest(json.dumps(found, sort_keys=True).encode())
        given = paging.next_token(config, answer.body, answer.link, url)
        if (given is not None and given == token) or (found and digest == place.earlier):
            raise SourceError("the API gives the same page again and again; look at paging")
        after = self._next(place, given, len(found))
        if after is not None:
            after = after.model_copy(update={"earlier": digest})
        return _Fetched(place, [self._record(one) for one in found], after)

    def _next(self, place: Place, given: str | None, count: int) -> Place | None:
        style = self._config.paging.style
        if style == "none" or (given is None and style not in ("page", "offset")):
            return None
        after = paging.next_place(self._config, place, count)
        if after is not None and given is not None:
            after = after.model_copy(update={"token": self._seal.seal(given)})
        return after

    def _record(self, record: Any) -> _Record:
        original = mapping.original_of(record, self._config)
        changed = mapping.changed_at(record, self._config.watermark)
        return _Record(original, self._digest(original)[:16], changed)


async def open_connector(config: RestConfig, surroundings: Surroundings) -> RestConnector:
    """Open the connector; nothing is asked yet."""
    return RestConnector(config, surroundings, Api(config, surroundings.clock))


def mapping_for(config: RestConfig, surroundings: Surroundings) -> RecordMapping:
    """The mapping alone, for records that are tried again."""
    return partial(
        mapping.events_of,
        config=config,
        source=surroundings.source,
        event_id=surroundings.pseudonymiser.event_id,
    )


REST: Final = Kind(config=RestConfig, open=open_connector, mapping=mapping_for)
"""The row of the table of connectors."""
