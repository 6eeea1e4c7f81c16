"""Makes a clean stream unpleasant on purpose: duplicates, late events, events that must be refused.

None of it changes the state that the clean events lead to: a duplicate is the same event again, a
late one is only late, a bad one is refused. So a disturbed stream can be held against the clean one.
"""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any, Final

from contracts.reasons import Reason
from contracts.sources import SOURCE_OF_DOMAIN
from services.simulator.envelopes import Event


def disturb(
    events: Iterable[Event],
    rng: Random,
    *,
    duplicates: float = 0.0,
    lateness: int = 0,
    bad: float = 0.0,
) -> Iterator[Event]:
    """The same events, disturbed.

    Args:
        events: the clean stream.
        rng: seeded, so that the disturbance can be repeated.
        duplicates: share of events that come a second time.
        lateness: each event may come up to about this many places late; 0 keeps the order.
        bad: share of events after which a broken copy is slipped in.
    """
    waiting: list[Event] = []
    for event in events:
        waiting.append(event)
        if rng.random() < duplicates:
            waiting.append(event)
        if rng.random() < bad:
            _, spoilt = spoil(event, rng)
            waiting.append(spoilt)
        while len(waiting) > lateness:
            at = rng.randrange(len(waiting)) if lateness else 0
            yield _take(waiting, at) if lateness else waiting.pop(at)
    rng.shuffle(waiting)
    yield from waiting


def _take(waiting: list[Event], at: int) -> Event:
    """Take one out in constant time; the order of the rest does not matter."""
    waiting[at], waiting[-1] = waiting[-1], waiting[at]
    return waiting.pop()


def spoil(event: Event, rng: Random) -> tuple[Reason, Event]:
    """A broken copy of an event under an id of its own, and the reason it must be refused for."""
    reason = rng.choice(tuple(_SPOILERS))
    spoilt = {**event, "id": f"{event['id']}-{reason}"}
    spoilt |= _SPOILERS[reason](event)
    return reason, {key: value for key, value in spoilt.items() if value is not None}


def _foreign_source(event: Event) -> dict[str, Any]:
    other = next(source for source in SOURCE_OF_DOMAIN.values() if source != event["source"])
    return {"source": other}


def _identifier_in_id(event: Event) -> dict[str, Any]:
    kind, _, identifier = str(event["subject"]).partition(":")
    if kind not in {"citizen", "household"}:
        return {"subject": "citizen:000199000001", **_citizen_event("id-000199000001")}
    return {"id": f"id-{identifier}"}


def _citizen_event(event_id: str) -> dict[str, Any]:
    return {
        "id": event_id,
        "source": SOURCE_OF_DOMAIN["health"],
        "type": "vn.nhipso.health.record-changed.v1",
        "data": {"active": True},
    }


def _unknown_area(_: Event) -> dict[str, Any]:
    return {
        "source": SOURCE_OF_DOMAIN["identity"],
        "type": "vn.nhipso.identity.residence-changed.v1",
        "subject": "citizen:000199000001",
        "data": {"area": "99999"},
    }


_SPOILERS: Final[dict[Reason, Callable[[Event], dict[str, Any]]]] = {
    Reason.BAD_ENVELOPE: lambda _: {"specversion": None},
    Reason.UNKNOWN_TYPE: lambda event: {"type": f"{event['type']}.never"},
    Reason.BAD_DATA: lambda _: {"data": {}},
    Reason.BAD_SUBJECT: lambda _: {"subject": "citizen:12345"},
    Reason.BAD_TIME: lambda _: {"time": "1999-12-31T10:00:00+07:00"},
    Reason.UNKNOWN_AREA: _unknown_area,
    Reason.SOURCE_NOT_ALLOWED: _foreign_source,
    Reason.PERSONAL_DATA: _identifier_in_id,
}
