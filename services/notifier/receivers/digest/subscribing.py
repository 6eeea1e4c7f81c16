"""Who gets which digest: a receiver of the receivers file, as often as its entry says."""

from dataclasses import dataclass
from typing import Final, Literal

from services.notifier.core.occasion import Cadence
from services.notifier.receivers.email.sending import EmailReceiver
from services.notifier.receivers.webhook.sending import WebhookReceiver

Choice = Literal["weekly", "monthly", "none"]
"""What an entry of the receivers file may say."""

WEEKLY: Final[Choice] = "weekly"
MONTHLY: Final[Choice] = "monthly"

KIND_PREFIX: Final = "digest-"
"""Before the kind and the name of the receiver that a digest goes to.

A digest has a queue of its own, so that it never holds up what is urgent.
"""


@dataclass(frozen=True, slots=True)
class DigestReceiver:
    """A receiver as the queue of digests knows it."""

    to: EmailReceiver | WebhookReceiver

    @property
    def name(self) -> str:
        """Its name in the log."""
        return f"{KIND_PREFIX}{self.to.name}"

    @property
    def kind(self) -> str:
        """Its kind in the log."""
        return f"{KIND_PREFIX}{self.to.kind}"

    @property
    def fingerprint(self) -> str:
        """Changes with its configuration."""
        return self.to.fingerprint


@dataclass(frozen=True, slots=True)
class Subscription:
    """One audience's digest to one receiver."""

    audience: str
    cadence: Cadence
    receiver: DigestReceiver


def subscribe(
    audience: str, receiver: object, choice: Choice | None, default: Choice
) -> Subscription | None:
    """What an entry subscribes to; None for nothing.

    Raises:
        ValueError: it wants digests by a way that carries none.
    """
    chosen = choice or default
    if chosen == "none":
        return None
    if not isinstance(receiver, EmailReceiver | WebhookReceiver):
        if choice is None:
            return None
        raise ValueError("digests go by email or webhook alone; write digest: none")
    return Subscription(audience, chosen, DigestReceiver(receiver))
