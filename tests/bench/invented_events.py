"""Invented events of the wire contract in inside form, many and quickly: what ingest would write.

Every citizen is registered once, in shuffled order; then things happen to random citizens and
bodies, so that no cache of subjects is helped by order. The same seed, sizes and day give the same
records. Shares of the types are assumptions, near to those of the simulator.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any

from contracts.events import TYPE_PREFIX
from contracts.sources import SOURCE_OF_DOMAIN
from services.simulator.chance import LOCAL
from services.simulator.territory import REFORM_DAY, territory

_LEGACY = 0.5  # of the registrations are dated, and coded, before the reform of units
_MOMENTS = 20_000
_AREA = "@area@"
_REFORM = datetime(REFORM_DAY.year, REFORM_DAY.month, REFORM_DAY.day, tzinfo=LOCAL)
_LEGACY_FROM = datetime(2021, 1, 1, tzinfo=LOCAL)

_REGISTERED = "identity.citizen-registered.v1"
_YES_MOSTLY = ({"active": True},) * 9 + ({"active": False},)

#: Type → (share in percent, kind of subject, data to draw from).
_MIX: dict[str, tuple[float, str, tuple[dict[str, Any], ...]]] = {
    "identity.eid-changed.v1": (
        12,
        "citizen",
        ({"level": 2, "activated": True},) * 4
        + ({"level": 2, "activated": False}, {"level": 1, "activated": True}),
    ),
    "identity.e-signature-changed.v1": (4, "citizen", _YES_MOSTLY),
    "identity.residence-changed.v1": (2, "citizen", ({"area": _AREA},)),
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
        ({"area": _AREA, "covered": True, "subscribed": True},) * 3
        + ({"area": _AREA, "covered": True, "subscribed": False},),
    ),
    "public-service.dossier-changed.v1": (
        0.5,
        "dossier",
        (
            {"area": _AREA, "level": 4, "authenticated": True, "satisfied": True},
            {"area": _AREA, "level": 3, "authenticated": True, "satisfied": None},
            {"area": _AREA, "level": 2, "authenticated": False, "satisfied": False},
        ),
    ),
    "registry.organisation-changed.v1": (
        0.2,
        "organisation",
        (
            {
                "area": _AREA,
                "size": "micro",
                "cashless": True,
                "platform": False,
                "e_invoice": True,
                "e_contract": False,
            },
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to invent. Events are at least as many as citizens."""

    citizens: int
    events: int

    def __post_init__(self) -> None:
        if not 0 < self.citizens <= self.events:
            raise ValueError(
                f"{self.events} events for {self.citizens} citizens: each is registered by one"
            )


def invent(sizes: Sizes, *, seed: int, until: datetime) -> Iterator[tuple[bytes, bytes]]:
    """Records (key, value), dated before `until`; about 330 bytes each."""
    rng = Random(seed)
    communes, cumulative = territory().communes, territory().cumulative
    citizens = [_subject("citizen", seed, index) for index in range(sizes.citizens)]
    recent = _moments(rng, max(_REFORM, until - timedelta(days=500)), until)
    former = _moments(rng, _LEGACY_FROM, _REFORM - timedelta(days=1))
    homes = rng.choices(communes, cum_weights=cumulative, k=sizes.citizens)

    for index in rng.sample(range(sizes.citizens), sizes.citizens):
        legacy = rng.random() < _LEGACY
        moment = rng.choice(former if legacy else recent)
        born = f"{rng.randint(1940, 2019)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        home = homes[index]
        area = rng.choice(home.former_codes) if legacy else home.code
        data = f'{{"birth_date":"{born}","area":"{area}","party_member":false}}'
        yield _record(rng, _REGISTERED, citizens[index], moment, data)

    kinds = list(_MIX)
    weights = [_MIX[kind][0] for kind in kinds]
    written = {
        kind: (subject, tuple(json.dumps(one, separators=(",", ":")) for one in data))
        for kind, (_, subject, data) in _MIX.items()
    }
    bodies = max(sizes.citizens // 4, 1)
    rest = sizes.events - sizes.citizens
    for kind in rng.choices(kinds, weights, k=rest):
        about, choices = written[kind]
        if about == "citizen":
            subject = rng.choice(citizens)
        else:
            subject = _subject(about, seed, rng.randrange(bodies))
        data = rng.choice(choices)
        if _AREA in data:
            home = rng.choices(communes, cum_weights=cumulative)[0]
            data = data.replace(_AREA, home.code)
        yield _record(rng, kind, subject, rng.choice(recent), data)


def _record(rng: Random, kind: str, subject: str, moment: str, data: str) -> tuple[bytes, bytes]:
    source = SOURCE_OF_DOMAIN[kind.partition(".")[0]]
    value = (
        f'{{"specversion":"1.0","id":"{rng.getrandbits(128):032x}","source":"{source}",'
        f'"type":"{TYPE_PREFIX}{kind}","subject":"{subject}","time":"{moment}",'
        f'"datacontenttype":"application/json","data":{data}}}'
    )
    return subject.encode(), value.encode()


def _subject(kind: str, seed: int, index: int) -> str:
    if kind == "organisation":
        return f"organisation:00{index:08d}"
    if kind == "dossier":
        return f"dossier:HS-{index:09d}"
    digest = blake2b(f"{kind}|{seed}|{index}".encode(), digest_size=16)
    return f"{kind}:{digest.hexdigest()}"


def _moments(rng: Random, first: datetime, last: datetime) -> list[str]:
    seconds = int((last - first).total_seconds())
    return [
        (first + timedelta(seconds=rng.randrange(seconds), milliseconds=rng.randrange(1000)))
        .astimezone(LOCAL)
        .isoformat(timespec="milliseconds")
        for _ in range(_MOMENTS)
    ]
