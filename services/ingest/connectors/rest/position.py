"""Where in an API the connector stands, and how it moves on; pure.

A **pass** asks for everything since the watermark, page by page. Only at its end the watermark moves,
to the newest change that was seen, but never past the moment at which the pass began: an API whose
clock is wrong would hide what comes later.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.ingest.connectors.connector import Cursor, position_in

MOST_KNOWN: Final = 1_000


class Place(BaseModel):
    """A page of a pass under way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Annotated[int, Field(ge=0)] = 0
    """How many pages came before it in this pass."""
    offset: Annotated[int, Field(ge=0)] = 0
    """How many records came before it."""
    token: str | None = None
    """What the API has given for it, sealed: it may have somebody's number in it."""
    skip: Annotated[int, Field(ge=0)] = 0
    """How many of its records were taken already."""
    earlier: str | None = None
    """A keyed digest of the page before it."""


class Position(BaseModel):
    """What is kept as the cursor. Nobody's identifier can be read in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime | None = None
    """The watermark."""
    began: AwareDatetime | None = None
    """When the pass under way began, by our clock; None between two passes."""
    newest: AwareDatetime | None = None
    """The newest change seen in this pass."""
    known: dict[str, int] = {}
    """Records that the overlap will bring again: keyed digest → when changed, in epoch seconds."""
    at: Place = Place()


def position_of(cursor: Cursor | None, start: datetime | None) -> Position:
    """Read a cursor.

    Raises:
        SourceError: it is not of this kind of connector.
    """
    if cursor is None:
        return Position(since=start)
    return position_in(cursor, Position, "rest")


def cursor_of(position: Position) -> dict[str, Any]:
    """Write a cursor."""
    return position.model_dump(mode="json", exclude_defaults=True)


def begin(position: Position, now: datetime) -> Position:
    """Begin a pass, unless one is under way."""
    return position if position.began else position.model_copy(update={"began": now})


def again(position: Position) -> Position:
    """Begin the pass anew, where the API has forgotten the page."""
    return Position(since=position.since, known=position.known)


def seen(position: Position, changed: Mapping[str, datetime | None]) -> Position:
    """Note what a page has brought: when each record changed, by its digest.

    Records that do not say so count as changed when the pass began, so that they are not refused
    anew in every pass; they do not move the watermark.
    """
    told = [moment for moment in changed.values() if moment is not None]
    newest = max((*told, *((position.newest,) if position.newest else ())), default=None)
    known = dict(position.known)
    for digest, moment in changed.items():
        counted = moment or position.began
        if counted is not None:
            known[digest] = int(counted.timestamp())
    if len(known) > MOST_KNOWN:
        known = dict(sorted(known.items(), key=lambda item: item[1])[-MOST_KNOWN:])
    return position.model_copy(update={"newest": newest, "known": known})


def turn(position: Position, place: Place) -> Position:
    """Go on to another page."""
    return position.model_copy(update={"at": place})


def finish(position: Position, overlap_seconds: float) -> Position:
    """End the pass."""
    newest = position.newest
    if newest is not None and position.began is not None:
        newest = min(newest, position.began)
    candidates = [moment for moment in (newest, position.since) if moment is not None]
    if not candidates:
        return Position(known=position.known)
    since = max(candidates)
    # A second more: some APIs cut the fraction off what they are asked.
    least = int(since.timestamp() - overlap_seconds) - 1
    known = {digest: at for digest, at in position.known.items() if at >= least}
    return Position(since=since, known=known)


def asked_since(
    position: Position, start: datetime | None, overlap_seconds: float
) -> datetime | None:
    """From when on the API is asked: a while before the watermark, but not before the start."""
    if position.since is None or position.since == start:
        return position.since
    since = position.since - timedelta(seconds=overlap_seconds)
    return since if start is None else max(since, start)
