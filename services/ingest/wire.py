"""From an HTTP request to decoded events, in CloudEvents' three modes.

The CloudEvents SDK maps headers and bodies to attributes and data. Its own JSON format and event
class are replaced by ones that keep every attribute as it was sent: they would invent a missing id
and time, and fail on a bad time before anybody can say which event is at fault.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import unquote

import msgspec
from cloudevents.core.base import BaseCloudEvent, EventFactory
from cloudevents.core.bindings.http import HTTPMessage, from_binary, from_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from contracts.topics import CLOUDEVENTS_BATCH_JSON, CLOUDEVENTS_JSON
from services.ingest.core.verdicts import ObjectionError

Mode = Literal["binary", "structured", "batch"]

_CE_PREFIX: Final = "ce-"
_TIME_HEADER: Final = "ce-time"
#: The SDK would parse the time, and fail, so it is put in as it is; the others are no attributes
#: in binary mode, where data is the body and its type the content type.
_UNMAPPED_HEADERS: Final = frozenset({_TIME_HEADER, "ce-data", "ce-datacontenttype"})
_JSON_TYPE: Final = re.compile(r"(?:application|text)/(?:[a-z0-9.-]+\+)?json")
_CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)
_REQUIRED: Final = ("specversion", "id", "source", "type")

# A number beyond a float becomes infinite, so that its own event can be refused for it.
_JSON: Final = msgspec.json.Decoder(float_hook=float)
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class UnsupportedMediaTypeError(Exception):
    """A media type that is none of the three modes; the message says which are."""


class NotCloudEventsError(Exception):
    """A body that is not JSON, or not a CloudEvent at all; the message says what it should be."""


class TooManyEventsError(Exception):
    """A batch of more events than are taken at once; the message says how many are."""


class Received(msgspec.Struct, frozen=True):
    """One event as it came: decoded, and the bytes it was decoded from.

    `decoded` is whatever JSON value stood in the event's place; a fit one is an object. `original`
    is the JSON text of the event; in binary mode it is written anew in structured form, and of what
    a connector has mapped it is the source's record. `objection` says why no event was made of it.
    """

    index: int
    decoded: Any
    original: bytes
    objection: ObjectionError | None = None


class _RawEvent(CloudEvent):
    """An event of the SDK that holds what was sent, right or wrong."""

    def __init__(self, attributes: dict[str, Any], data: Any = None) -> None:
        # The SDK's constructor is what must not run: it invents and it validates.
        self._attributes = attributes
        self._data = data


class _RawFormat(JSONFormat):
    """The SDK's JSON format, but attributes stay as they were sent and JSON is read strictly."""

    def read(self, event_factory: EventFactory | None, data: str | bytes) -> BaseCloudEvent:
        decoded = _decode(data)
        if not isinstance(decoded, dict):
            raise NotCloudEventsError("the event is not a JSON object")
        content = decoded.pop("data", None)
        return (event_factory or _RawEvent)(decoded, content)

    def read_data(self, body: bytes, datacontenttype: str | None) -> Any:
        if body and _is_json(datacontenttype):
            return _decode(body)
        return super().read_data(body, datacontenttype)


_FORMAT: Final = _RawFormat()


def mode_of(headers: Mapping[str, str]) -> Mode:
    """In which mode the request is, by its headers (names in lower case).

    Raises:
        UnsupportedMediaTypeError: when it is in none.
        NotCloudEventsError: when it is plain JSON without the headers of binary mode.
    """
    content_type = headers.get("content-type", "")
    media_type = _media_type(content_type)
    charset = _CHARSET.search(content_type)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaTypeError(f"JSON is UTF-8; the charset {charset[1]!r} is not taken")
    if media_type == CLOUDEVENTS_JSON:
        return "structured"
    if media_type == CLOUDEVENTS_BATCH_JSON:
        return "batch"
    if not media_type.startswith("application/cloudevents"):
        if any(name.startswith(_CE_PREFIX) for name in headers):
            return "binary"
        if _is_json(media_type):
            raise NotCloudEventsError(
                f"plain JSON without ce- headers is no CloudEvent; send {CLOUDEVENTS_JSON}, "
                f"{CLOUDEVENTS_BATCH_JSON}, or the ce- headers of binary mode"
            )
    raise UnsupportedMediaTypeError(
        f"send {CLOUDEVENTS_JSON}, {CLOUDEVENTS_BATCH_JSON}, or application/json with ce- headers"
    )


def read_events(
    mode: Mode, headers: Mapping[str, str], body: bytes, *, max_events: int
) -> list[Received]:
    """Decode the events of a request; headers' names are in lower case.

    Raises:
        NotCloudEventsError: when the body is not JSON, or not of the mode's form.
        TooManyEventsError: when a batch has more than `max_events`.
    """
    if mode == "binary":
        return [_read_binary(headers, body)]
    if mode == "structured":
        return [_read_structured(body)]
    return _read_batch(body, max_events)


def _read_binary(headers: Mapping[str, str], body: bytes) -> Received:
    mapped = {name: value for name, value in headers.items() if name not in _UNMAPPED_HEADERS}
    event = from_binary(HTTPMessage(mapped, body), _FORMAT, _RawEvent)
    attributes = event.get_attributes()
    if _TIME_HEADER in headers:
        attributes["time"] = unquote(headers[_TIME_HEADER])
    return Received(0, attributes | {"data": event.get_data()}, _FORMAT.write(event))


def _read_structured(body: bytes) -> Received:
    decoded = _read_object(body)
    if not any(decoded.get(name) is not None for name in _REQUIRED):
        raise NotCloudEventsError(
            f"the object has none of a CloudEvent's attributes ({', '.join(_REQUIRED)})"
        )
    return Received(0, decoded, body)


def _read_batch(body: bytes, max_events: int) -> list[Received]:
    try:
        elements = _ELEMENTS.decode(body)
        # In batch mode the JSON object is the event: nothing is left for the SDK to map.
        return [
            Received(index, _JSON.decode(element), bytes(element))
            for index, element in enumerate(_bounded(elements, max_events))
        ]
    except msgspec.ValidationError:
        raise NotCloudEventsError(
            f"a batch is a JSON array of events; send a single event as {CLOUDEVENTS_JSON}"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from None


def _bounded(elements: list[msgspec.Raw], max_events: int) -> list[msgspec.Raw]:
    if len(elements) > max_events:
        raise TooManyEventsError(f"A batch may have {max_events} events; send smaller batches.")
    return elements


def _read_object(body: bytes) -> dict[str, Any]:
    event = from_structured(HTTPMessage({}, body), _FORMAT, _RawEvent)
    attributes = event.get_attributes()
    attributes["data"] = event.get_data()
    return attributes


def _decode(text: str | bytes) -> Any:
    try:
        return _JSON.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from None


def _not_json(error: Exception) -> NotCloudEventsError:
    # msgspec's messages name positions, never content; the others might.
    reason = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
    return NotCloudEventsError(f"the body is not JSON in UTF-8: {reason}")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(content_type: str | None) -> bool:
    return content_type is None or _JSON_TYPE.fullmatch(_media_type(content_type)) is not None
