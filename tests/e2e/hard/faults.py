"""Events that ingest must refuse, each with its reason. Source: wire contract, "HTTP, ingest"."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from tests.e2e.hard.bodies import citizen_number, household_code
from tests.e2e.hard.pen import Event


def fault(rng: Random, number: int, now: datetime, ended: Sequence[str]) -> tuple[str, str, Event]:
    """A faulty event: under whose token it is sent, why it must be refused, and itself.

    Args:
        rng: decides which fault.
        number: makes its id unique.
        now: the present moment.
        ended: commune codes that no unit bears any more.
    """
    reason, change = rng.choice(_FAULTS)
    event: Event = {
        "specversion": "1.0",
        "id": f"fault-{number}",
        "source": "urn:nhipso:source:vneid",
        "type": "vn.nhipso.identity.residence-changed.v1",
        "subject": f"citizen:{citizen_number(rng)}",
        "time": now.isoformat(),
        "data": {"area": "02647"},
    }
    sender = event["source"]
    event |= change(rng, event, now, ended)
    if reason != "source-not-allowed":
        sender = event["source"]
    return sender, reason, event


def _number(event: Event) -> str:
    return str(event["subject"]).partition(":")[2]


def _spaced(number: str) -> str:
    return " ".join(number[at : at + 3] for at in range(0, 12, 3))


def _closed(rng: Random, event: Event, _: datetime, __: Sequence[str]) -> dict[str, Any]:
    code = household_code(rng)
    return {
        "subject": f"household:{code}",
        "source": "urn:nhipso:source:registry",
        "type": "vn.nhipso.registry.subject-closed.v1",
        "data": {"reason": f"hộ {code} đã chuyển đi"},
    }


_Change = Callable[[Random, Event, datetime, Sequence[str]], dict[str, Any]]
_FAULTS: Final[tuple[tuple[str, _Change], ...]] = (
    ("bad-envelope", lambda *_: {"specversion": "0.3"}),
    ("bad-envelope", lambda *_: {"id": ""}),
    ("unknown-type", lambda *_: {"type": "vn.nhipso.identity.citizen-cloned.v1"}),
    ("bad-data", lambda *_: {"data": {"area": 2647}}),
    ("bad-data", lambda *_: {"data": {}}),
    ("bad-subject", lambda _, event, *__: {"subject": event["subject"] + "0"}),
    ("bad-subject", lambda *_: {"subject": "organisation:0123456789"}),
    ("bad-time", lambda *_: {"time": "1999-12-31T23:59:59.999999+07:00"}),
    (
        "bad-time",
        lambda _, __, now, ___: {"time": (now + timedelta(hours=1)).isoformat()},
    ),
    ("bad-time", lambda *_: {"time": "2026-01-01T00:00:00"}),
    ("unknown-area", lambda *_: {"data": {"area": "99999"}}),
    ("unknown-area", lambda rng, _, __, ended: {"data": {"area": rng.choice(ended)}}),
    ("source-not-allowed", lambda *_: {"source": "urn:nhipso:source:payments"}),
    (
        "source-not-allowed",
        lambda *_: {"type": "vn.nhipso.health.record-changed.v1", "data": {"active": True}},
    ),
    ("personal-data", lambda _, event, *__: {"id": f"vneid-{_number(event)}"}),
    ("personal-data", lambda _, event, *__: {"correlation": _spaced(_number(event))}),
    ("personal-data", _closed),
)
