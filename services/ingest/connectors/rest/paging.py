"""Which URL a page has, and which page comes next; pure."""

from datetime import UTC, datetime
from typing import Any, Final

from yarl import URL

from contracts.times import LOCAL_ZONE, epoch_microseconds, format_rfc3339
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.rest.config import (
    CursorToken,
    LinkHeader,
    NextLink,
    Offset,
    PageNumber,
    RestConfig,
    Watermark,
)
from services.ingest.connectors.rest.position import Place
from services.ingest.core.declared_values import MISSING, look_up

_PER: Final = {"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1}


def url_of(config: RestConfig, place: Place, token: str | None, since: datetime | None) -> URL:
    """The URL of a page; `token` is what the API has given for it."""
    paging = config.paging
    if token is not None and isinstance(paging, NextLink | LinkHeader):
        return URL(token)
    query = dict(config.parameters)
    if since is not None:
        query[config.watermark.parameter] = written(since, config.watermark)
    if isinstance(paging, PageNumber):
        query[paging.parameter] = str(paging.first + place.number)
        if paging.size_parameter is not None:
            query[paging.size_parameter] = str(paging.size)
    elif isinstance(paging, Offset):
        query |= {paging.parameter: str(place.offset), paging.size_parameter: str(paging.size)}
    elif isinstance(paging, CursorToken) and token is not None:
        query[paging.parameter] = token
    return URL(config.url).update_query(query)


def records_of(config: RestConfig, body: Any) -> list[Any]:
    """The records of a page.

    Raises:
        SourceError: they are not where they should be.
    """
    records = _at(body, config.records)
    if not isinstance(records, list):
        raise SourceError(
            f"the answer has no array at {config.records or 'its root'}; look at `records`"
        )
    return records


def next_token(config: RestConfig, body: Any, link: str | None, here: URL) -> str | None:
    """What the API gives for the next page; None if it gives nothing.

    Raises:
        SourceError: a link leads away from the API: the credential stays at home.
    """
    paging = config.paging
    if isinstance(paging, LinkHeader):
        given: Any = link
    elif isinstance(paging, NextLink | CursorToken):
        given = _at(body, paging.pointer)
    else:
        return None
    if given is MISSING or given is None or given == "" or given is False:
        return None
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise SourceError("what should name the next page is neither a text nor a number")
    if isinstance(paging, CursorToken):
        return str(given)
    try:
        url = here.join(URL(str(given)))
        is_home = _origin(url) == _origin(URL(config.url)) and url.user is None
    except ValueError:
        is_home = False
    if not is_home:
        raise SourceError("the link to the next page leads to another host; it is not followed")
    return str(url)


def next_place(config: RestConfig, place: Place, count: int) -> Place | None:
    """The place of the next page, without its token; None after the last."""
    paging = config.paging
    if isinstance(paging, PageNumber | Offset) and count < paging.size:
        return None
    return Place(number=place.number + 1, offset=place.offset + count)


def written(moment: datetime, watermark: Watermark) -> str:
    """A time as the API's parameter has it, never later than it is."""
    zone = watermark.zone
    if watermark.form == "rfc3339":
        return format_rfc3339(moment)
    if watermark.form == "date":
        return moment.astimezone(zone or LOCAL_ZONE).date().isoformat()
    if watermark.form == "local":
        local = moment.astimezone(zone or LOCAL_ZONE).replace(tzinfo=None)
        return local.isoformat(timespec="seconds")
    if zone is not None:
        moment = moment.astimezone(zone).replace(tzinfo=UTC)
    return str(epoch_microseconds(moment) // _PER[watermark.form])


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    return url.scheme, url.host, url.port


def _at(body: Any, pointer: str) -> Any:
    return body if pointer == "" else look_up({"": body}, "/" + pointer)
