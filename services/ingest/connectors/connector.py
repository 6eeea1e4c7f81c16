"""What a connector is: it reads a source from a cursor on, and maps what it has read to events."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import asyncpg
from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ValidationError

from contracts.reasons import Reason
from services.chassis.clock import Clock
from services.chassis.settings import KafkaSettings
from services.chassis.tokens import TokenVerifier
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import ObjectionError, Refused

Cursor = Any
"""How far a source has been read: whatever JSON the connector likes. It names no person."""

Event = Mapping[str, Any]
"""A CloudEvent in edge form, decoded; see the wire contract."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record as the source has it.

    `place` says where it stands, for whoever looks for it there; it shows nobody's identifier.
    `original` is what `map` is given, and what is kept, sealed, when an event of it is refused.
    """

    place: str
    original: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """What one reading brought.

    The cursor is kept once everything of the page is with the broker; the next reading goes on from
    there. `is_last` says that there is no more at the moment, so that the next reading waits for the
    interval or until the connector is woken. `behind` is how many records are known to be waiting,
    `lost` how many the source has removed before they were read; the connector logs which.
    """

    records: Sequence[SourceRecord]
    cursor: Cursor
    is_last: bool
    behind: int | None = None
    lost: int = 0


class UnmappableError(ObjectionError):
    """A record that no event can be made of; `detail` names the field and repeats no value."""

    def __init__(self, detail: str, reason: Reason = Reason.BAD_DATA) -> None:
        super().__init__(reason, detail)


class SourceError(Exception):
    """A source that does not answer, or not as it should; the message says what to look at.

    It is tried again, later each time. The message shows no secret and nobody's data.
    `retry_after_seconds` is what the source has asked for.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


PositionT = TypeVar("PositionT", bound=BaseModel)


def position_in(cursor: Cursor, form: type[PositionT], kind: str) -> PositionT:
    """What a cursor holds.

    Raises:
        SourceError: it was not written by this kind of connector.
    """
    try:
        return form.model_validate(cursor)
    except ValidationError:
        raise SourceError(
            f"the checkpoint is not one of a {kind} connector; give the connector another name"
        ) from None


class Connector(Protocol):
    """One open connector; used by one task at a time."""

    async def read(self, cursor: Cursor | None) -> Page:
        """Read on from a cursor; None reads from the beginning.

        It may wait for a second or so until there is something. Cancelled, it leaves nothing behind.
        Reading again from the same cursor brings the same records, or later versions of them.

        Raises:
            SourceError: tried again later; anything else is taken for a fault of the connector.
        """
        ...

    def map(self, original: bytes) -> Sequence[Event]:
        """Make events of a record: none, one or several. Pure; also used when a record is retried.

        Raises:
            UnmappableError: the record is refused, and kept.
        """
        ...

    async def close(self) -> None:
        """Let go of whatever is open."""
        ...


@runtime_checkable
class Hears(Protocol):
    """A connector that also wants to hear what of its pages was refused."""

    async def heard(self, refusals: Sequence[tuple[int, Refused]]) -> None:
        """Hear of the page that was read last: places in its records, and what was refused.

        It comes before the page's cursor is kept, so after a crash it may come again. Without
        refusals it does not come.
        """
        ...


Wake = Callable[[str], Awaitable[None]]
"""Lets a connector, by its name, read at once instead of after its interval, wherever it runs."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connector may need beside its config."""

    name: str
    source: str
    domains: frozenset[str]
    kafka: KafkaSettings
    pool: asyncpg.Pool
    """Of ingest's own schema."""
    pseudonymiser: Pseudonymiser
    """For ids of events whose source gives none."""
    clock: Clock


RecordMapping = Callable[[bytes], Sequence[Event]]
"""What `Connector.map` does; it may raise `UnmappableError`."""

ConfigT = TypeVar("ConfigT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Configured(Generic[ConfigT]):
    """A connector of the configuration: its name, what it may send, and its own config."""

    name: str
    kind: str
    source: str
    domains: frozenset[str]
    interval_seconds: float
    config: ConfigT


@dataclass(frozen=True, slots=True)
class RouteNeeds:
    """What routes of a kind of connectors may need."""

    pool: asyncpg.Pool
    tokens: TokenVerifier
    wake: Wake
    clock: Clock
    registry: CollectorRegistry
    """For what a kind counts of the calls."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[ConfigT]):
    """A row of the table of connectors.

    `routes` adds HTTP routes for sources that call back; it is given all connectors of the kind.
    `mapping` makes the connector's `map` without opening the source, for records that are retried;
    without it the connector is opened, asked and closed.
    """

    config: type[ConfigT]
    open: Callable[[ConfigT, Surroundings], Awaitable[Connector]]
    routes: Callable[[Sequence[Configured[ConfigT]], RouteNeeds], APIRouter] | None = field(
        default=None
    )
    mapping: Callable[[ConfigT, Surroundings], RecordMapping] | None = field(default=None)
