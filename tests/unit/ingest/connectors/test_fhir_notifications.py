"""Which events of a subscription were missed, by the numbers that its notifications carry."""

from typing import Any

import pytest

from services.ingest.connectors.fhir.notifications import (
    Heard,
    NotANotificationError,
    Notification,
    NotificationType,
    hear,
    read_notification,
)


def said(type_: NotificationType, count: int | None, *events: int) -> Notification:
    return Notification("Subscription/1", type_, "active", events, count)


@pytest.mark.parametrize(
    ("before", "notification", "after"),
    [
        # The first word of a subscription owes nothing: searches read what was before.
        (None, said("handshake", 0), Heard(0, 0)),
        (None, said("event-notification", 7, 7), Heard(7, 0)),
        # In turn.
        (Heard(0, 0), said("event-notification", 1, 1), Heard(1, 0)),
        (Heard(1, 0), said("event-notification", 3, 2, 3), Heard(3, 0)),
        (Heard(3, 0), said("heartbeat", 3), Heard(3, 0)),
        # Gaps.
        (Heard(3, 0), said("event-notification", 6, 6), Heard(6, 2)),
        (Heard(3, 1), said("event-notification", 6, 4, 6), Heard(6, 2)),
        (Heard(3, 0), said("heartbeat", 5), Heard(5, 2)),
        (Heard(3, 0), said("query-status", 4), Heard(4, 1)),
        # Late, and twice.
        (Heard(6, 2), said("event-notification", 4, 4), Heard(6, 2)),
        (Heard(6, 2), said("event-notification", 6, 6), Heard(6, 2)),
        # Without numbers of events the count speaks.
        (Heard(3, 0), said("event-notification", 4), Heard(4, 0)),
        (Heard(3, 0), said("event-notification", 6), Heard(6, 2)),
        (Heard(3, 0), said("event-notification", None), Heard(3, 0)),
        (Heard(3, 0), said("heartbeat", None), Heard(3, 0)),
        # It begins anew: it was silent in between, so something may be owed.
        (Heard(9, 0), said("handshake", 0), Heard(0, 1)),
        (Heard(9, 0), said("handshake", 12), Heard(12, 3)),
        (Heard(9, 0), said("heartbeat", 2), Heard(2, 1)),
    ],
)
def test_what_is_missed(before: Heard | None, notification: Notification, after: Heard) -> None:
    assert hear(before, notification) == after


def status(**changes: Any) -> dict[str, Any]:
    """The R4B form, as the specification's example of a notification has it."""
    resource = {
        "resourceType": "SubscriptionStatus",
        "status": "active",
        "type": "event-notification",
        "eventsSinceSubscriptionStart": "2",
        "notificationEvent": [
            {
                "eventNumber": "2",
                "timestamp": "2020-05-29T11:44:13.1882432-05:00",
                "focus": {"reference": "https://example.org/fhir/Encounter/551683b3"},
            }
        ],
        "subscription": {"reference": "https://example.org/fhir/Subscription/admission"},
        "topic": "https://example.org/FHIR/R5/SubscriptionTopic/admission",
        **changes,
    }
    return {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [{"fullUrl": "urn:uuid:b21e4fae", "resource": resource}],
    }


def parameters() -> dict[str, Any]:
    """The R4 form, as the backport guide's example has it."""
    resource = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "subscription",
                "valueReference": {"reference": "https://example.org/fhir/Subscription/admission"},
            },
            {"name": "topic", "valueCanonical": "http://example.org/topic/admission"},
            {"name": "status", "valueCode": "active"},
            {"name": "type", "valueCode": "event-notification"},
            {"name": "events-since-subscription-start", "valueString": "2"},
            {
                "name": "notification-event",
                "part": [
                    {"name": "event-number", "valueString": "2"},
                    {"name": "timestamp", "valueInstant": "2020-05-29T11:44:13.1882432-05:00"},
                    {"name": "focus", "valueReference": {"reference": "Encounter/551683b3"}},
                ],
            },
        ],
    }
    return {"resourceType": "Bundle", "type": "history", "entry": [{"resource": resource}]}


@pytest.mark.parametrize("bundle", [status(), parameters()])
def test_both_forms_say_the_same(bundle: dict[str, Any]) -> None:
    assert read_notification(bundle) == Notification(
        subscription="https://example.org/fhir/Subscription/admission",
        type="event-notification",
        status="active",
        events=(2,),
        count=2,
    )


def test_numbers_may_be_numbers() -> None:
    bundle = status(eventsSinceSubscriptionStart=5, notificationEvent=[{"eventNumber": 5}])
    assert read_notification(bundle).events == (5,)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"entry": []},
        {"entry": [None]},
        {"entry": [{"resource": {"resourceType": "Encounter"}}]},
        status(type="gossip"),
        status(status="sleepy"),
    ],
)
def test_anything_else_is_no_notification(body: Any) -> None:
    with pytest.raises(NotANotificationError):
        read_notification(body)


@pytest.mark.parametrize("number", [None, True, -1, 2**63, "-1", "٣", "9" * 30, "", 1.5])
def test_a_number_that_is_none_counts_as_absent(number: Any) -> None:
    bundle = status(
        eventsSinceSubscriptionStart=number, notificationEvent=[{"eventNumber": number}]
    )
    found = read_notification(bundle)
    assert (found.count, found.events) == (None, ())
