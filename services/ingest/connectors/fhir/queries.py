"""What servers are asked for: the fields that are used, of resources that can count. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from services.ingest.connectors.fhir.config import Code, FhirConfig, ResourceType
from services.ingest.connectors.fhir.reduction import COMPOSITION_STATUSES

#: Values of `_elements`.
ELEMENTS: Final[Mapping[ResourceType, str]] = MappingProxyType(
    {
        "Encounter": "id,meta,status,class,type,serviceType,subject,period",
        "Composition": "id,meta,status,type,subject,date",
        "DocumentReference": "id,meta,status,docStatus,type,subject,date",
        "Patient": "id,meta,identifier,active,link",
    }
)


def filters(kind: ResourceType, config: FhirConfig) -> dict[str, str]:
    """Search parameters that leave away what would not count."""
    records = config.records
    match kind:
        case "Encounter":
            classes = config.teleconsultations.classes if config.teleconsultations else ()
            return {"status": "finished", "class": _tokens(classes)}
        case "Composition":
            statuses = {"status": ",".join(sorted(COMPOSITION_STATUSES))}
            return statuses | _types(records.compositions)
        case "DocumentReference":
            return {"status": "current"} | _types(records.document_references)
        case "Patient":
            return {}


def _types(codes: Sequence[Code] | None) -> dict[str, str]:
    return {"type": _tokens(codes)} if codes else {}


def _tokens(codes: Iterable[Code]) -> str:
    return ",".join(f"{_escape(one.system)}|{_escape(one.code)}" for one in codes)


def _escape(text: str) -> str:
    """A value of a search parameter, its separators escaped as the specification says."""
    for sign in ("\\", ",", "|", "$"):
        text = text.replace(sign, f"\\{sign}")
    return text
