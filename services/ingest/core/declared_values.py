"""Values of a source's rows, read as what a declared mapping says they are.

Every function takes a decoded JSON value and raises UnreadableError with a message that goes on from
the field's name ("is no whole number") and never repeats the value: it may be somebody's.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from contracts.times import LOCAL_ZONE, format_rfc3339, parse_rfc3339

As = Literal["text", "integer", "number", "boolean", "date"]
TimeForm = Literal["rfc3339", "epoch-s", "epoch-ms", "epoch-us", "local", "date"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1)
_MICROSECONDS: Final = {"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1}
_LARGEST_WHOLE: Final = 2**63
#: Longer numbers are no number of anything here, and cost time to read.
_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_WHOLE: Final = re.compile(r"-?[0-9]{1,30}")
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_LOCAL: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\.([0-9]+))?"
)
_BOOLEANS: Final = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False}
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")


class UnreadableError(ValueError):
    """A value that is not what the mapping says; the message goes on from the field's name."""


MISSING: Final = object()
"""What `look_up` gives when a row has no such field."""


def look_up(row: Mapping[str, Any], field: str) -> Any:
    """The value of a field, or MISSING.

    A name that begins with a slash is a JSON pointer (RFC 6901) into nested objects and arrays; any
    other is the name of a column or member.
    """
    if not field.startswith("/"):
        return row.get(field, MISSING)
    value: Any = row
    for token in field[1:].split("/"):
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(name, MISSING)
        elif isinstance(value, list) and _WHOLE.fullmatch(name) and int(name) < len(value):
            value = value[int(name)] if int(name) >= 0 else MISSING
        else:
            return MISSING
    return value


def column_of(field: str) -> str:
    """The member of a row in which a field stands."""
    first = field[1:].partition("/")[0] if field.startswith("/") else None
    return field if first is None else first.replace("~1", "/").replace("~0", "~")


def comparable(value: Any) -> tuple[str, Any]:
    """A key by which values are compared: true is not 1 and "1" is neither, but 1.0 is 1.

    Raises:
        UnreadableError: an object or an array.
    """
    if value is None or value is MISSING:
        return ("null", None)
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int | float | Decimal):
        # A signalling NaN cannot even be looked up.
        return ("number", None if isinstance(value, Decimal) and value.is_nan() else value)
    if isinstance(value, str):
        return ("text", value)
    raise UnreadableError("is an object or an array, and should be one plain value")


def as_text(value: Any) -> str:
    """Text as it is, a number in digits, true and false in words."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(as_number(value))


def as_integer(value: Any) -> int:
    """A whole number, also one written as text or with a fraction of zero."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    number = as_number(value) if not isinstance(value, str) else None
    if not isinstance(number, int):
        raise UnreadableError("is no whole number")
    return number


def as_number(value: Any) -> int | float:
    """A finite number, also one written as text; whole ones as int."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnreadableError("is no number")
    if isinstance(value, int):
        return value
    # Before anything else: a Decimal such as 1e999999 takes long to write out.
    is_nan = isinstance(value, Decimal) and value.is_nan()
    if is_nan or not math.isfinite(value):
        raise UnreadableError("is no finite number")
    is_whole = -_LARGEST_WHOLE < value < _LARGEST_WHOLE and value == int(value)
    return int(value) if is_whole else float(value)


def as_boolean(value: Any) -> bool:
    """True or false, also as 1 and 0, "true" and "false", "t" and "f"."""
    if isinstance(value, bool):
        return value
    text = str(value).lower() if isinstance(value, str | int) else ""
    if text not in _BOOLEANS:
        raise UnreadableError("is neither true nor false")
    return _BOOLEANS[text]


def as_date(value: Any) -> str:
    """A day as 1990-05-17; a number counts days since 1970-01-01, a time of midnight is cut off."""
    return _day(value).isoformat()


def as_plain(value: Any) -> Any:
    """The value as it is, if it is a plain one."""
    comparable(value)
    return as_number(value) if isinstance(value, float | Decimal) else value


CONVERSIONS: Final = {
    "text": as_text,
    "integer": as_integer,
    "number": as_number,
    "boolean": as_boolean,
    "date": as_date,
    None: as_plain,
}


def moment(value: Any, form: TimeForm, zone: ZoneInfo | None) -> str:
    """A time of the row as RFC 3339 in UTC.

    Local times and days are of `zone` (Asia/Ho_Chi_Minh if there is none); a day means its first
    moment. With a zone, an epoch number counts what the clock on the wall there showed, as change
    records of PostgreSQL columns without a time zone do. A local time that a clock put back shows
    twice is the earlier of the two; one that a clock put forward leaves out is as much later as the
    clock was put forward (both as java.time does).
    """
    try:
        if form == "rfc3339":
            return _rfc3339(value)
        if form == "date":
            day = _day(value)
            return _in_zone(datetime(day.year, day.month, day.day), zone or LOCAL_ZONE)  # noqa: DTZ001
        if form == "local":
            return _in_zone(_local(value), zone or LOCAL_ZONE)
        return _since_epoch(value, _MICROSECONDS[form], zone)
    except OverflowError:
        raise UnreadableError("names no real moment; check the form of the time") from None


def _rfc3339(value: Any) -> str:
    try:
        return format_rfc3339(parse_rfc3339(value if isinstance(value, str) else ""))
    except ValueError as error:
        # Without what Python says of the text: it may repeat it.
        said = str(error).partition(": ")[0] if isinstance(value, str) else "is no text"
        raise UnreadableError(said) from None


def _since_epoch(value: Any, microseconds: int, zone: ZoneInfo | None) -> str:
    as_number(value)  # objects to what is none
    whole = (Decimal(str(value)) * microseconds).to_integral_value(ROUND_FLOOR)
    counted = _EPOCH + timedelta(microseconds=int(whole))
    return _in_zone(counted.replace(tzinfo=None), zone) if zone else format_rfc3339(counted)


def _in_zone(local: datetime, zone: ZoneInfo) -> str:
    return format_rfc3339(local.replace(tzinfo=zone, fold=0))


def _local(value: Any) -> datetime:
    found = _LOCAL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise UnreadableError("is no local time such as 2026-11-22T08:30:00, without an offset")
    day, minute, second, fraction = found.groups()
    microseconds = (fraction or "")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{day}T{minute}{second or ':00'}.{microseconds}")
    except ValueError:
        raise UnreadableError("names no real moment") from None


def _day(value: Any) -> date:
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return _EPOCH_DAY + timedelta(days=value)
        except OverflowError:
            raise UnreadableError("names no real day") from None
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise UnreadableError("is no day such as 1990-05-17")
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        raise UnreadableError("names no real day") from None


@dataclass(frozen=True, slots=True)
class Template:
    """A text with fields of a row in braces, such as ``citizen:{cccd}``."""

    text: str
    literals: tuple[str, ...]
    fields: tuple[str, ...]

    @classmethod
    def parse(cls, text: Any) -> "Template":
        """Read a template.

        Raises:
            ValueError: not a text, or with a brace that encloses no field.
        """
        if not isinstance(text, str) or not text:
            raise ValueError('must be a text with fields in braces, such as "citizen:{cccd}"')
        parts = _PLACEHOLDER.split(text)
        literals, fields = tuple(parts[::2]), tuple(parts[1::2])
        if any(sign in literal for literal in literals for sign in "{}"):
            raise ValueError("has a brace that encloses no field; write {field}")
        return cls(text, literals, fields)

    def fill(self, row: Mapping[str, Any]) -> str:
        """The text with the row's values; MISSING and null are objected to.

        Raises:
            UnreadableError: names the field.
        """
        filled = [self.literals[0]]
        for field, literal in zip(self.fields, self.literals[1:], strict=True):
            value = look_up(row, field)
            if value is MISSING or value is None or value == "":
                raise UnreadableError(f"field {field} is missing or empty")
            try:
                filled += (as_text(value), literal)
            except UnreadableError as error:
                raise UnreadableError(f"field {field} {error}") from None
        return "".join(filled)
