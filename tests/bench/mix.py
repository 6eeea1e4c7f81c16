"""Which events happen how often, to whom, and what they say: assumptions, near the simulator's."""

import json
from typing import Any, Final

#: Stand in data for what is drawn for each event.
AREA: Final = "@area@"
BORN: Final = "@born@"

REGISTERED: Final = "identity.citizen-registered.v1"
REGISTRATION: Final = f'{{"birth_date":"{BORN}","area":"{AREA}","party_member":false}}'

_YES_MOSTLY: Final = ({"active": True},) * 9 + ({"active": False},)

#: Type → (share in percent, kind of subject, data to draw from).
_MIX: Final[dict[str, tuple[float, str, tuple[dict[str, Any], ...]]]] = {
    "identity.eid-changed.v1": (
        12,
        "citizen",
        ({"level": 2, "activated": True},) * 4
        + ({"level": 2, "activated": False}, {"level": 1, "activated": True}),
    ),
    "identity.e-signature-changed.v1": (4, "citizen", _YES_MOSTLY),
    "identity.residence-changed.v1": (2, "citizen", ({"area": AREA},)),
    "identity.citizen-departed.v1": (
        0.3,
        "citizen",
        ({"reason": "moved-away"}, {"reason": "died"}),
    ),
    "identity.party-membership-changed.v1": (0.3, "citizen", ({"member": True},)),
    "public-service.account-changed.v1": (
        9,
        "citizen",
        ({"portal": "national", "active": True},) * 3 + ({"portal": "provincial", "active": True},),
    ),
    "public-service.dossier-submitted.v1": (
        9,
        "citizen",
        ({"portal": "provincial", "self_service": True},) * 2
        + ({"portal": "national", "self_service": False},),
    ),
    "public-service.app-changed.v1": (
        5,
        "citizen",
        ({"app": "yenbai-s", "active": True},) * 5 + ({"app": "yenbai-s", "active": False},),
    ),
    "payment.account-changed.v1": (
        10,
        "citizen",
        (
            {"kind": "bank", "active": True},
            {"kind": "e-wallet", "active": True},
            {"kind": "mobile-money", "active": False},
        ),
    ),
    "payment.transaction-completed.v1": (
        18,
        "citizen",
        (
            {"method": "transfer", "purpose": "electricity"},
            {"method": "e-wallet", "purpose": "water"},
            {"method": "card", "purpose": "shopping"},
            {"method": "transfer", "purpose": "tuition"},
            {"method": "mobile-money", "purpose": "fee"},
        ),
    ),
    "health.record-changed.v1": (7, "citizen", _YES_MOSTLY),
    "health.teleconsultation-completed.v1": (2, "citizen", ({"mode": "advice"}, {"mode": "care"})),
    "telecom.subscription-changed.v1": (
        9,
        "citizen",
        ({"own_name": True, "smartphone": True, "internet": True},) * 4
        + ({"own_name": True, "smartphone": False, "internet": False},),
    ),
    "community.training-completed.v1": (
        5,
        "citizen",
        ({"topic": "digital-skills"}, {"topic": "code-of-conduct"}),
    ),
    "community.conduct-assessed.v1": (
        3,
        "citizen",
        ({"compliant": True},) * 9 + ({"compliant": False},),
    ),
    "community.handbook-changed.v1": (3, "citizen", _YES_MOSTLY),
    "telecom.fibre-changed.v1": (
        0.7,
        "household",
        ({"area": AREA, "covered": True, "subscribed": True},) * 3
        + ({"area": AREA, "covered": True, "subscribed": False},),
    ),
    "public-service.dossier-changed.v1": (
        0.5,
        "dossier",
        (
            {"area": AREA, "level": 4, "authenticated": True, "satisfied": True},
            {"area": AREA, "level": 3, "authenticated": True, "satisfied": None},
            {"area": AREA, "level": 2, "authenticated": False, "satisfied": False},
        ),
    ),
    "registry.organisation-changed.v1": (
        0.2,
        "organisation",
        (
            {
                "area": AREA,
                "size": "micro",
                "cashless": True,
                "platform": False,
                "e_invoice": True,
                "e_contract": False,
            },
        ),
    ),
}

#: Domains whose sources write milliseconds; the others write whole seconds. An assumption: records
#: of systems have them, registers and forms do not.
IN_MILLISECONDS: Final = frozenset({"payment", "telecom"})

#: (type, kind of subject, data as text, share of all); shares add up to 1.
HAPPENINGS: Final = tuple(
    (kind, about, json.dumps(data, separators=(",", ":")), share / len(choices))
    for kind, (percent, about, choices) in _MIX.items()
    for share in [percent / sum(percent for percent, _, _ in _MIX.values())]
    for data in choices
)
