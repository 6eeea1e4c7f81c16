"""Invented examples: one accepted event of every type, for schemas, descriptions and tests.

No person has these numbers: citizen numbers begin with 000, which names no province.
"""

from collections.abc import Mapping
from typing import Any, Final

from contracts.events import EVENT_MODELS, TYPE_PREFIX, domain_of
from contracts.sources import SOURCE_OF_DOMAIN
from contracts.subjects import PERSONAL_KINDS, SubjectKind

_TIME: Final = "2026-11-20T08:30:00+07:00"
_PSEUDONYM: Final = "c0ffee00c0ffee00c0ffee00c0ffee00"
_IDENTIFIERS: Final[Mapping[SubjectKind, str]] = {
    SubjectKind.CITIZEN: "000000000001",
    SubjectKind.HOUSEHOLD: "HK-EXAMPLE-01",
    SubjectKind.ORGANISATION: "0000000001",
    SubjectKind.INSTITUTION: "truong-vi-du-01",
    SubjectKind.DOSSIER: "H15.EXAMPLE-0001",
    SubjectKind.AGENCY: "so-vi-du",
    SubjectKind.AREA: "2025:02647",
}

#: Event type without its prefix → data.
_DATA: Final[Mapping[str, Mapping[str, Any]]] = {
    "identity.citizen-registered.v1": {
        "birth_date": "1990-05-17",
        "area": "02647",
        "party_member": False,
    },
    "identity.residence-changed.v1": {"area": "04252"},
    "identity.citizen-departed.v1": {"reason": "moved-away"},
    "identity.party-membership-changed.v1": {"member": True},
    "identity.eid-changed.v1": {"level": 2, "activated": True},
    "identity.e-signature-changed.v1": {"active": True},
    "public-service.account-changed.v1": {"portal": "national", "active": True},
    "public-service.dossier-submitted.v1": {"portal": "provincial", "self_service": True},
    "public-service.app-changed.v1": {"app": "yenbai-s", "active": True},
    "public-service.dossier-changed.v1": {
        "area": "02647",
        "level": 4,
        "authenticated": True,
        "satisfied": None,
    },
    "payment.account-changed.v1": {"kind": "mobile-money", "active": True},
    "payment.transaction-completed.v1": {"method": "transfer", "purpose": "electricity"},
    "health.record-changed.v1": {"active": True},
    "health.teleconsultation-completed.v1": {"mode": "advice"},
    "telecom.subscription-changed.v1": {"own_name": True, "smartphone": True, "internet": True},
    "telecom.fibre-changed.v1": {"area": "02647", "covered": True, "subscribed": False},
    "community.training-completed.v1": {"topic": "digital-skills"},
    "community.conduct-assessed.v1": {"compliant": True},
    "community.handbook-changed.v1": {"active": True},
    "registry.organisation-changed.v1": {
        "area": "02647",
        "size": "small",
        "cashless": True,
        "platform": False,
        "e_invoice": True,
        "e_contract": False,
    },
    "registry.institution-changed.v1": {
        "area": "02647",
        "kind": "secondary",
        "urban": True,
        "cashless_fees": True,
        "digital_model": False,
        "stem": True,
    },
    "registry.subject-closed.v1": {"reason": "merged with its neighbour"},
    "report.figures-submitted.v1": {
        "indicator": "nf.community-teams",
        "period": "2026-10",
        "numerator": 17,
        "denominator": 20,
    },
}


def edge_example(event_type: str) -> dict[str, Any]:
    """An accepted event of this type as a source sends it.

    Raises:
        KeyError: when the contract has no such type.
    """
    kind = EVENT_MODELS[event_type].subject_kinds[0]
    name = event_type.removeprefix(TYPE_PREFIX)
    return {
        "specversion": "1.0",
        "id": f"example-{name}",
        "source": SOURCE_OF_DOMAIN[domain_of(event_type)],
        "type": event_type,
        "subject": f"{kind}:{_IDENTIFIERS[kind]}",
        "time": _TIME,
        "datacontenttype": "application/json",
        "data": dict(_DATA[name]),
    }


def inside_example(event_type: str) -> dict[str, Any]:
    """The same event as it stands on ``subject-events.v1``: pseudonym, UTC.

    Raises:
        KeyError: when the contract has no such type.
    """
    kind = EVENT_MODELS[event_type].subject_kinds[0]
    subject = {"subject": f"{kind}:{_PSEUDONYM}"} if kind in PERSONAL_KINDS else {}
    return {**edge_example(event_type), **subject, "time": "2026-11-20T01:30:00Z"}


#: What scoring, notifier and ingest tell, by event type.
UPDATE_EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = (
    {
        "vn.nhipso.indicator.updated.v1": {
            "specversion": "1.0",
            "id": "2025:02647/ds.smartphone/events/7",
            "source": "urn:nhipso:service:scoring",
            "type": "vn.nhipso.indicator.updated.v1",
            "subject": "area:2025:02647",
            "time": "2026-11-20T01:30:01Z",
            "datacontenttype": "application/json",
            "data": {
                "area": "2025:02647",
                "indicator": "ds.smartphone",
                "basis": "events",
                "numerator": 1204,
                "denominator": 1800,
                "value": 66.89,
                "period": None,
                "version": 7,
                "updated_at": "2026-11-20T01:30:01Z",
                "fresh_at": "2026-11-20T01:30:00Z",
            },
        },
    }
    | {
        f"vn.nhipso.alert.{change}.v1": {
            "specversion": "1.0",
            "id": f"example-alert/{change}",
            "source": "urn:nhipso:service:notifier",
            "type": f"vn.nhipso.alert.{change}.v1",
            "subject": "area:2025:02647",
            "time": "2026-11-20T01:35:00Z",
            "datacontenttype": "application/json",
            "data": {
                "alert": "example-alert",
                "area": "2025:02647",
                "indicator": "ds.smartphone",
                "state": state,
                "severity": "warning",
                "reason": reason,
                "value": 66.89,
                "pace": 73.55,
                "target": 90,
                "gap_people": 120,
                "numerator": 1204,
                "denominator": 1800,
                "aim": "provincial",
                "opened_at": "2026-11-18T01:00:00Z",
                "changed_at": "2026-11-20T01:35:00Z",
            },
        }
        for change, state, reason in (
            ("opened", "firing", "behind-pace"),
            ("changed", "firing", "recovering"),
            ("resolved", "resolved", "recovered"),
        )
    }
    | {
        f"vn.nhipso.report.{told}.v1": {
            "specversion": "1.0",
            "id": f"2025:02647/2026-10/{told}/{day}",
            "source": "urn:nhipso:service:ingest",
            "type": f"vn.nhipso.report.{told}.v1",
            "subject": "area:2025:02647",
            "time": f"{day}T01:00:00Z",
            "datacontenttype": "application/json",
            "data": {
                "area": "2025:02647",
                "period": "2026-10",
                "kind": "month",
                "day": day,
                "opens": "2026-11-01",
                "due": "2026-11-10",
                "closes": "2026-11-25",
                "expected": 2,
                "missing": missing,
            },
        }
        for told, day, missing in (
            ("due", "2026-11-07", ["dt.soc.5", "nf.community-teams"]),
            ("missing", "2026-11-13", ["dt.soc.5"]),
            ("received", "2026-11-14", []),
        )
    }
)

REJECTED_EXAMPLE: Final[Mapping[str, Any]] = {
    "id": "00000000-0000-4000-8000-000000000001",
    "reason": "bad-data",
    "detail": "data.level must be at most 2",
    "rejected_at": "2026-11-20T01:30:00Z",
    "stage": "ingest",
    "caller": "vneid",
    "caller_sources": ["urn:nhipso:source:vneid"],
    "caller_domains": ["identity"],
    "source": "urn:nhipso:source:vneid",
    "event_id": "example-identity.eid-changed.v1",
    "event_type": "vn.nhipso.identity.eid-changed.v1",
    "origin": {"via": "http", "mode": "batch", "index": 0},
    "original_bytes": 412,
    "sealed": "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSJ9..invented.invented.invented",
}
