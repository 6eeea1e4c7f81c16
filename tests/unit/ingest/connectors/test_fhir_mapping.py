"""Of a resource only the fields that are used remain, and they make the right events."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.reasons import Reason
from services.ingest.connectors.connector import Event, UnmappableError
from services.ingest.connectors.fhir.config import FhirConfig
from services.ingest.connectors.fhir.mapping import map_record
from services.ingest.connectors.fhir.queries import ELEMENTS, filters
from services.ingest.connectors.fhir.reduction import reduce_patient, reduce_record

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
VISITS = "urn:nhipso:test:visit-type"
NUMBERS = "urn:nhipso:test:citizen-number"
NUMBER = "091000000001"
SUMMARY = {"system": "http://loinc.org", "code": "60591-5"}
META = {"versionId": "3", "lastUpdated": "2026-03-02T00:00:00.000Z", "source": "#viêm gan"}
CLINICAL = "viêm gan"


def config(**changes: Any) -> FhirConfig:
    given: dict[str, Any] = {
        "base_url": "https://fhir.example/fhir/",
        "citizen_systems": [NUMBERS],
        "teleconsultations": {
            "advice": [{"system": VISITS, "code": "tu-van"}],
            "care": [{"system": VISITS, "code": "kham-benh"}],
        },
        "records": {"compositions": [SUMMARY], "document_references": [], "patients": True},
    }
    return FhirConfig.model_validate(given | changes)


def encounter(*codes: str, **changes: Any) -> dict[str, Any]:
    types = [{"coding": [{"system": VISITS, "code": code}], "text": CLINICAL} for code in codes]
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "meta": META,
        "status": "finished",
        "class": {"system": ACT_CODE, "code": "VR", "display": CLINICAL},
        "type": [*types, {"coding": [{"system": "http://snomed.info/sct", "code": "40468003"}]}],
        "subject": {"reference": "Patient/p1", "display": CLINICAL},
        "period": {"start": "2026-03-01T08:00:00+07:00", "end": "2026-03-01T08:30:00+07:00"},
        "reasonCode": [{"text": CLINICAL}],
        "diagnosis": [{"condition": {"display": CLINICAL}}],
        "text": {"div": CLINICAL},
        "contained": [{"resourceType": "Condition", "code": {"text": CLINICAL}}],
        **changes,
    }


def patient(number: str | None = NUMBER, **changes: Any) -> dict[str, Any]:
    identifiers = [{"system": "urn:nhipso:test:insurance", "value": "GD1", "use": CLINICAL}]
    if number is not None:
        identifiers.append({"system": NUMBERS, "value": number})
    return {
        "resourceType": "Patient",
        "id": "p1",
        "meta": META,
        "active": True,
        "name": [{"text": CLINICAL}],
        "identifier": identifiers,
        **changes,
    }


def document(kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": "d1",
        "meta": META,
        "status": {"Composition": "final", "DocumentReference": "current"}[kind],
        "type": {"coding": [SUMMARY], "text": CLINICAL},
        "subject": {"reference": "Patient/p1"},
        "date": "2026-02-01",
        "title": CLINICAL,
        **changes,
    }


def mapped(
    resource: dict[str, Any], owner: dict[str, Any] | None, with_config: FhirConfig | None = None
) -> list[Event]:
    used = with_config or config()
    reduced = reduce_record(resource, used)
    assert reduced is not None
    held = {"resource": reduced, "patient": owner and reduce_patient(owner, used)}
    original = json.dumps(held, ensure_ascii=False)
    assert CLINICAL not in original
    assert "snomed" not in original
    return map_record(
        original.encode(), used, source="urn:nhipso:source:ehr", event_id=lambda said: said.decode()
    )


def test_an_encounter_becomes_a_teleconsultation_and_nothing_else_of_it_remains() -> None:
    assert mapped(encounter("tu-van"), patient()) == [
        {
            "specversion": "1.0",
            "id": "Encounter/e1/teleconsultation/advice",
            "source": "urn:nhipso:source:ehr",
            "type": "vn.nhipso.health.teleconsultation-completed.v1",
            "subject": f"citizen:{NUMBER}",
            "time": "2026-03-01T08:30:00+07:00",
            "data": {"mode": "advice"},
        }
    ]


def test_care_goes_before_advice_and_service_types_count_too() -> None:
    assert mapped(encounter("tu-van", "kham-benh"), patient())[0]["data"] == {"mode": "care"}
    service = {"coding": [{"system": VISITS, "code": "kham-benh"}]}
    assert mapped(encounter(serviceType=service), patient())[0]["data"] == {"mode": "care"}


def test_an_encounter_without_a_declared_code_is_what_the_rule_says() -> None:
    with pytest.raises(UnmappableError, match="declared as advice or care"):
        mapped(encounter(), patient())
    rule = config(teleconsultations={"otherwise": "care"})
    assert mapped(encounter(), patient(), rule)[0]["data"] == {"mode": "care"}


@pytest.mark.parametrize(
    "resource",
    [
        encounter("tu-van", status="in-progress"),
        encounter("tu-van", **{"class": {"system": ACT_CODE, "code": "AMB"}}),
        encounter("tu-van", **{"class": [{"code": "VR"}]}),
        document("Composition", status="preliminary"),
        document("Composition", status="entered-in-error"),
        document("Composition", type={"coding": [{"system": "urn:x", "code": "y"}]}),
        document("DocumentReference", status="superseded"),
        document("DocumentReference", docStatus="preliminary"),
        {"resourceType": "Condition", "id": "c1", "code": {"text": CLINICAL}},
        {"resourceType": "OperationOutcome"},
    ],
)
def test_what_does_not_count_is_dropped_before_anything_is_kept(resource: dict[str, Any]) -> None:
    assert reduce_record(resource, config()) is None


@pytest.mark.parametrize("kind", ["Composition", "DocumentReference"])
def test_a_document_is_a_sign_of_an_active_record(kind: str) -> None:
    [event] = mapped(document(kind), patient())
    assert event["type"] == "vn.nhipso.health.record-changed.v1"
    assert event["data"] == {"active": True}
    assert event["time"] == "2026-02-01T00:00:00+07:00"
    [undated] = mapped(document(kind, date=None), patient())
    assert undated["time"] == META["lastUpdated"]


def test_a_document_of_a_patient_who_is_not_current_says_nothing() -> None:
    assert mapped(document("Composition"), patient(active=False)) == []


def test_a_patient_may_be_the_record() -> None:
    [event] = mapped(patient(), None)
    assert event["data"] == {"active": True}
    [ended] = mapped(patient(active=False), None)
    assert ended["data"] == {"active": False}
    assert ended["id"] == event["id"], "the same version of a resource has one id"
    merged = patient(active=False, link=[{"type": "replaced-by", "other": {"reference": "P/2"}}])
    assert mapped(merged, None) == []


@pytest.mark.parametrize(
    ("owner", "reason", "says"),
    [
        (None, Reason.BAD_SUBJECT, "refers to no patient"),
        (patient(None), Reason.BAD_SUBJECT, "none of the systems"),
        (patient("12345"), Reason.BAD_SUBJECT, "12 digits"),
        (
            patient(identifier=[{"system": NUMBERS, "value": f"09100000000{n}"} for n in (1, 2)]),
            Reason.BAD_SUBJECT,
            "several",
        ),
    ],
)
def test_a_patient_without_one_number_is_refused_without_repeating_it(
    owner: dict[str, Any] | None, reason: Reason, says: str
) -> None:
    with pytest.raises(UnmappableError, match=says) as caught:
        mapped(encounter("tu-van"), owner)
    assert caught.value.reason is reason
    assert "12345" not in caught.value.detail


def test_numbers_that_are_marked_as_old_do_not_count() -> None:
    old = {"system": NUMBERS, "value": "091000000002", "use": "old"}
    owner = patient(identifier=[old, {"system": NUMBERS, "value": NUMBER}])
    assert mapped(encounter("tu-van"), owner)[0]["subject"] == f"citizen:{NUMBER}"


def test_a_reference_may_name_the_number_itself() -> None:
    subject = {"identifier": {"system": NUMBERS, "value": NUMBER}, "display": CLINICAL}
    assert mapped(encounter("tu-van", subject=subject), None)[0]["subject"] == f"citizen:{NUMBER}"


def test_records_of_people_without_a_number_can_be_skipped() -> None:
    assert mapped(encounter("tu-van"), patient(None), config(without_number="skip")) == []


@pytest.mark.parametrize("period", [None, {}, {"end": "2026"}, {"end": "2026-02-30"}])
def test_a_time_that_is_missing_or_no_day_is_refused(period: Any) -> None:
    with pytest.raises(UnmappableError) as caught:
        mapped(encounter("tu-van", period=period), patient())
    assert caught.value.reason is Reason.BAD_TIME


def test_servers_are_asked_for_what_can_count_and_nothing_clinical() -> None:
    asked = filters("Encounter", config())
    assert asked == {"status": "finished", "class": f"{ACT_CODE}|VR"}
    assert filters("Composition", config()) == {
        "status": "amended,final",
        "type": "http://loinc.org|60591-5",
    }
    assert filters("DocumentReference", config()) == {"status": "current"}
    for elements in ELEMENTS.values():
        assert not {"reasonCode", "diagnosis", "text", "section", "name"} & set(elements.split(","))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"teleconsultations": None, "records": {}}, "declare teleconsultations"),
        ({"teleconsultations": {}}, "declare codes of advice or care"),
        ({"base_url": "ftp://fhir.example"}, "http or https"),
        ({"base_url": "https://me:secret@fhir.example"}, "authorization"),
        ({"bulk": {"folder": "exported"}}, "as_of"),
        ({"bulk": {"export": "Patient"}}, "export"),
        ({"since": "2026-01-01T00:00:00"}, "offset"),
        (
            {"authorization": {"token_url": "https://auth.example/token", "client_id": "x"}},
            "either client_secret_file or private_key_file",
        ),
    ],
)
def test_a_config_that_cannot_work_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        config(**changes)
