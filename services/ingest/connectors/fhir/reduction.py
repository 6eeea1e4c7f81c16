"""Reduces resources to the fields that are used; whatever else a server sent ends here.

Of codes only those stay that the configuration names: the type of a visit or of a document may say
what somebody suffers from. Servers are asked for no more (`queries.py`), and may
send it all the same. Source: FHIR R4 and R4B, in which these fields are the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from services.ingest.connectors.fhir.config import Code, FhirConfig

Resource = Mapping[str, Any]

#: Stands for a line of a file that holds no JSON object.
UNREADABLE: Final = "Unreadable"

#: A document in one of these is a sign of a record. A draft is not yet, an error never was.
COMPOSITION_STATUSES: Final = frozenset({"final", "amended"})
DOCUMENT_STATUSES: Final = frozenset({None, "final", "amended"})


def reduce_record(resource: Resource, config: FhirConfig) -> dict[str, Any] | None:
    """The used fields of a resource that is read for itself; None when it does not count."""
    match resource.get("resourceType"):
        case "Encounter":
            return _encounter(resource, config)
        case "Composition":
            return _composition(resource, config)
        case "DocumentReference":
            return _document_reference(resource, config)
        case "Patient":
            return reduce_patient(resource, config) if config.records.patients else None
        case "Unreadable":
            return {"resourceType": UNREADABLE, "id": resource["id"], "meta": {}}
        case _:
            return None


def reduce_patient(resource: Resource, config: FhirConfig) -> dict[str, Any]:
    """The used fields of a patient: citizen number, whether active, by whom replaced."""
    reduced = _identity(resource)
    numbers = [
        {"system": identifier["system"], "value": identifier["value"]}
        for identifier in _objects(resource.get("identifier"))
        if identifier.get("system") in config.citizen_systems
        and isinstance(identifier.get("value"), str)
        and identifier.get("use") != "old"
    ]
    if numbers:
        reduced["identifier"] = numbers
    if isinstance(resource.get("active"), bool):
        reduced["active"] = resource["active"]
    links = [
        {"type": "replaced-by", "other": other}
        for link in _objects(resource.get("link"))
        if link.get("type") == "replaced-by" and (other := _reference(link.get("other"), config))
    ]
    if links:
        reduced["link"] = links
    return reduced


def _encounter(resource: Resource, config: FhirConfig) -> dict[str, Any] | None:
    rule = config.teleconsultations
    classes = _declared([resource.get("class")], rule.classes if rule else ())
    if rule is None or resource.get("status") != "finished" or not classes:
        return None
    reduced = _identity(resource) | {"status": "finished", "class": classes[0]}
    declared = (*rule.advice, *rule.care)
    if types := _declared(_codings(resource.get("type")), declared):
        reduced["type"] = [{"coding": types}]
    if services := _declared(_codings([resource.get("serviceType")]), declared):
        reduced["serviceType"] = {"coding": services}
    period = resource.get("period")
    if isinstance(period, dict):
        used = ((name, period.get(name)) for name in ("start", "end"))
        reduced["period"] = {name: value for name, value in used if isinstance(value, str)}
    return reduced | _subject(resource, config)


def _composition(resource: Resource, config: FhirConfig) -> dict[str, Any] | None:
    if resource.get("status") not in COMPOSITION_STATUSES:
        return None
    return _document(resource, config.records.compositions, config)


def _document_reference(resource: Resource, config: FhirConfig) -> dict[str, Any] | None:
    if resource.get("status") != "current" or resource.get("docStatus") not in DOCUMENT_STATUSES:
        return None
    return _document(resource, config.records.document_references, config)


def _document(
    resource: Resource, types: Sequence[Code] | None, config: FhirConfig
) -> dict[str, Any] | None:
    found = _declared(_codings([resource.get("type")]), types or ())
    if types is None or (types and not found):
        return None
    reduced = _identity(resource) | {"status": resource["status"]}
    if found:
        reduced["type"] = {"coding": found}
    if isinstance(resource.get("date"), str):
        reduced["date"] = resource["date"]
    return reduced | _subject(resource, config)


def _identity(resource: Resource) -> dict[str, Any]:
    meta = resource.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    used = {name: meta[name] for name in ("versionId", "lastUpdated") if _is_text(meta.get(name))}
    return {"resourceType": resource["resourceType"], "id": resource.get("id"), "meta": used}


def _subject(resource: Resource, config: FhirConfig) -> dict[str, Any]:
    reference = _reference(resource.get("subject"), config)
    return {"subject": reference} if reference else {}


def _reference(value: Any, config: FhirConfig) -> dict[str, Any]:
    """A reference without its display, which is a name."""
    if not isinstance(value, dict):
        return {}
    reduced: dict[str, Any] = {}
    if _is_text(value.get("reference")):
        reduced["reference"] = value["reference"]
    identifier = value.get("identifier")
    if (
        isinstance(identifier, dict)
        and identifier.get("system") in config.citizen_systems
        and _is_text(identifier.get("value"))
    ):
        reduced["identifier"] = {name: identifier[name] for name in ("system", "value")}
    return reduced


def _declared(codings: Iterable[Any], declared: Iterable[Code]) -> list[dict[str, str]]:
    """Those codings that the configuration names, and nothing of them but system and code."""
    wanted = {(code.system, code.code) for code in declared}
    return [
        {"system": coding["system"], "code": coding["code"]}
        for coding in codings
        if isinstance(coding, dict) and (coding.get("system"), coding.get("code")) in wanted
    ]


def _codings(concepts: Any) -> list[Any]:
    return [coding for concept in _objects(concepts) for coding in _objects(concept.get("coding"))]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
