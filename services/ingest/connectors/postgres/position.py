"""Where in a table the connector stands, and how it moves on; pure.

A **pass** reads every row that a transaction at or above the horizon has written, in pages. When a
pass begins, the source's snapshot is asked for: all transactions below its xmin have ended, so that
what they wrote is either read in this pass or was read before. That xmin is the horizon of the next
pass. A transaction that was still open has an id at or above it, whenever it commits; so have its
subtransactions, whose ids are always greater than its own.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.connectors.connector import Cursor, position_in

#: A time without a zone may have been written in any: none is half a day from UTC or further.
_ANY_ZONE: Final = timedelta(days=1)

_Xid = Annotated[int, Field(ge=0)]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Snapshot(_Kept):
    """What the source says when a pass begins."""

    identity: str
    horizon: _Xid
    """Every transaction below it has ended."""
    next: _Xid
    """No transaction at or above it had ended."""
    began: datetime
    """By the source's clock."""
    is_replica: bool = False


class Pass(_Kept):
    """A pass under way."""

    horizon: _Xid
    began: datetime
    filenode: int
    after: tuple[str, str] | None = None
    """Watermark and place of the last row read."""


class Position(_Kept):
    """What is kept as the cursor. Nobody's identifier is in it."""

    identity: str
    horizon: _Xid = 0
    read_at: datetime | None = None
    """When the pass began that found this horizon, by the source's clock."""
    held_since: datetime | None = None
    """Since when the horizon has not moved."""
    greatest: int | None = None
    """The greatest watermark read, where it is a number."""
    under_way: Pass | None = None


def position_of(cursor: Cursor | None) -> Position | None:
    """Read a cursor.

    Raises:
        SourceError: it is not of this kind of connector.
    """
    if cursor is None:
        return None
    return position_in(cursor, Position, "postgres")


def cursor_of(position: Position) -> dict[str, Any]:
    """Write a cursor."""
    return position.model_dump(mode="json", exclude_none=True)


def begin(position: Position | None, snapshot: Snapshot, filenode: int) -> Position:
    """Begin a pass; from the very beginning if another cluster or timeline answers.

    A replica may lag behind the one that was asked last: the horizon never moves back, since what
    lies below it has been read. A primary whose ids lie behind it has lost transactions in a crash,
    and uses their ids again.
    """
    if position is None or not goes_on(position, snapshot):
        position = Position(identity=snapshot.identity)
    horizon = max(position.horizon, snapshot.horizon)
    return position.model_copy(
        update={"under_way": Pass(horizon=horizon, began=snapshot.began, filenode=filenode)}
    )


def goes_on(position: Position, snapshot: Snapshot) -> bool:
    """Whether the ids that the position knows still mean the same transactions."""
    under_way = position.under_way
    known = max(position.horizon, under_way.horizon if under_way else 0)
    has_lost = not snapshot.is_replica and snapshot.next < known
    return position.identity == snapshot.identity and not has_lost


def is_idle(position: Position | None, snapshot: Snapshot) -> bool:
    """Whether no transaction has written anything since the last pass."""
    return (
        position is not None
        and position.identity == snapshot.identity
        and position.horizon == snapshot.next
    )


def resume(position: Position, filenode: int) -> Position:
    """Go on with a pass; if the table was written anew meanwhile, from the pass's beginning.

    VACUUM FULL and the like move rows, so that their places say nothing any more.
    """
    under_way = position.under_way
    if under_way is None or under_way.filenode == filenode:
        return position
    again = under_way.model_copy(update={"filenode": filenode, "after": None})
    return position.model_copy(update={"under_way": again})


def advance(position: Position, last: tuple[str, str], *, is_number: bool) -> Position:
    """Move on behind the last row of a full page."""
    update: dict[str, Any] = {"greatest": _greatest(position, last, is_number)}
    if position.under_way is not None:
        update["under_way"] = position.under_way.model_copy(update={"after": last})
    return position.model_copy(update=update)


def finish(position: Position, last: tuple[str, str] | None, *, is_number: bool) -> Position:
    """End a pass: its snapshot's horizon is where the next one begins."""
    done = position.under_way
    if done is None:
        return position
    is_held = done.horizon == position.horizon
    return Position(
        identity=position.identity,
        horizon=done.horizon,
        read_at=done.began,
        held_since=(is_held and position.held_since) or done.began,
        greatest=_greatest(position, last, is_number),
    )


def least_watermark(position: Position, late: int | None, watermark_type: str) -> str | None:
    """The least watermark that a row not yet read may have; None if it may have any."""
    if late is None or position.horizon == 0:
        return None
    if watermark_type in NUMBERS:
        return str(position.greatest - late) if position.greatest is not None else None
    if position.read_at is None:
        return None
    least = position.read_at - timedelta(seconds=late)
    if watermark_type != "timestamp with time zone":
        return (least - _ANY_ZONE).replace(tzinfo=None).isoformat()
    return least.isoformat()


NUMBERS: Final = frozenset({"smallint", "integer", "bigint"})
TIMES: Final = frozenset({"timestamp with time zone", "timestamp without time zone", "date"})


def _greatest(position: Position, last: tuple[str, str] | None, is_number: bool) -> int | None:
    if last is None or not is_number:
        return position.greatest
    return max(int(last[0]), position.greatest if position.greatest is not None else int(last[0]))
