"""How a delivery went: taken, to be tried again, or refused for good; and why.

A reason is one of a few, because it is also a label of the metrics.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Reason(StrEnum):
    """Why an attempt ended as it did."""

    TAKEN = "taken"
    UNREACHABLE = "unreachable"
    """No connection, or it broke."""
    TIMEOUT = "timeout"
    BUSY = "busy"
    """The receiver asks for patience: 429, 503 or a word of its own for them."""
    SERVER_ERROR = "server-error"
    CREDENTIALS = "credentials"
    """The receiver does not believe who we are; an operator can mend that."""
    REJECTED = "rejected"
    """The receiver does not take this."""
    GONE = "gone"
    """The receiver wants no more."""
    UNKNOWN_RECEIVER = "unknown-receiver"
    """The receivers file does not name it."""
    DISABLED = "disabled"
    """Its time was over while the receiver was disabled."""
    FAULT = "fault"
    """A mistake of ours; the log says which."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has taken it."""

    name = "delivered"
    reason = Reason.TAKEN


@dataclass(frozen=True, slots=True)
class Retry:
    """It may go better later; `asked` is the receiver's own wish."""

    error: str
    asked: timedelta | None = None
    reason: Reason = Reason.UNREACHABLE
    name = "retry"


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken; with the reason `GONE` nothing else will be either."""

    error: str
    reason: Reason = Reason.REJECTED
    name = "refused"


Outcome = Delivered | Retry | Refused
