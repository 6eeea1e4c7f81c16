"""What an event says, read from its edge form (CloudEvents JSON) and put in the contract's order.

Like every module of the oracle it imports nothing of contracts or services: what it knows, it knows
from the wire contract's text and the reference data alone. Plain beats fast here.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

#: Days are local calendar days in Asia/Ho_Chi_Minh, which has kept UTC+7 since 1975.
HO_CHI_MINH: Final = timezone(timedelta(hours=7))

#: The fields that the contract lists, by type (without ``vn.nhipso.`` and ``.v1``).
LISTED: Final[dict[str, tuple[str, ...]]] = {
    "identity.citizen-registered": ("birth_date", "area", "party_member"),
    "identity.residence-changed": ("area",),
    "identity.citizen-departed": ("reason",),
    "identity.party-membership-changed": ("member",),
    "identity.eid-changed": ("level", "activated"),
    "identity.e-signature-changed": ("active",),
    "public-service.account-changed": ("portal", "active"),
    "public-service.dossier-submitted": ("portal", "self_service"),
    "public-service.app-changed": ("app", "active"),
    "public-service.dossier-changed": ("area", "level", "authenticated", "satisfied"),
    "payment.account-changed": ("kind", "active"),
    "payment.transaction-completed": ("method", "purpose"),
    "health.record-changed": ("active",),
    "health.teleconsultation-completed": ("mode",),
    "telecom.subscription-changed": ("own_name", "smartphone", "internet"),
    "telecom.fibre-changed": ("area", "covered", "subscribed"),
    "community.training-completed": ("topic",),
    "community.conduct-assessed": ("compliant",),
    "community.handbook-changed": ("active",),
    "registry.organisation-changed": (
        *("area", "size", "cashless", "platform", "e_invoice", "e_contract"),
    ),
    "registry.institution-changed": (
        *("area", "kind", "urban", "cashless_fees", "digital_model", "stem"),
    ),
    "registry.subject-closed": ("reason",),
    "report.figures-submitted": ("indicator", "period", "numerator", "denominator", "value"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One accepted event."""

    name: str
    """The type without ``vn.nhipso.`` and ``.v1``."""
    subject: str
    at: datetime
    """Event time, UTC, whole microseconds."""
    id: str
    data: dict[str, Any]
    """The listed fields."""
    canonical: str

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Facts are "the latest by event time wins", ties by id, then by canonical data."""
        return self.at, self.id, self.canonical

    @property
    def day(self) -> date:
        """The local day on which it happened."""
        return self.at.astimezone(HO_CHI_MINH).date()

    @property
    def kind(self) -> str:
        """The kind of its subject."""
        return self.subject.partition(":")[0]


def read(event: dict[str, Any]) -> Said:
    """Read an event in edge form that ingest has accepted."""
    name = event["type"].removeprefix("vn.nhipso.").removesuffix(".v1")
    data = {field: event["data"][field] for field in LISTED[name] if field in event["data"]}
    # What RFC 3339 writes in lower case is the same; digits beyond microseconds are cut off.
    at = datetime.fromisoformat(event["time"].upper()).astimezone(UTC)
    return Said(name, event["subject"], at, event["id"], data, _canonical(data))


def _canonical(data: dict[str, Any]) -> str:
    """RFC 8785 for what listed fields hold: texts, booleans, null, and numbers of everyday size."""
    plain = {
        field: int(value) if isinstance(value, float) and value.is_integer() else value
        for field, value in data.items()
    }
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
