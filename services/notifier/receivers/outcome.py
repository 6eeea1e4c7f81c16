"""How a delivery went: taken, to be tried again, or refused for good."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has taken it."""

    name = "delivered"


@dataclass(frozen=True, slots=True)
class Retry:
    """It may go better later; `asked` is the receiver's own wish."""

    error: str
    asked: timedelta | None = None
    name = "retry"


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken."""

    error: str
    name = "refused"


Outcome = Delivered | Retry | Refused
