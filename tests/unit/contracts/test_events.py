"""Every event type of the wire contract: what is accepted, and what is refused."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.events import (
    EVENT_MODELS,
    SUBJECT_EVENT,
    TYPE_PREFIX,
    Data,
    Envelope,
    domain_of,
    unlisted_fields,
)
from contracts.examples import edge_example, inside_example

#: The table "Event types" of the wire contract: type → required fields, and optional ones.
TABLE = {
    "identity.citizen-registered.v1": ("birth_date area", "party_member"),
    "identity.residence-changed.v1": ("area", ""),
    "identity.citizen-departed.v1": ("reason", ""),
    "identity.party-membership-changed.v1": ("member", ""),
    "identity.eid-changed.v1": ("level activated", ""),
    "identity.e-signature-changed.v1": ("active", ""),
    "public-service.account-changed.v1": ("portal active", ""),
    "public-service.dossier-submitted.v1": ("portal self_service", ""),
    "public-service.app-changed.v1": ("app active", ""),
    "public-service.dossier-changed.v1": ("area level authenticated satisfied", ""),
    "payment.account-changed.v1": ("kind active", ""),
    "payment.transaction-completed.v1": ("method purpose", ""),
    "health.record-changed.v1": ("active", ""),
    "health.teleconsultation-completed.v1": ("mode", ""),
    "telecom.subscription-changed.v1": ("own_name smartphone internet", ""),
    "telecom.fibre-changed.v1": ("area covered subscribed", ""),
    "community.training-completed.v1": ("topic", ""),
    "community.conduct-assessed.v1": ("compliant", ""),
    "community.handbook-changed.v1": ("active", ""),
    "registry.organisation-changed.v1": (
        "area size cashless platform e_invoice e_contract",
        "",
    ),
    "registry.institution-changed.v1": ("area kind urban cashless_fees digital_model stem", ""),
    "registry.subject-closed.v1": ("reason", ""),
    "report.figures-submitted.v1": ("indicator period", "numerator denominator value"),
}
KINDS = {
    "public-service.dossier-changed.v1": "dossier",
    "telecom.fibre-changed.v1": "household",
    "registry.organisation-changed.v1": "organisation",
    "registry.institution-changed.v1": "institution",
    "registry.subject-closed.v1": "household organisation institution dossier",
    "report.figures-submitted.v1": "area agency",
}
ENUMERATIONS = {
    ("identity.citizen-departed.v1", "reason"): "died moved-away",
    ("public-service.account-changed.v1", "portal"): "national provincial",
    ("public-service.dossier-submitted.v1", "portal"): "national provincial",
    ("public-service.app-changed.v1", "app"): "yenbai-s",
    ("payment.account-changed.v1", "kind"): "bank e-wallet mobile-money",
    ("payment.transaction-completed.v1", "method"): "card transfer e-wallet mobile-money",
    ("payment.transaction-completed.v1", "purpose"): (
        "electricity water tuition fee shopping other"
    ),
    ("health.teleconsultation-completed.v1", "mode"): "advice care",
    ("community.training-completed.v1", "topic"): "digital-skills code-of-conduct",
    ("registry.organisation-changed.v1", "size"): "micro small medium large public",
    ("registry.institution-changed.v1", "kind"): (
        "primary secondary high college vocational university health-facility"
    ),
}
ENVELOPE = ("specversion", "id", "source", "type", "subject", "time", "data")
TYPES = list(EVENT_MODELS)


def read(event: dict[str, Any]) -> Envelope:
    """Reads an event as JSON and as Python values; both must say the same."""
    from_json = SUBJECT_EVENT.validate_json(json.dumps(event))
    assert SUBJECT_EVENT.validate_python(event) == from_json
    return from_json


def refuse(event: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SUBJECT_EVENT.validate_json(json.dumps(event))
    with pytest.raises(ValidationError):
        SUBJECT_EVENT.validate_python(event)


def with_data(event_type: str, **fields: Any) -> dict[str, Any]:
    event = edge_example(event_type)
    return {**event, "data": {**event["data"], **fields}}


def fields_of(event_type: str) -> dict[str, Any]:
    model = EVENT_MODELS[event_type].model_fields["data"].annotation
    assert isinstance(model, type)
    assert issubclass(model, Data)
    return dict(model.model_fields)


FIELDS = [(event_type, field) for event_type in TYPES for field in edge_example(event_type)["data"]]


def test_the_types_are_those_of_the_contract() -> None:
    assert [event_type.removeprefix(TYPE_PREFIX) for event_type in TYPES] == list(TABLE)


@pytest.mark.parametrize("event_type", TYPES)
def test_the_fields_and_subjects_are_those_of_the_contract(event_type: str) -> None:
    name = event_type.removeprefix(TYPE_PREFIX)
    required, optional = TABLE[name]
    fields = fields_of(event_type)
    assert {f for f, info in fields.items() if info.is_required()} == set(required.split())
    assert {f for f, info in fields.items() if not info.is_required()} == set(optional.split())
    kinds = KINDS.get(name, "citizen").split()
    assert [kind.value for kind in EVENT_MODELS[event_type].subject_kinds] == kinds


@pytest.mark.parametrize("event_type", TYPES)
def test_an_example_is_accepted_at_the_edge_and_inside(event_type: str) -> None:
    for example in (edge_example(event_type), inside_example(event_type)):
        event = read(example)
        assert isinstance(event, EVENT_MODELS[event_type])
        assert event.model_dump(mode="json", exclude_unset=True)["data"] == example["data"]


@pytest.mark.parametrize("event_type", TYPES)
@pytest.mark.parametrize("name", ENVELOPE)
def test_a_missing_attribute_is_refused(event_type: str, name: str) -> None:
    refuse({key: value for key, value in edge_example(event_type).items() if key != name})


@pytest.mark.parametrize(("event_type", "field"), FIELDS)
def test_a_missing_field_is_refused_unless_it_is_optional(event_type: str, field: str) -> None:
    event = edge_example(event_type)
    del event["data"][field]
    if field == "party_member":
        assert read(event).data == read(with_data(event_type, party_member=False)).data
    else:
        refuse(event)


@pytest.mark.parametrize(("event_type", "field"), FIELDS)
def test_a_field_of_a_wrong_type_is_refused(event_type: str, field: str) -> None:
    value = edge_example(event_type)["data"][field]
    wrong: list[Any] = [[], {}, [value], 1.5, None]
    if isinstance(value, bool):
        wrong += ["true", "True", 1, 0, 1.0, ""]
    elif isinstance(value, int):
        wrong += [str(value), float(value), True, False, -1]
    elif isinstance(value, str):
        wrong += [1, True, "", value + "\n", " " + value, value.upper() + "?"]
    elif field == "satisfied":
        wrong.remove(None)
        wrong += ["true", 1, 0]
    for one in wrong:
        if field == "reason" and event_type.endswith("subject-closed.v1") and isinstance(one, str):
            continue  # any text is a reason
        refuse(with_data(event_type, **{field: one}))


@pytest.mark.parametrize(("place", "listed"), list(ENUMERATIONS.items()))
def test_an_enumeration_has_the_values_of_the_contract(place: tuple[str, str], listed: str) -> None:
    name, field = place
    for value in listed.split():
        read(with_data(TYPE_PREFIX + name, **{field: value}))
    refuse(with_data(TYPE_PREFIX + name, **{field: "unheard-of"}))


@pytest.mark.parametrize("event_type", TYPES)
def test_an_unlisted_field_is_dropped_and_can_be_named(event_type: str) -> None:
    event = with_data(event_type, remark="ignored", extra={"deep": [1]})
    assert read(event).data == read(edge_example(event_type)).data
    assert unlisted_fields(event_type, event["data"]) == {"remark", "extra"}
    assert unlisted_fields(event_type, edge_example(event_type)["data"]) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", 1.0),
        ("id", ""),
        ("id", "x" * 129),
        ("id", 7),
        ("source", ""),
        ("source", "u" * 257),
        ("type", "vn.nhipso.identity.unheard-of.v1"),
        ("type", "identity.eid-changed.v1"),
        ("type", None),
        ("subject", 12),
        ("subject", None),
        ("time", "2026-11-20T08:30:00"),
        ("time", 1795312200),
        ("time", None),
        ("datacontenttype", "text/plain"),
        ("data", None),
        ("data", []),
        ("data", "{}"),
    ],
)
def test_a_wrong_attribute_is_refused(name: str, value: Any) -> None:
    refuse({**edge_example("vn.nhipso.identity.eid-changed.v1"), name: value})


def test_an_id_may_have_128_characters_of_any_script() -> None:
    example = edge_example("vn.nhipso.identity.eid-changed.v1")
    assert read({**example, "id": "số" * 64}).id == "số" * 64


def test_datacontenttype_may_be_left_out_and_extensions_are_kept() -> None:
    example = edge_example("vn.nhipso.identity.eid-changed.v1")
    del example["datacontenttype"]
    event = read({**example, "traceparent": "00-ab-cd-01", "sequence": 3})
    assert event.datacontenttype == "application/json"
    assert event.model_extra == {"traceparent": "00-ab-cd-01", "sequence": 3}


def test_time_is_written_in_utc() -> None:
    event = read(edge_example("vn.nhipso.identity.eid-changed.v1"))
    assert json.loads(event.model_dump_json())["time"] == "2026-11-20T01:30:00Z"


@pytest.mark.parametrize("area", ["2647", "026470", "2025:02647", "０２６４７", "0264a", 2647])
def test_an_area_is_five_ascii_digits_as_text(area: Any) -> None:
    refuse(with_data("vn.nhipso.identity.residence-changed.v1", area=area))


@pytest.mark.parametrize(
    "day", ["1990-5-17", "19900517", "1990-02-30", "17/05/1990", "1990-05-17T00:00:00Z", 641520000]
)
def test_a_birth_date_is_a_day_that_exists(day: Any) -> None:
    refuse(with_data("vn.nhipso.identity.citizen-registered.v1", birth_date=day))


@pytest.mark.parametrize(("level", "is_good"), [(0, True), (2, True), (3, False), (-1, False)])
def test_levels_of_identity_are_0_to_2(level: int, is_good: bool) -> None:
    event = with_data("vn.nhipso.identity.eid-changed.v1", level=level)
    read(event) if is_good else refuse(event)


@pytest.mark.parametrize(("level", "is_good"), [(0, False), (1, True), (4, True), (5, False)])
def test_levels_of_dossiers_are_1_to_4(level: int, is_good: bool) -> None:
    event = with_data("vn.nhipso.public-service.dossier-changed.v1", level=level)
    read(event) if is_good else refuse(event)


def report(**figures: Any) -> dict[str, Any]:
    event = edge_example("vn.nhipso.report.figures-submitted.v1")
    figures = {"indicator": "dt.eco.1", "period": "2026-10", **figures}
    return {**event, "data": figures}


@pytest.mark.parametrize(
    "figures",
    [
        {"numerator": 0, "denominator": 1},
        {"numerator": 20, "denominator": 20},
        {"value": 0},
        {"value": 12.75},
        {"value": -3},
    ],
)
def test_a_report_gives_a_ratio_or_a_value(figures: dict[str, Any]) -> None:
    event = read(report(**figures))
    assert json.loads(event.model_dump_json(exclude_unset=True))["data"] == {
        "indicator": "dt.eco.1",
        "period": "2026-10",
        **figures,
    }


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"numerator": 1},
        {"denominator": 1},
        {"numerator": 0, "denominator": 0},
        {"numerator": 2, "denominator": 1},
        {"numerator": -1, "denominator": 1},
        {"numerator": 1.0, "denominator": 2},
        {"numerator": True, "denominator": 2},
        {"numerator": "1", "denominator": 2},
        {"value": "12"},
        {"value": True},
        {"value": None},
        {"numerator": 1, "denominator": 2, "value": 50},
        {"numerator": 1, "value": 50},
        {"numerator": 1, "denominator": 2, "value": None},
        {"numerator": None, "denominator": None, "value": 50},
    ],
)
def test_a_report_of_another_form_is_refused(figures: dict[str, Any]) -> None:
    refuse(report(**figures))


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity"])
def test_a_value_that_is_no_finite_number_is_refused(number: str) -> None:
    text = json.dumps(report(value=50)).replace("50", number)
    with pytest.raises(ValidationError):
        SUBJECT_EVENT.validate_json(text)


@pytest.mark.parametrize("period", ["2026-10", "2026-Q3", "2026-H1", "2026", "1999-01"])
def test_a_period_is_a_month_quarter_half_or_year(period: str) -> None:
    read(report(value=1, period=period))


@pytest.mark.parametrize(
    "period", ["2026-13", "2026-00", "2026-Q5", "2026-H3", "26", "2026-1", "2026-10-01", "2026-q1"]
)
def test_another_period_is_refused(period: str) -> None:
    refuse(report(value=1, period=period))


def test_an_event_cannot_be_changed() -> None:
    event = read(edge_example("vn.nhipso.identity.eid-changed.v1"))
    with pytest.raises(ValidationError):
        event.id = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("event_type", "domain"),
    [
        ("vn.nhipso.identity.eid-changed.v1", "identity"),
        ("vn.nhipso.public-service.app-changed.v1", "public-service"),
        ("vn.nhipso.report.figures-submitted.v1", "report"),
    ],
)
def test_a_type_names_its_domain(event_type: str, domain: str) -> None:
    assert domain_of(event_type) == domain
