"""Reads the attributes of a CloudEvent and objects to what is not of the contract's form.

Where the wire contract is silent, CloudEvents 1.0 and its JSON format decide: a member that is null
is absent, names of extensions are lower-case letters and digits, their values texts, booleans or
32-bit integers, and no text holds control characters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.events import EVENT_MODELS, MAX_ID_LENGTH
from contracts.reasons import Reason
from contracts.subjects import SubjectError, SubjectKind, parse_edge
from contracts.times import parse_rfc3339
from services.ingest.core.verdicts import ObjectionError

JSON: Final = "application/json"

_MAX_SOURCE_LENGTH: Final = 256
_INT32: Final = range(-(2**31), 2**31)
_ATTRIBUTES: Final = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
)
_NAME: Final = re.compile(r"[a-z0-9]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: RFC 3986: the signs of a URI-reference; what stands before the first colon is a scheme.
_URI_REFERENCE: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:|(?![^/?#]*:))(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
)
_JSON_WITH_PARAMETERS: Final = re.compile(r"application/json\s*(?:;.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of an event, each of the right form by itself."""

    id: str
    source: str
    type: str
    kind: SubjectKind
    identifier: str
    occurred_at: datetime
    extensions: dict[str, str | bool | int]
    """Extension attributes, and `dataschema`, which the contract passes through as well."""


def read_attributes(raw: Mapping[str, Any]) -> Attributes:
    """Read the attributes of a decoded event.

    Raises:
        ObjectionError: `bad-envelope`, `unknown-type`, `bad-subject` or `bad-time`.
    """
    if raw.get("specversion") != "1.0":
        raise _bad_envelope('specversion must be "1.0"')
    event_id = _text(raw, "id", MAX_ID_LENGTH)
    source = _text(raw, "source", _MAX_SOURCE_LENGTH)
    if not is_uri_reference(source):
        raise _bad_envelope("source must be a URI-reference such as urn:nhipso:source:vneid")
    event_type = raw.get("type")
    if not isinstance(event_type, str) or not event_type:
        raise _bad_envelope("type is missing or not a text")
    _check_content_type(raw.get("datacontenttype"))
    extensions = _extensions(raw)
    if event_type not in EVENT_MODELS:
        raise ObjectionError(
            Reason.UNKNOWN_TYPE, "type is none of the contract's; GET /v1/schemas lists them"
        )
    kind, identifier = _subject(raw.get("subject"))
    return Attributes(
        event_id, source, event_type, kind, identifier, _time(raw.get("time")), extensions
    )


def is_uri_reference(text: str) -> bool:
    """Whether the text may be a source by its form."""
    return 0 < len(text) <= _MAX_SOURCE_LENGTH and _URI_REFERENCE.fullmatch(text) is not None


def _bad_envelope(detail: str) -> ObjectionError:
    return ObjectionError(Reason.BAD_ENVELOPE, detail)


def _text(raw: Mapping[str, Any], name: str, longest: int) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise _bad_envelope(f"{name} must be a text of 1 to {longest} characters")
    if _CONTROL.search(value):
        raise _bad_envelope(f"{name} must not hold control characters")
    return value


def _check_content_type(value: Any) -> None:
    if value is None or value == JSON:
        return
    if not isinstance(value, str) or _JSON_WITH_PARAMETERS.fullmatch(value) is None:
        raise _bad_envelope(f"datacontenttype must be {JSON}; send data as a JSON object")


def _extensions(raw: Mapping[str, Any]) -> dict[str, str | bool | int]:
    extensions: dict[str, str | bool | int] = {}
    for name in raw.keys() - _ATTRIBUTES:
        value = raw[name]
        if value is None:
            continue
        if name == "data_base64":
            raise ObjectionError(
                Reason.BAD_DATA, "data_base64 is not taken; send a JSON object as data"
            )
        if _NAME.fullmatch(name) is None:
            raise _bad_envelope("names of extensions are made of a-z and 0-9 alone")
        if isinstance(value, str):
            if _CONTROL.search(value):
                raise _bad_envelope("an extension must not hold control characters")
        elif not isinstance(value, int) or value not in _INT32:
            raise _bad_envelope("an extension must be a text, true, false or a 32-bit integer")
        extensions[name] = value
    return extensions


def _subject(value: Any) -> tuple[SubjectKind, str]:
    if not isinstance(value, str):
        raise ObjectionError(
            Reason.BAD_SUBJECT, "subject is missing; it must be <kind>:<identifier>"
        )
    try:
        return parse_edge(value)
    except SubjectError as error:
        raise ObjectionError(Reason.BAD_SUBJECT, str(error)) from None


def _time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ObjectionError(
            Reason.BAD_TIME, "time must be a text that says when it happened, in RFC 3339 form"
        )
    try:
        return parse_rfc3339(value)
    except ValueError as error:
        raise ObjectionError(Reason.BAD_TIME, f"time {error}") from None
