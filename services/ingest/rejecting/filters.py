"""Which rejections are asked for, and from where on. Pure."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import EventTime
from contracts.reasons import Reason
from contracts.tokens import Principal, Role
from services.ingest.core.identifiers import redact
from services.ingest.rejecting.rows import LONGEST_TEXT

State = Literal["open", "accepted", "dismissed"]

Text = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00]+$")]


class Filter(BaseModel):
    """Every condition that is given must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: Annotated[
        Text | None,
        Field(description="`other` stands for sources that the caller might not use, and none"),
    ] = None
    reason: Annotated[Reason | None, Field(description="of the last attempt")] = None
    state: State | None = None
    type: Annotated[Text | None, Field(description="event type")] = None
    stage: Literal["ingest", "scoring"] | None = None
    via: Literal["http", "topic", "connector", "file"] | None = None
    connector: Annotated[Text | None, Field(description="name of a connector")] = None
    since: Annotated[EventTime | None, Field(alias="from", description="refused then or later")] = (
        None
    )
    until: Annotated[EventTime | None, Field(alias="to", description="refused before")] = None
    event_id: Annotated[
        Text | None, Field(description="the event's id; long numbers in it count as masked")
    ] = None

    def arguments(self, caller: Principal) -> list[object]:
        """The first eleven parameters of the queries; a source sees what is its own alone."""
        return [
            self.source,
            self.reason.value if self.reason else None,
            self.state,
            self.type,
            self.stage,
            self.via,
            self.connector,
            self.since,
            self.until,
            redact(self.event_id)[:LONGEST_TEXT] if self.event_id else None,
            sorted(caller.sources) if caller.role is Role.SOURCE else None,
        ]


class CursorError(ValueError):
    """A cursor that is none of ours."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last rejection that has been seen; those refused before it follow."""

    rejected_at: datetime
    id: UUID

    def text(self) -> str:
        """As callers hold it; it names nobody."""
        plain = f"{self.rejected_at.isoformat()} {self.id}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `text` wrote.

        Raises:
            CursorError: it is something else.
        """
        try:
            padded = text + "=" * (-len(text) % 4)
            moment, _, number = base64.urlsafe_b64decode(padded).decode().partition(" ")
            rejected_at, read = datetime.fromisoformat(moment), UUID(number)
        except ValueError:
            raise CursorError("this is no cursor of an earlier answer; begin without one") from None
        if rejected_at.tzinfo is None:
            raise CursorError("this is no cursor of an earlier answer; begin without one")
        return cls(rejected_at, read)
