"""Invented people's resources, each with something clinical in it that nobody may ever see."""

from collections.abc import Mapping
from typing import Any

CITIZEN_SYSTEM = "urn:nhipso:test:citizen-number"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
VISITS = "urn:nhipso:test:visit-type"
LOINC = "http://loinc.org"
SUMMARY = {"system": LOINC, "code": "60591-5", "display": "Patient summary Document"}
DIAGNOSIS = "viêm phổi do phế cầu J13"


def patient(
    key: str, number: str | None, *, active: bool = True, replaced_by: str | None = None
) -> dict[str, Any]:
    identifier = {"system": CITIZEN_SYSTEM, "value": number}
    other = {"system": "urn:nhipso:test:insurance", "value": f"GD{key}"}
    link = {"other": {"reference": f"Patient/{replaced_by}"}, "type": "replaced-by"}
    return {
        "resourceType": "Patient",
        "id": key,
        "active": active,
        "name": [{"text": f"Nguyễn Thị {DIAGNOSIS}"}],
        "identifier": [other] if number is None else [other, identifier],
        **({"link": [link]} if replaced_by else {}),
    }


def encounter(key: str, patient_key: str, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": key,
        "status": "finished",
        "class": {"system": ACT_CODE, "code": "VR", "display": "virtual"},
        "type": [
            {"coding": [{"system": VISITS, "code": "tu-van"}], "text": DIAGNOSIS},
            {"coding": [{"system": "http://snomed.info/sct", "code": "233604007"}]},
        ],
        "subject": {"reference": f"Patient/{patient_key}", "display": DIAGNOSIS},
        "period": {"start": "2026-03-01T08:00:00+07:00", "end": "2026-03-01T08:30:00+07:00"},
        "reasonCode": [{"text": DIAGNOSIS}],
        "diagnosis": [{"condition": {"display": DIAGNOSIS}}],
        **changes,
    }


def composition(key: str, patient_key: str, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "id": key,
        "status": "final",
        "type": {"coding": [SUMMARY], "text": DIAGNOSIS},
        "subject": {"reference": f"Patient/{patient_key}"},
        "date": "2026-02-01",
        "author": [{"display": "Bác sĩ"}],
        "title": DIAGNOSIS,
        "section": [{"title": DIAGNOSIS}],
        **changes,
    }


def document(key: str, patient_key: str, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": key,
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [SUMMARY]},
        "subject": {"reference": f"Patient/{patient_key}"},
        "date": "2026-02-02T10:00:00+07:00",
        "description": DIAGNOSIS,
        "content": [{"attachment": {"title": DIAGNOSIS}}],
        **changes,
    }


def config(base_url: str, **changes: Any) -> Mapping[str, Any]:
    """A connector's config, as the YAML file has it."""
    return {
        "base_url": base_url,
        "citizen_systems": [CITIZEN_SYSTEM],
        "teleconsultations": {
            "advice": [{"system": VISITS, "code": "tu-van"}],
            "care": [{"system": VISITS, "code": "kham-benh"}],
        },
        **changes,
    }
