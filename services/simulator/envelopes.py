"""Events as CloudEvents in edge form, and which source sends which domain."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from contracts.events import TYPE_PREFIX, domain_of

#: An event in edge form, ready to be written as JSON.
Event = dict[str, Any]

#: Event domain → the local source that may send it. Source: wire contract, "The embedded stack".
SOURCES: Final[Mapping[str, str]] = {
    "identity": "urn:nhipso:source:vneid",
    "public-service": "urn:nhipso:source:dvc",
    "payment": "urn:nhipso:source:payments",
    "health": "urn:nhipso:source:ehr",
    "telecom": "urn:nhipso:source:telecom",
    "community": "urn:nhipso:source:community",
    "registry": "urn:nhipso:source:registry",
    "report": "urn:nhipso:source:report",
}


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
            "source": SOURCES[name.partition(".")[0]],
            "type": f"{TYPE_PREFIX}{name}.v1",
            "subject": subject,
            "time": moment.isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
