"""Events as CloudEvents in edge form, and which source sends which domain."""

from datetime import datetime
from hashlib import blake2b
from typing import Any

from contracts.events import TYPE_PREFIX, domain_of
from contracts.sources import SOURCE_OF_DOMAIN

#: An event in edge form, ready to be written as JSON.
Event = dict[str, Any]


def event_domain(event: Event) -> str:
    """The domain of an event, by its type."""
    return domain_of(str(event["type"]))


class Writer:
    """Writes the events of one stream, which its seed and its start name.

    An id is a hash of both and of the event's key, so the same stream has the same ids and another
    start does not use them again for something else. It is never a hash of a subject's identifier
    and says nothing about anybody.
    """

    def __init__(self, seed: int, started_at: datetime) -> None:
        self._stream = f"{seed}|{started_at.timestamp()}"

    def write(
        self, key: str, name: str, subject: str, moment: datetime, data: dict[str, Any]
    ) -> Event:
        """An event of type ``vn.nhipso.<name>.v1`` about a subject.

        `key` names the event within the stream; `name` is ``<domain>.<what happened>``.
        """
        digest = blake2b(f"{self._stream}|{key}".encode(), digest_size=16).hexdigest()
        return {
            "specversion": "1.0",
            "id": digest,
            "source": SOURCE_OF_DOMAIN[name.partition(".")[0]],
            "type": f"{TYPE_PREFIX}{name}.v1",
            "subject": subject,
            "time": moment.isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
