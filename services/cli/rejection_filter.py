"""Which rejections a command is about: options that all of its subcommands share."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import typer

from contracts.reasons import Reason
from contracts.sources import SOURCE_PREFIX

#: Stands for sources that the caller might not use; ingest's word.
_OTHER: Final = "other"


class State(StrEnum):
    """States of a rejection, as ingest names them."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    ALL = "all"


class Stage(StrEnum):
    """Who refused."""

    INGEST = "ingest"
    SCORING = "scoring"


class Via(StrEnum):
    """How it came."""

    HTTP = "http"
    TOPIC = "topic"
    CONNECTOR = "connector"
    FILE = "file"


SourceOption = Annotated[
    str | None,
    typer.Option(metavar="SOURCE", help="Only this source: hospital or urn:…; or `other`."),
]
ReasonOption = Annotated[Reason | None, typer.Option(help="Only refused for this.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="Only of this event type.")]
StageOption = Annotated[Stage | None, typer.Option(help="Only refused there.")]
ViaOption = Annotated[Via | None, typer.Option(help="Only what came this way.")]
ConnectorOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only what this connector read.")
]
EventIdOption = Annotated[
    str | None, typer.Option(metavar="ID", help="Only of events with this id.")
]
FromOption = Annotated[
    datetime | None, typer.Option("--from", help="Refused then or later, local time.")
]
ToOption = Annotated[datetime | None, typer.Option("--to", help="Refused before, local time.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The conditions that were given."""

    source: str | None
    reason: Reason | None
    type: str | None
    stage: Stage | None
    via: Via | None
    connector: str | None
    event_id: str | None
    since: datetime | None
    until: datetime | None

    def parameters(self, state: State = State.ALL) -> dict[str, str]:
        """As ingest takes them."""
        given = {
            "source": _full(self.source),
            "reason": self.reason,
            "type": self.type,
            "stage": self.stage,
            "via": self.via,
            "connector": self.connector,
            "event_id": self.event_id,
            # Without an offset it is the time on the wall of whoever asks.
            "from": self.since and self.since.astimezone().isoformat(),
            "to": self.until and self.until.astimezone().isoformat(),
            "state": None if state is State.ALL else state,
        }
        return {name: str(value) for name, value in given.items() if value is not None}


def _full(source: str | None) -> str | None:
    if source is None or source == _OTHER or ":" in source:
        return source
    return SOURCE_PREFIX + source
