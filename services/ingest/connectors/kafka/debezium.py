"""From a change record of Debezium to one row of fields that rules can name.

Source: Debezium's PostgreSQL connector, "Data change events". The record is JSON, with its schema
(`{"schema", "payload"}`) or without, and the row is the same for both: values stay as Debezium
writes them (days and epoch numbers of times too), except decimals in bytes, which become decimals.
"""

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from contracts.reasons import Reason
from services.ingest.connectors.connector import UnmappableError

_UPSERTS: Final = frozenset({"r", "c", "u"})
_DELETE: Final = "d"
_TRUNCATE: Final = "t"
_MESSAGE: Final = "m"

_DECIMAL: Final = "org.apache.kafka.connect.data.Decimal"
_VARIABLE: Final = frozenset({"scale", "value"})
#: What stands for a long value that PostgreSQL did not log because it has not changed.
_UNAVAILABLE: Final = "__debezium_unavailable_value"
#: More digits are no number of anything here, and cost time to read.
_LONGEST_DECIMAL_BYTES: Final = 32
_MOST_PLACES: Final = 64

_BOUNDARIES: Final = frozenset({"BEGIN", "END"})


def row_of(decoded: Any, *, unwrapped: bool) -> dict[str, Any] | None:
    """The row of a change record; None of one that says nothing about a row.

    Columns stand under their names, of `after` or, when the row was deleted, of `before`. Beside
    them: `op`, `schema`, `table`, `ts_ms` (when it was committed), `lsn`, and the whole `before`
    and `after`, for columns of the same names. A column whose value the database did not log
    (unchanged, and stored out of line) is left out.

    Args:
        decoded: the record's value as JSON.
        unwrapped: the value is the row itself, by ExtractNewRecordState.

    Raises:
        UnmappableError: no change record, or one that tells of no single row.
    """
    payload, schema = _without_schema(decoded)
    if payload is None:
        return None
    if not isinstance(payload, dict):
        raise _no_change("is no JSON object")
    if unwrapped:
        return _columns(payload, schema)
    if "op" not in payload or not isinstance(payload.get("source"), dict):
        if _is_notice(payload):
            return None
        raise _no_change("has no op and source; set debezium.unwrapped if records are flat")
    return _row(payload, schema)


def _row(payload: Mapping[str, Any], schema: Any) -> dict[str, Any] | None:
    op, source = payload["op"], payload["source"]
    if op == _MESSAGE:
        return None
    if op == _TRUNCATE:
        raise UnmappableError(
            "a table was emptied by TRUNCATE, which does not tell of which rows; delete rows "
            "instead, or let Debezium take a new snapshot"
        )
    if op not in _UPSERTS and op != _DELETE:
        raise _no_change("has an op that is none of r, c, u, d, t and m")
    images = {
        name: _columns(image, _part(schema, name))
        for name in ("before", "after")
        if isinstance(image := payload.get(name), dict)
    }
    said = "before" if op == _DELETE else "after"
    if said == "after" and said not in images:
        raise _no_change("has no after")
    when = source.get("ts_ms")
    return images.get(said, {}) | {
        "op": op,
        "schema": source.get("schema"),
        "table": source.get("table"),
        "lsn": source.get("lsn"),
        "ts_ms": payload.get("ts_ms") if when is None else when,
        **images,
    }


def _without_schema(decoded: Any) -> tuple[Any, Any]:
    if isinstance(decoded, dict) and decoded.keys() == {"schema", "payload"}:
        return decoded["payload"], decoded["schema"]
    return decoded, None


def _is_notice(payload: Mapping[str, Any]) -> bool:
    """Whether it is a heartbeat, or the begin or end of a transaction."""
    return payload.keys() == {"ts_ms"} or (payload.get("status") in _BOUNDARIES and "id" in payload)


def _part(schema: Any, name: str) -> Any:
    for field in _fields(schema):
        if field.get("field") == name:
            return field
    return None


def _fields(schema: Any) -> list[dict[str, Any]]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, list):
        return []
    return [field for field in fields if isinstance(field, dict)]


def _columns(image: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    scales = {
        field.get("field"): (field.get("parameters") or {}).get("scale")
        for field in _fields(schema)
        if field.get("name") == _DECIMAL
    }
    return {
        name: _value(name, value, scales.get(name))
        for name, value in image.items()
        if value != _UNAVAILABLE
    }


def _value(name: str, value: Any, scale: Any) -> Any:
    if scale is not None and isinstance(value, str):
        return _decimal(name, value, scale)
    if isinstance(value, dict) and value.keys() == _VARIABLE:
        return _decimal(name, value["value"], value["scale"])
    return value


def _decimal(name: str, unscaled: Any, scale: Any) -> Decimal:
    """Two's complement, the highest byte first, in base 64; divided by ten to the scale."""
    try:
        raw, places = base64.b64decode(unscaled, validate=True), int(scale)
    except (binascii.Error, ValueError, TypeError):
        raw, places = b"", _MOST_PLACES + 1
    if len(raw) > _LONGEST_DECIMAL_BYTES or abs(places) > _MOST_PLACES:
        raise UnmappableError(
            f"column {name} is no decimal in bytes; set decimal.handling.mode=string in Debezium"
        )
    return Decimal(f"{int.from_bytes(raw, signed=True)}E{-places}")


def _no_change(what: str) -> UnmappableError:
    return UnmappableError(f"the record {what}: it is no change record", Reason.BAD_ENVELOPE)
