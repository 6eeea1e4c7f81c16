"""How far the resources of one type have been read. Pure; it is kept as JSON and names no one.

A server stamps a resource (`meta.lastUpdated`) before it becomes visible, so each round starts a
little behind the latest stamp. What was taken there already is recognised by a keyed digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict

from contracts.times import epoch_microseconds, parse_rfc3339
from services.ingest.connectors.connector import Cursor, position_in
from services.ingest.connectors.fhir.config import ResourceType

#: More are forgotten, the oldest first: then they are taken again, which is harmless.
_MOST_REMEMBERED: Final = 2_000


class _Reached(BaseModel):
    """What `Position.as_json` writes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reached: str | None
    recent: dict[str, int]


class _Progress(BaseModel):
    """What is kept as the cursor: a position for each type of resources, and what else there is."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    # pydantic checks the keys as well.
    __pydantic_extra__: dict[ResourceType, _Reached]  # type: ignore[assignment]

    filled: bool = False
    """Whether the first fill in bulk is done."""
    bulk: dict[str, str | int] | None = None
    """How far it is."""
    caught_up: int = 0
    """How many missed notifications have been caught up."""


def progress_of(cursor: Cursor | None) -> dict[str, Any]:
    """Read a cursor; None is the beginning.

    Raises:
        SourceError: it is not of this kind of connector.
    """
    if cursor is None:
        return {}
    return position_in(cursor, _Progress, "fhir").model_dump(exclude_unset=True)


@dataclass(frozen=True, slots=True)
class Position:
    """The latest stamp that has been read, as the server writes it, and what was taken near it."""

    reached: str | None = None
    recent: Mapping[str, int] = field(default_factory=dict)
    """Digest of a resource's version → its stamp in milliseconds since the epoch."""

    @classmethod
    def of(cls, stored: Any) -> Self:
        """What `as_json` has written; None is the beginning."""
        if stored is None:
            return cls()
        return cls(stored["reached"], dict(stored["recent"]))

    def as_json(self) -> dict[str, Any]:
        """For the cursor."""
        return {"reached": self.reached, "recent": dict(self.recent)}

    def start(self, overlap_seconds: float) -> str | None:
        """From which stamp on a round reads, to the millisecond; None for everything."""
        if self.reached is None:
            return None
        moment = parse_rfc3339(self.reached) - timedelta(seconds=overlap_seconds)
        return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"

    def has(self, digest: str) -> bool:
        """Whether this version of a resource has been taken, as far as is remembered."""
        return digest in self.recent

    def after(
        self, taken: Mapping[str, str], reached: str | None, overlap_seconds: float
    ) -> "Position":
        """The position when these were taken too: digest → stamp.

        `reached` is how far the reading is complete; None leaves it where it is.
        """
        latest = self.reached if reached is None else later(self.reached, reached)
        recent = dict(self.recent) | {key: _milliseconds(stamp) for key, stamp in taken.items()}
        if latest is not None:
            oldest = _milliseconds(latest) - int(overlap_seconds * 1000)
            recent = {key: stamp for key, stamp in recent.items() if stamp >= oldest}
        if len(recent) > _MOST_REMEMBERED:
            newest = sorted(recent.items(), key=lambda item: item[1])[-_MOST_REMEMBERED:]
            recent = dict(newest)
        return Position(latest, recent)


def later(one: str | None, other: str) -> str:
    """The later of two stamps."""
    if one is None or parse_rfc3339(other) > parse_rfc3339(one):
        return other
    return one


def is_stamp(text: Any) -> bool:
    """Whether this is a moment as FHIR's type `instant` writes it."""
    if not isinstance(text, str):
        return False
    try:
        parse_rfc3339(text)
    except ValueError:
        return False
    return True


def stamp_of(moment: datetime) -> str:
    """A moment as a stamp, to the millisecond."""
    return moment.isoformat(timespec="milliseconds")


def _milliseconds(stamp: str) -> int:
    return epoch_microseconds(parse_rfc3339(stamp)) // 1000
