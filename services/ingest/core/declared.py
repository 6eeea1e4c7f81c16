"""Declared mappings: which events a row of a source becomes, said in configuration, not in code.

A mapping is a list of rules; each whose `when` fits makes one event. It is held against the contract
when it is read, so that a type, field or kind of subject that does not exist stops the start and not
the first record (docs/declared-mapping.md). Mapping is pure: the same row gives the same events, with the same ids.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from contracts.canonical import canonical_json
from contracts.reasons import Reason
from services.ingest.core.declared_rules import (
    DataField,
    DeclaredMapping,
    EventRule,
    TimeField,
    columns_of,
    fields_of,
    identifying_fields,
    takes_null,
)
from services.ingest.core.declared_values import (
    CONVERSIONS,
    MISSING,
    Template,
    UnreadableError,
    comparable,
    look_up,
    moment,
)
from services.ingest.core.verdicts import ObjectionError

__all__ = ["DeclaredMapping", "EventRule", "columns_of", "identifying_fields", "map_row"]

_NULL: Final = comparable(None)


def map_row(
    row: Mapping[str, Any],
    rules: Sequence[EventRule],
    *,
    source: str,
    event_id: Callable[[bytes], str],
) -> list[dict[str, Any]]:
    """The events of a row, in edge form, in the order of the rules.

    Args:
        row: decoded JSON; numbers may be Decimal.
        rules: of a `DeclaredMapping`.
        source: the CloudEvents source.
        event_id: gives a keyed id from what an event says, for rules without a template.

    Raises:
        ObjectionError: names the rule and the field, never a value.
    """
    return [
        _event(row, rule, where, source, event_id)
        for index, rule in enumerate(rules)
        if _applies(row, rule, where := f"events.{index} ({rule.type})")
    ]


def _event(
    row: Mapping[str, Any],
    rule: EventRule,
    where: str,
    source: str,
    event_id: Callable[[bytes], str],
) -> dict[str, Any]:
    said = {
        "source": source,
        "type": rule.type,
        "subject": _filled(row, rule.subject, where, "subject", Reason.BAD_SUBJECT),
        "time": _time(row, rule.time, where),
        "data": _data(row, rule, where),
    }
    if rule.id is None:
        named = event_id(canonical_json(said).encode("utf-8", "surrogatepass"))
    else:
        named = _filled(row, rule.id, where, "id", Reason.BAD_ENVELOPE)
    return {"specversion": "1.0", "id": named, **said}


def _applies(row: Mapping[str, Any], rule: EventRule, where: str) -> bool:
    for field, wanted in rule.when.items():
        keys = {comparable(value) for value in wanted}
        try:
            key = comparable(look_up(row, field))
        except UnreadableError as error:
            raise _objection(where, f"when: field {field} {error}") from None
        if key in keys:
            continue
        kinds = {kind for kind, _ in keys} - {"null"}
        # Otherwise "1" beside 1 would quietly mean that no row ever fits.
        if kinds and key != _NULL and key[0] not in kinds:
            raise _objection(
                where,
                f"when: field {field} is a {key[0]}, and is compared with {' and '.join(kinds)}; "
                "write the values in the mapping as the source does",
            )
        return False
    return True


def _filled(
    row: Mapping[str, Any], template: Template, where: str, attribute: str, reason: Reason
) -> str:
    try:
        return template.fill(row)
    except UnreadableError as error:
        raise _objection(where, f"{attribute}: {error}", reason) from None


def _time(row: Mapping[str, Any], time: TimeField, where: str) -> str:
    value = look_up(row, time.field)
    try:
        if value is MISSING or value is None:
            raise UnreadableError("is missing")  # noqa: TRY301 - one place says where
        return moment(value, time.form, time.zone)
    except UnreadableError as error:
        detail = f"time: field {time.field} ({time.form}) {error}"
        raise _objection(where, detail, Reason.BAD_TIME) from None


def _data(row: Mapping[str, Any], rule: EventRule, where: str) -> dict[str, Any]:
    fields = fields_of(rule.type)
    data: dict[str, Any] = {}
    for name, how in rule.data.items():
        if how.field is None:
            data[name] = how.constant
            continue
        value = look_up(row, how.field)
        try:
            read = _read(value, how)
        except UnreadableError as error:
            raise _objection(where, f"data.{name}: field {how.field} {error}") from None
        if read is not None and read is not MISSING:
            data[name] = read
        elif fields[name].is_required():
            if read is MISSING or not takes_null(rule.type, name):
                state = "missing" if value is MISSING else "empty"
                raise _objection(where, f"data.{name}: field {how.field} is {state}")
            data[name] = None
    return data


def _read(value: Any, how: DataField) -> Any:
    if how.values is not None:
        key = comparable(value)
        if key in how.known:
            return how.known[key]
        if key != _NULL:
            raise UnreadableError("holds a value that values does not list; add it there")
    if value is None or value is MISSING:
        return value
    return CONVERSIONS[how.read_as](value)


def _objection(where: str, what: str, reason: Reason = Reason.BAD_DATA) -> ObjectionError:
    return ObjectionError(reason, f"mapping {where}: {what}")
