"""The JSON Schemas say what the models say: what the models take the schemas take."""

import json
from datetime import datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import TypeAdapter, ValidationError

from contracts.event_schemas import inside_schema
from contracts.events import EVENT_MODELS, SUBJECT_EVENT
from contracts.examples import REJECTED_EXAMPLE, UPDATE_EXAMPLES, edge_example, inside_example
from contracts.rejected import RejectedEvent
from contracts.report_events import REPORT_DUE, REPORT_MISSING, REPORT_RECEIVED, ReportEvent
from contracts.schemas import REJECTED_EVENT, SCHEMA_TYPES, event_schema
from contracts.subjects import SubjectError, parse_edge
from contracts.times import parse_rfc3339
from contracts.updates import INDICATOR_UPDATED, AlertChanged, IndicatorUpdated

FORMATS = FormatChecker(["date"])
FORMATS.checks("date-time", raises=ValueError)(
    lambda value: not isinstance(value, str) or bool(parse_rfc3339(value))
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
VALIDATORS = {
    event_type: Draft202012Validator(event_schema(event_type), format_checker=FORMATS)
    for event_type in SCHEMA_TYPES
}
_FIRST_DAY = datetime(1, 1, 2)  # noqa: DTZ001 - hypothesis wants naive bounds


def schema_takes(event: dict[str, Any], event_type: str) -> bool:
    return VALIDATORS[event_type].is_valid(event)


def model_takes(event: dict[str, Any]) -> bool:
    """What ingest asks of the form of an event: the model, and the subject in edge form."""
    try:
        read = SUBJECT_EVENT.validate_json(json.dumps(event))
        kind, _ = parse_edge(read.subject)
    except (ValidationError, SubjectError):
        return False
    return kind in read.subject_kinds


def a_value(schema: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: PLR0911  # a table
    """Values that a field's schema takes."""
    match schema:
        case {"const": value}:
            return st.just(value)
        case {"enum": values}:
            return st.sampled_from(values)
        case {"anyOf": branches}:
            return st.one_of([a_value(branch) for branch in branches])
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "null"}:
            return st.none()
        case {"type": "integer"}:
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case {"type": "number"}:
            return st.integers(-(10**12), 10**12) | st.floats(-1e12, 1e12)
        case {"type": "string", "pattern": pattern}:
            # `$` of ECMA-262 is the very end; Python's would take a line feed after it.
            return st.from_regex(pattern.removesuffix("$") + r"\Z")
        case {"type": "string", "format": "date"}:
            return st.dates().map(str)
        case {"type": "string", "format": "date-time"}:
            # The first hours of the year 1 at this offset lie before the calendar of UTC.
            return st.datetimes(min_value=_FIRST_DAY).map(
                lambda moment: moment.isoformat()[:19] + "+07:00"
            )
        case {"type": "string"}:
            return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength"))
    raise AssertionError(f"no values for {schema}")


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Whole events as the schemas describe them."""
    event_type = draw(st.sampled_from(list(EVENT_MODELS)))
    schema = event_schema(event_type)
    outside = schema["properties"]
    event = {name: draw(a_value(outside[name])) for name in outside if name != "data"}
    event["id"] = draw(st.text(min_size=1, max_size=128))
    fields = outside["data"]["properties"]
    data = {
        name: draw(a_value(field))
        for name, field in fields.items()
        if name in outside["data"].get("required", ()) or draw(st.booleans())
    }
    if event_type == "vn.nhipso.report.figures-submitted.v1":
        data = {key: data[key] for key in ("indicator", "period")} | draw(figures())
    return {**event, "data": data}


def figures() -> st.SearchStrategy[dict[str, Any]]:
    ratios = st.tuples(st.integers(0, 2**53), st.integers(1, 2**53)).map(sorted)
    return ratios.map(lambda pair: {"numerator": pair[0], "denominator": pair[1]}) | st.floats(
        -1e12, 1e12
    ).map(lambda value: {"value": value})


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Events of which one attribute or field was taken away or replaced by something."""
    event = draw(events())
    inside = cast("dict[str, Any]", event["data"] if draw(st.booleans()) else event)
    name = draw(st.sampled_from(sorted(inside)))
    if name == "type":
        return event
    if draw(st.booleans()):
        del inside[name]
    else:
        other = draw(events())
        foreign = st.sampled_from([*other.values(), *other["data"].values()])
        inside[name] = draw(JSON | foreign)
    return event


def has_whole_float(event: dict[str, Any]) -> bool:
    """JSON Schema counts 1.0 as an integer; the contract does not."""
    values = [*event.values()]
    values += event["data"].values() if isinstance(event.get("data"), dict) else []
    return any(isinstance(value, float) and value.is_integer() for value in values)


def line_feed_at_the_end(event: dict[str, Any]) -> bool:
    """Python's `$` takes it, that of ECMA-262 (which JSON Schema names) does not."""
    values = [*event.values()]
    values += event["data"].values() if isinstance(event.get("data"), dict) else []
    return any(isinstance(value, str) and value.endswith("\n") for value in values)


def numerator_exceeds(event: dict[str, Any]) -> bool:
    """A schema cannot compare two fields."""
    data = event.get("data")
    figures = (data.get("numerator"), data.get("denominator")) if isinstance(data, dict) else ()
    match figures:
        case (int() | float() as numerator, int() | float() as denominator):
            return numerator > denominator
    return False


@given(events())
def test_what_the_schema_describes_the_model_and_the_schema_take(event: dict[str, Any]) -> None:
    VALIDATORS[event["type"]].validate(event)
    assert model_takes(event)


@given(mutated())
def test_what_the_model_takes_the_schema_takes_and_what_one_refuses_the_other_refuses(
    event: dict[str, Any],
) -> None:
    by_model, by_schema = model_takes(event), schema_takes(event, event["type"])
    if by_model:
        assert by_schema
    elif not (has_whole_float(event) or line_feed_at_the_end(event) or numerator_exceeds(event)):
        assert not by_schema


@pytest.mark.parametrize("event_type", SCHEMA_TYPES)
def test_a_schema_is_one_of_2020_12_with_a_name_a_title_and_a_good_example(event_type: str) -> None:
    schema = event_schema(event_type)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:nhipso:schema:{event_type}"
    assert f"vn.nhipso.{schema['title']}" == event_type
    assert schema["description"]
    assert "$ref" not in json.dumps(schema)
    for example in schema["examples"]:
        VALIDATORS[event_type].validate(example)


def test_there_is_a_schema_of_every_event_and_of_refusals() -> None:
    assert set(SCHEMA_TYPES) == {*EVENT_MODELS, *UPDATE_EXAMPLES, REJECTED_EVENT}
    assert len(EVENT_MODELS) == 23
    with pytest.raises(KeyError, match=r"no event type vn\.nhipso\.unheard-of\.v1"):
        event_schema("vn.nhipso.unheard-of.v1")


@pytest.mark.parametrize("event_type", list(EVENT_MODELS))
def test_the_edge_takes_edge_subjects_and_the_topic_inside_ones(event_type: str) -> None:
    inside = Draft202012Validator(inside_schema(event_type), format_checker=FORMATS)
    at_edge, on_topic = edge_example(event_type), inside_example(event_type)
    inside.validate(on_topic)
    is_personal = at_edge["subject"] != on_topic["subject"]
    assert inside.is_valid(at_edge) != is_personal
    if at_edge["subject"].startswith("citizen:"):
        assert not schema_takes(on_topic, event_type)


def test_unlisted_fields_and_extensions_are_taken_but_no_extension_of_a_wrong_type() -> None:
    event_type = "vn.nhipso.identity.eid-changed.v1"
    event = edge_example(event_type)
    event["data"]["remark"] = {"any": "thing"}
    assert schema_takes({**event, "traceparent": "00-ab", "sequence": 1}, event_type)
    assert not schema_takes({**event, "nested": {}}, event_type)


@pytest.mark.parametrize("event_type", [*UPDATE_EXAMPLES, REJECTED_EVENT])
def test_a_schema_of_what_services_write_asks_for_every_field(event_type: str) -> None:
    models: dict[str, Any] = {INDICATOR_UPDATED: IndicatorUpdated, REJECTED_EVENT: RejectedEvent}
    models |= dict.fromkeys((REPORT_DUE, REPORT_MISSING, REPORT_RECEIVED), ReportEvent)
    adapter: TypeAdapter[Any] = TypeAdapter(models.get(event_type, AlertChanged))
    example = event_schema(event_type)["examples"][0]
    written = json.loads(adapter.dump_json(adapter.validate_json(json.dumps(example))))
    assert written == example
    for name in written:
        assert not schema_takes({key: written[key] for key in written if key != name}, event_type)
    if event_type == REJECTED_EVENT:
        assert written == REJECTED_EXAMPLE
