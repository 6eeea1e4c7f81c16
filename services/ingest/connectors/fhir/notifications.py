"""Reads notifications of subscriptions and sees which events were missed. Pure.

Three forms: R4B's `SubscriptionStatus`, the `Parameters` of the Subscriptions R5 Backport guide for
R4, and an R4 rest-hook without either, which says no more than that something has changed. Nothing
else of a bundle is looked at: it may hold whole resources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

NotificationType = Literal[
    "handshake", "heartbeat", "event-notification", "query-status", "query-event"
]
_TYPES: Final = frozenset(get_args(NotificationType))
_STATUSES: Final = frozenset({"requested", "active", "error", "off", "entered-in-error"})


class NotANotificationError(Exception):
    """A body that is none of the three forms; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says of itself."""

    subscription: str
    type: str
    status: str
    events: tuple[int, ...]
    """The numbers of the events that it tells of."""
    count: int | None
    """How many events there have been since the subscription began."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a subscription: the last event number, and how many were missed."""

    last: int
    missed: int


def read_notification(decoded: Any) -> Notification:
    """Read the status of a notification's bundle.

    Raises:
        NotANotificationError: it has none.
    """
    entries = decoded.get("entry") if isinstance(decoded, dict) else None
    first = entries[0] if isinstance(entries, list) and entries else None
    resource = first.get("resource") if isinstance(first, dict) else None
    resource = resource if isinstance(resource, dict) else {}
    kind = resource.get("resourceType")
    if kind == "SubscriptionStatus":
        said = _of_status(resource)
    elif kind == "Parameters":
        said = _of_parameters(resource)
    else:
        raise NotANotificationError(
            "the first entry of the bundle must be a SubscriptionStatus (R4B) or Parameters (R4)"
        )
    if said.type not in _TYPES or said.status not in _STATUSES:
        raise NotANotificationError("type or status is missing, or none of FHIR's codes")
    return said


def hear(before: Heard | None, said: Notification) -> Heard:
    """What is known of a subscription after a notification.

    Whenever the numbers do not say that nothing was missed, something counts as missed: reading
    again is cheap. A notification that comes late changes nothing.
    """
    if before is None:
        # Its first word: what was before it is read by searches in any case.
        return Heard(max((*said.events, said.count or 0)), 0)
    last, missed = before.last, before.missed
    if said.type == "handshake":
        # It begins again, and between its end and now it was silent.
        count = said.count or 0
        return Heard(count, missed + max(1, count - last))
    if said.type == "event-notification":
        numbers = set(said.events) or ({said.count} if said.count is not None else set())
        new = {number for number in numbers if number > last}
        latest = max(new, default=last)
        return Heard(latest, missed + latest - last - len(new))
    if said.count is None:
        return before
    if said.count < last:
        # The server counts anew, and has not said so by a handshake.
        return Heard(said.count, missed + 1)
    return Heard(said.count, missed + said.count - last)


def _of_status(resource: dict[str, Any]) -> Notification:
    subscription = resource.get("subscription")
    events = resource.get("notificationEvent")
    return Notification(
        subscription=_reference(subscription),
        type=str(resource.get("type")),
        # Required by R4B; a notification that came speaks for a subscription that works.
        status=str(resource.get("status", "active")),
        events=_numbers(
            [one.get("eventNumber") for one in events if isinstance(one, dict)]
            if isinstance(events, list)
            else []
        ),
        count=_number(resource.get("eventsSinceSubscriptionStart")),
    )


def _of_parameters(resource: dict[str, Any]) -> Notification:
    parameters = _named(resource.get("parameter"))
    values = {name: _value(one) for name, one in parameters}
    events = [
        _value(part)
        for name, one in parameters
        if name == "notification-event"
        for part_name, part in _named(one.get("part"))
        if part_name == "event-number"
    ]
    return Notification(
        subscription=_reference(values.get("subscription")),
        type=str(values.get("type")),
        status=str(values.get("status", "active")),
        events=_numbers(events),
        count=_number(values.get("events-since-subscription-start")),
    )


def _named(value: Any) -> list[tuple[str, dict[str, Any]]]:
    found = value if isinstance(value, list) else []
    return [(str(one.get("name")), one) for one in found if isinstance(one, dict)]


def _value(parameter: dict[str, Any]) -> Any:
    return next((value for name, value in parameter.items() if name.startswith("value")), None)


def _reference(value: Any) -> str:
    text = value.get("reference") if isinstance(value, dict) else None
    return text[-256:] if isinstance(text, str) else ""


def _numbers(values: Sequence[Any]) -> tuple[int, ...]:
    return tuple(number for value in values if (number := _number(value)) is not None)


def _number(value: Any) -> int | None:
    """An integer64, which JSON has as a string in R4B and, from some servers, as a number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 2**63 else None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        return int(value)
    return None
