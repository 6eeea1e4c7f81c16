"""When a message is due, and when a failed delivery is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

FIRST_RETRY: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """How messages to one audience are spaced.

    `group_wait` gathers alerts that fire together, `group_interval` is the least time between two
    messages, `repeat_interval` the time after which what still fires is told again.
    """

    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta


@dataclass(frozen=True, slots=True)
class Group:
    """The firing alerts of one audience: since when one is untold, and when it was last told."""

    audience: str
    untold_since: datetime | None
    last_message_at: datetime | None


Due = Literal["news", "reminder"]


def due(group: Group, policy: Policy, now: datetime) -> Due | None:
    """Whether a message to this audience is due now."""
    last = group.last_message_at
    if group.untold_since is not None:
        waited = now - group.untold_since >= policy.group_wait
        spaced = last is None or now - last >= policy.group_interval
        return "news" if waited and spaced else None
    if last is not None and now - last >= policy.repeat_interval:
        return "reminder"
    return None


def next_attempt(
    attempts: int, *, jitter: float, asked: timedelta | None, now: datetime
) -> datetime:
    """When to try again: exponential, with jitter, at most an hour, not before the receiver asked.

    Args:
        attempts: how many have been made.
        jitter: from 0 up to 1; half of the wait is left to it, so that receivers that failed
            together are not tried together.
        asked: the receiver's own wish (``Retry-After``), up to a day.
        now: the moment of the failure.
    """
    wait = min(FIRST_RETRY * (1 << min(attempts - 1, 16)), LONGEST_WAIT)
    wait = wait / 2 * (1 + jitter)
    if asked is not None:
        wait = max(wait, min(asked, timedelta(days=1)))
    return now + wait
