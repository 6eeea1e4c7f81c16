"""From a record of Kafka to the one text of it that is mapped, and kept when it is refused.

CloudEvents' Kafka binding: in structured mode the value is the event; in binary mode its attributes
are headers that begin with `ce_`, and the value is its data. A binary record is written anew in
structured form, so that what is kept is a whole event. What cannot be right (a header that is no
text, data that is no JSON) goes into that form as the thing it is, and is refused there by name.
"""

import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from contracts.topics import CONTENT_TYPE_HEADER

Headers = Sequence[tuple[str, bytes | None]]

#: What stands for a record that Kafka's client cannot decode.
UNREADABLE: Final = b"a record that cannot be decoded"

_PREFIX: Final = "ce_"
_STRUCTURED: Final = b"application/cloudevents"

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def original(value: bytes | None, headers: Headers) -> bytes:
    """The text of a record; empty when it has no value."""
    named = dict(headers)  # of a name that comes twice the last one counts, as in Kafka's clients
    structured = (named.get(CONTENT_TYPE_HEADER) or b"").lower().startswith(_STRUCTURED)
    if structured or not any(name.startswith(_PREFIX) for name in named):
        return value or b""
    return _encode(_attributes(named) | _data(value))


def _attributes(headers: dict[str, bytes | None]) -> dict[str, Any]:
    found = {
        name.removeprefix(_PREFIX): _text(value)
        for name, value in headers.items()
        if name.startswith(_PREFIX) and name != "ce_data"
    }
    if CONTENT_TYPE_HEADER in headers:
        found["datacontenttype"] = _text(headers[CONTENT_TYPE_HEADER])
    return found


def _text(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        # No attribute is an object, so whichever this is will be objected to.
        return {"base64": base64.b64encode(value).decode("ascii")}


def _data(value: bytes | None) -> dict[str, Any]:
    if not value:
        return {}
    try:
        _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"data_base64": base64.b64encode(value).decode("ascii")}
    return {"data": msgspec.Raw(value)}
