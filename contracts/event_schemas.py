"""JSON Schemas (2020-12) of everything that the topics and the edge carry, made from the models.

A schema stands alone: it refers to nothing outside or inside itself, so it can be pasted anywhere.
What a schema cannot say (a numerator not greater than its denominator, an area code that existed on
that day, a time near now), ingest checks as well.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from pydantic import BaseModel

from contracts.events import EVENT_MODELS, TYPE_PREFIX
from contracts.examples import REJECTED_EXAMPLE, UPDATE_EXAMPLES, edge_example, inside_example
from contracts.rejected import RejectedEvent
from contracts.report_events import REPORT_DUE, REPORT_MISSING, REPORT_RECEIVED, ReportEvent
from contracts.subjects import SubjectKind, edge_pattern, inside_pattern
from contracts.updates import (
    ALERT_CHANGED,
    ALERT_OPENED,
    ALERT_RESOLVED,
    INDICATOR_UPDATED,
    AlertChanged,
    IndicatorUpdated,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_URN: Final = "urn:nhipso:schema:"

#: Not a CloudEvent but a record with a schema of its own.
REJECTED_EVENT: Final = "vn.nhipso.rejected-event.v1"

Schema = dict[str, Any]
Form = Literal["edge", "inside"]

_UPDATES: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    INDICATOR_UPDATED: (IndicatorUpdated, "The figure of a unit and an indicator has changed."),
    ALERT_OPENED: (AlertChanged, "A unit lags behind the pace: an alert was opened."),
    ALERT_CHANGED: (AlertChanged, "An open alert has changed."),
    ALERT_RESOLVED: (AlertChanged, "An alert was resolved."),
    REPORT_DUE: (ReportEvent, "A unit's report for a period is due soon, and is not complete."),
    REPORT_MISSING: (ReportEvent, "A unit's report for a period is overdue and not complete."),
    REPORT_RECEIVED: (ReportEvent, "A unit's report for a period is complete."),
}

#: Every name that `event_schema` knows: the subject events first, in the order of the contract.
SCHEMA_TYPES: Final = (*EVENT_MODELS, *_UPDATES, REJECTED_EVENT)

#: CloudEvents: an extension attribute is a text, a boolean or an integer; null counts as absent.
_EXTENSION: Final = {
    "type": ["string", "boolean", "integer", "null"],
    "description": "an extension attribute of CloudEvents",
}


def event_schema(event_type: str) -> Schema:
    """The JSON Schema of a whole event, in the form in which sources send it.

    Args:
        event_type: one of `SCHEMA_TYPES`, for example ``vn.nhipso.identity.eid-changed.v1``.

    Raises:
        KeyError: when the contract has no such type.
    """
    schema = _body(event_type, "edge")
    return {"$schema": DIALECT, "$id": SCHEMA_URN + event_type, **schema}


def inside_schema(event_type: str) -> Schema:
    """The schema of an event as it stands on its topic: pseudonyms, without ``$schema`` and ``$id``.

    Raises:
        KeyError: when the contract has no such type.
    """
    return _body(event_type, "inside")


def edge_schema(event_type: str) -> Schema:
    """`event_schema` without ``$schema`` and ``$id``, for use inside another document.

    Raises:
        KeyError: when the contract has no such type.
    """
    return _body(event_type, "edge")


def _body(event_type: str, form: Form) -> Schema:
    if event_type in EVENT_MODELS:
        return _subject_event(event_type, form)
    if event_type in _UPDATES:
        return _update(event_type)
    if event_type == REJECTED_EVENT:
        schema = _schema_of(RejectedEvent)
        return {**schema, "title": _title(REJECTED_EVENT), "examples": [dict(REJECTED_EXAMPLE)]}
    raise KeyError(f"the contract has no event type {event_type}")


def _subject_event(event_type: str, form: Form) -> Schema:
    model = EVENT_MODELS[event_type]
    schema = _inlined(model.model_json_schema(mode="validation"))
    pattern, example = (
        (edge_pattern, edge_example) if form == "edge" else (inside_pattern, inside_example)
    )
    schema["properties"]["subject"] = {
        "type": "string",
        "pattern": pattern(*model.subject_kinds),
        "description": _subject_description(model.subject_kinds, form),
    }
    return _finished(schema, event_type, model.__doc__ or "", example(event_type))


def _subject_description(kinds: tuple[SubjectKind, ...], form: Form) -> str:
    named = " or ".join(kinds)
    inside = "" if form == "edge" else "; citizens and households by their pseudonym"
    return f"what the event is about: {named}, as <kind>:<identifier>{inside}"


def _update(event_type: str) -> Schema:
    model, description = _UPDATES[event_type]
    schema = _schema_of(model)
    schema["properties"]["type"] = {"const": event_type, "type": "string"}
    schema["properties"]["subject"] |= {"pattern": inside_pattern(SubjectKind.AREA)}
    return _finished(schema, event_type, description, dict(UPDATE_EXAMPLES[event_type]))


def _finished(schema: Schema, event_type: str, description: str, example: dict[str, Any]) -> Schema:
    return {
        **schema,
        "title": _title(event_type),
        "description": description,
        "additionalProperties": _EXTENSION,
        "examples": [example],
    }


def _title(event_type: str) -> str:
    return event_type.removeprefix(TYPE_PREFIX)


def _schema_of(model: type[BaseModel]) -> Schema:
    """The schema of what a service writes: every field is there, also one that has a default."""
    return _inlined(model.model_json_schema(mode="serialization"), complete=True)


def _inlined(schema: Schema, *, complete: bool = False) -> Schema:
    """The schema with every reference replaced by what it names (the models have no circle)."""
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            named = definitions[node["$ref"].rpartition("/")[2]]
            return resolve(named | {key: value for key, value in node.items() if key != "$ref"})
        kept = {key: resolve(value) for key, value in node.items()}
        kept.pop("discriminator", None)  # OpenAPI's word; the branches tell themselves apart
        if isinstance(kept.get("title"), str):
            del kept["title"]  # pydantic's titles repeat the names of fields
        if kept.get("default", ...) is None:
            del kept["default"]  # a field that is left out is left out, not null
        if complete and "properties" in kept:
            kept["required"] = list(kept["properties"])
        return kept

    return cast("Schema", resolve(schema))
