"""Records of ``subject-events.v1``, read into what the fold and the reports need.

Only ingest writes the topic, so a record that cannot be read is a fault of ours or of a foreign
writer: it is refused with a reason and kept, and the shard goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from contracts.areas import Areas
from contracts.canonical import canonical_json
from contracts.events import SUBJECT_EVENT, FiguresSubmitted, domain_of
from contracts.reasons import Reason
from contracts.subjects import SubjectError, SubjectKind, parse_inside
from contracts.times import EARLIEST_DAY, epoch_microseconds, local_day, local_ordinal
from services.scoring.core.facts import Change
from services.scoring.core.reports import period_end
from services.scoring.core.twin import Said, read_quickly

_LAST_YEAR: Final = 9000


class UnreadableError(ValueError):
    """A record that is not an event of the contract. Its text shows no identifier."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Report:
    """A unit's figure of one indicator and period, with its place in the order of registers."""

    reporter: str
    indicator: str
    period: str
    period_end: date
    occurred_at: int
    event_id: str
    data: str
    numerator: int | None
    denominator: int | None
    value: Decimal | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is a report of."""
        return self.reporter, self.indicator, self.period

    @property
    def order(self) -> tuple[int, str, str]:
        """Where it stands among reports of the same thing: the greater one holds."""
        return self.occurred_at, self.event_id, self.data


class ReadEvent(msgspec.Struct, frozen=True, gc=False):
    """One event: whom it is about, what it changes, and where it came from."""

    kind: SubjectKind
    subject: str
    source: str
    domain: str
    occurred_at: datetime
    body: Change | Report


Read = Callable[[bytes | None], ReadEvent]


def reader(areas: Areas, indicators: frozenset[str]) -> Read:
    """A function that reads a record's value.

    Raises (the function):
        UnreadableError: with the reason why it is refused.
    """

    @lru_cache(maxsize=65_536)
    def is_commune(code: str, day: int) -> bool:
        return areas.commune(code, date.fromordinal(day)) is not None

    def read(value: bytes | None) -> ReadEvent:
        said = read_quickly(value) if value else None
        event = None
        if said is None:
            event = _validated(value)
            said = _said(event)
        _check_storable(said)
        kind, identifier = _subject(said)
        occurred_at = epoch_microseconds(said.time)
        if isinstance(event, FiguresSubmitted):
            if kind == SubjectKind.AREA and areas.get(identifier) is None:
                raise UnreadableError(Reason.UNKNOWN_AREA, "there is no unit of that area id")
            body: Change | Report = _report(event, said.data, occurred_at, indicators)
        else:
            code = said.data.get("area")
            if code is not None and not is_commune(code, local_ordinal(occurred_at)):
                detail = f"no commune had the code {code} on {local_day(said.time)}"
                raise UnreadableError(Reason.UNKNOWN_AREA, detail)
            body = Change(said.type, occurred_at, said.id, said.data)
        return ReadEvent(kind, said.subject, said.source, said.domain, said.time, body)

    return read


def _said(event: Any) -> Said:
    """What a validated event says, in the twin's form."""
    return Said(
        event.type,
        event.id,
        event.source,
        event.subject,
        event.time,
        domain_of(event.type),
        event.subject_kinds,
        event.data.model_dump(mode="json", exclude_unset=True),
    )


def _subject(said: Said) -> tuple[SubjectKind, str]:
    try:
        kind, identifier = parse_inside(said.subject)
    except SubjectError as error:
        raise UnreadableError(Reason.BAD_SUBJECT, str(error)) from None
    if kind not in said.kinds:
        detail = f"{said.type} is not about a subject of kind {kind}"
        raise UnreadableError(Reason.BAD_SUBJECT, detail)
    return kind, identifier


def _validated(value: bytes | None) -> Any:
    if not value:
        raise UnreadableError(Reason.BAD_ENVELOPE, "the record is empty")
    try:
        return SUBJECT_EVENT.validate_json(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        # The union puts the event type before the field.
        place = ".".join(str(part) for part in first["loc"] if "vn.nhipso" not in str(part))
        reason = {
            "union_tag_invalid": Reason.UNKNOWN_TYPE,
            "union_tag_not_found": Reason.BAD_ENVELOPE,
            "json_invalid": Reason.BAD_ENVELOPE,
        }.get(first["type"])
        if reason is None:
            reason = {"data": Reason.BAD_DATA, "time": Reason.BAD_TIME}.get(
                place.partition(".")[0], Reason.BAD_ENVELOPE
            )
        detail = "unknown event type" if reason is Reason.UNKNOWN_TYPE else first["msg"]
        raise UnreadableError(reason, f"{place}: {detail}" if place else detail) from None


def _check_storable(event: Said) -> None:
    """Refuse what ingest never writes and the fold or the store could not hold."""
    if "\0" in event.id or "\0" in event.source:
        raise UnreadableError(Reason.BAD_ENVELOPE, "id and source must not hold the character NUL")
    # Days count on from here, and the calendar ends with the year 9999.
    if event.time.year > _LAST_YEAR or local_day(event.time) < EARLIEST_DAY:
        detail = f"time must lie between {EARLIEST_DAY} and the end of {_LAST_YEAR}"
        raise UnreadableError(Reason.BAD_TIME, detail)


def _report(
    event: FiguresSubmitted, data: dict[str, Any], occurred_at: int, indicators: frozenset[str]
) -> Report:
    said = event.data
    if said.indicator not in indicators:
        # Not repeated: it is free text of a sender, and a refusal is kept.
        detail = "data.indicator: the catalogue has no such indicator"
        raise UnreadableError(Reason.BAD_DATA, detail)
    return Report(
        event.subject,
        said.indicator,
        said.period,
        period_end(said.period),
        occurred_at,
        event.id,
        canonical_json(data),
        said.numerator,
        said.denominator,
        said.value,
    )
