"""Makes events of reduced resources and the patients they are about. Pure.

A record is `{"resource": …, "patient": …}`, both as `reduction.py` leaves them; the patient is
there when the resource refers to one that the server knows.
"""

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from contracts.reasons import Reason
from services.ingest.connectors.connector import Event, UnmappableError
from services.ingest.connectors.fhir.config import Code, FhirConfig, Mode
from services.ingest.connectors.fhir.reduction import UNREADABLE, Resource

_NUMBER: Final = re.compile(r"[0-9]{12}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def map_record(
    original: bytes, config: FhirConfig, *, source: str, event_id: Callable[[bytes], str]
) -> list[Event]:
    """The event of a record; none when the resource says nothing that counts.

    Args:
        original: the record as JSON.
        config: which codes mean what.
        source: the CloudEvents source.
        event_id: makes a keyed id of what an event is about.

    Raises:
        UnmappableError: a field is missing or wrong, named by the message.
    """
    record = json.loads(original)
    resource: dict[str, Any] = record["resource"]
    patient: dict[str, Any] | None = record.get("patient")
    kind = resource["resourceType"]
    if kind == UNREADABLE:
        raise UnmappableError("the line is no JSON object; mend the file and put it there anew")
    if not isinstance(resource["id"], str):
        raise UnmappableError("id: is missing")
    if kind == "Patient":
        patient = resource
    said = _said(resource, patient, config)
    if said is None:
        return []
    name, data, time, key = said
    number = _citizen(resource, patient, config)
    if number is None:
        return []
    return [
        {
            "specversion": "1.0",
            # A later version of a resource says the same, under the same id.
            "id": event_id(f"{kind}/{resource['id']}/{key}".encode()),
            "source": source,
            "type": f"vn.nhipso.health.{name}.v1",
            "subject": f"citizen:{number}",
            "time": time,
            "data": data,
        }
    ]


_Said = tuple[str, dict[str, Any], str, str]


def _said(resource: Resource, patient: Resource | None, config: FhirConfig) -> _Said | None:
    """Type, data, time and what makes the event the same as another one."""
    match resource["resourceType"]:
        case "Encounter":
            period = resource.get("period", {})
            time = period.get("end") or period.get("start")
            if time is None:
                raise UnmappableError("period: has neither end nor start", Reason.BAD_TIME)
            mode = _mode(resource, config)
            moment = _moment(time, "period")
            return "teleconsultation-completed", {"mode": mode}, moment, f"teleconsultation/{mode}"
        case "Patient":
            if "link" in resource:
                # Merged into another, which says how the record stands.
                return None
            active = resource.get("active", True)
            updated = _updated(resource)
            return "record-changed", {"active": active}, _moment(updated, "meta"), updated
        case _:
            if patient is not None and patient.get("active") is False:
                # A document of a patient who is not current shows no active record.
                return None
            time = resource.get("date") or _updated(resource)
            return "record-changed", {"active": True}, _moment(time, "date"), "active"


def _mode(resource: Resource, config: FhirConfig) -> Mode:
    rule = config.teleconsultations
    if rule is None:
        raise UnmappableError("teleconsultations: are no longer declared for this connector")
    concepts = [*resource.get("type", []), resource.get("serviceType", {})]
    codes = {
        Code(system=coding["system"], code=coding["code"])
        for concept in concepts
        for coding in concept.get("coding", [])
    }
    if not codes.isdisjoint(rule.care):
        return "care"
    if not codes.isdisjoint(rule.advice):
        return "advice"
    if rule.otherwise is None:
        raise UnmappableError(
            "type and serviceType: have no code that is declared as advice or care; declare one, "
            "or say in `otherwise` what such encounters are"
        )
    return rule.otherwise


def _citizen(resource: Resource, patient: Resource | None, config: FhirConfig) -> str | None:
    subject = resource.get("subject", {})
    identifiers: list[dict[str, str]] = [subject["identifier"]] if "identifier" in subject else []
    # The patient's own say goes before what somebody wrote into a reference.
    if patient is not None:
        identifiers = patient.get("identifier", []) or identifiers
    numbers = {identifier["value"].strip() for identifier in identifiers}
    if len(numbers) > 1:
        raise UnmappableError(
            "Patient.identifier: has several citizen numbers; mark all but one as old",
            Reason.BAD_SUBJECT,
        )
    for number in numbers:
        if _NUMBER.fullmatch(number) is None:
            raise UnmappableError(
                "Patient.identifier: is no citizen number of 12 digits", Reason.BAD_SUBJECT
            )
        return number
    if config.without_number == "skip":
        return None
    if patient is None:
        raise UnmappableError(
            "subject: refers to no patient that the server knows", Reason.BAD_SUBJECT
        )
    raise UnmappableError(
        "Patient.identifier: has none of the systems of citizen numbers; complete the patient, or "
        "set without_number to skip",
        Reason.BAD_SUBJECT,
    )


def _updated(resource: Resource) -> str:
    updated: str | None = resource["meta"].get("lastUpdated")
    if updated is None:
        raise UnmappableError("meta.lastUpdated: is missing", Reason.BAD_TIME)
    return updated


def _moment(text: str, field: str) -> str:
    """A FHIR dateTime as the contract has it; a day begins at midnight in Viet Nam."""
    if _DAY.fullmatch(text):
        try:
            date.fromisoformat(text)
        except ValueError:
            raise UnmappableError(f"{field}: names no real day", Reason.BAD_TIME) from None
        return f"{text}T00:00:00+07:00"
    if "T" not in text:
        raise UnmappableError(f"{field}: is less exact than a day", Reason.BAD_TIME)
    return text
