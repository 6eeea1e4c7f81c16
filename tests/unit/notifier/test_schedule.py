"""When a message is due, and when a failed delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifier.core.schedule import Due, Group, Policy, due, next_attempt

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
POLICY = Policy(timedelta(minutes=5), timedelta(days=1), timedelta(days=7))


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


@pytest.mark.parametrize(
    ("untold_since", "last_message_at", "expected"),
    [
        (ago(minutes=4), None, None),  # others may fire in the same moment
        (ago(minutes=5), None, "news"),
        (ago(minutes=5), ago(hours=23), None),  # not twice a day
        (ago(minutes=5), ago(hours=24), "news"),
        (None, ago(days=6), None),
        (None, ago(days=7), "reminder"),
        (None, None, None),
    ],
)
def test_due(
    untold_since: datetime | None, last_message_at: datetime | None, expected: Due | None
) -> None:
    assert due(Group("unit:2025:02647", untold_since, last_message_at), POLICY, NOW) == expected


@pytest.mark.parametrize(
    ("attempts", "jitter", "asked", "wait"),
    [
        (1, 0.0, None, 2.5),
        (1, 1.0, None, 5),
        (2, 1.0, None, 10),
        (5, 1.0, None, 80),
        (400, 1.0, None, 3600),
        (1, 1.0, 120, 120),  # the receiver's wish
        (9, 1.0, 1, 1280),  # a wish makes it later, never earlier
        (1, 1.0, 10**6, 86_400),  # a wish without measure
    ],
)
def test_waits_longer_each_time(
    attempts: int, jitter: float, asked: float | None, wait: float
) -> None:
    wish = None if asked is None else timedelta(seconds=asked)
    again = next_attempt(attempts, jitter=jitter, asked=wish, now=NOW)
    assert (again - NOW).total_seconds() == wait
