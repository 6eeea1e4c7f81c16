"""What can become of an event: accepted for the topic, or refused with a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from contracts.reasons import Reason


class ObjectionError(Exception):
    """A rule of the contract objects to an event; caught where the verdict is made.

    `detail` says what is wrong and what to do. It repeats nothing that the sender wrote but closed
    vocabulary (type names, area codes, the token's own sources).
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Accepted(msgspec.Struct, frozen=True):
    """An event in inside form, ready for ``subject-events.v1``."""

    record: dict[str, Any]
    occurred_at: datetime
    domain: str
    unlisted: int
    """How many fields of `data` were dropped because the contract does not list them."""

    @property
    def subject(self) -> str:
        """The subject in inside form; the record's key."""
        subject: str = self.record["subject"]
        return subject

    @property
    def source(self) -> str:
        """The CloudEvents source."""
        source: str = self.record["source"]
        return source

    @property
    def type(self) -> str:
        """The event type."""
        event_type: str = self.record["type"]
        return event_type


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal. No text in it shows the subject's identifier.

    `answer_id` is the sender's `id` for the answer, with only the subject's identifier masked. The
    other texts are what is kept: there every long run of digits is masked, whoever's it is, but for
    the name of a source that is the caller's own.
    """

    reason: Reason
    detail: str
    answer_id: str | None
    event_id: str | None
    source: str | None
    event_type: str | None
    domain: str | None
    """The event domain when the type is known, else None."""


Verdict = Accepted | Refused
