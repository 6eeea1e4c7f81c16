"""Single records of ``subject-events.v1``, read by the contract's models, or refused with a reason.

The way of the few records that are not of the usual form; `reading` has the way of the others.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from contracts.areas import Areas
from contracts.canonical import canonical_json
from contracts.events import SUBJECT_EVENT, FiguresSubmitted
from contracts.reasons import Reason
from contracts.subjects import SubjectError, SubjectKind, parse_inside
from contracts.times import EARLIEST_DAY, epoch_microseconds, local_day
from services.scoring.core.reports import period_end

LAST_YEAR: Final = 9000


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


class Said(msgspec.Struct, frozen=True, gc=False):
    """What one event says: `time` in epoch microseconds, the listed fields of its data."""

    type: str
    id: str
    source: str
    subject: str
    kind: SubjectKind
    time: int
    data: dict[str, Any]
    report: Report | None = None


def read_record(value: bytes | None, areas: Areas, indicators: frozenset[str]) -> Said:
    """Read one record's value.

    Raises:
        UnreadableError: with the reason why it is refused. That a commune has borne the code of the
            data by the day of the event is not checked here.
    """
    event = _validated(value)
    # Refused is what ingest never writes and the fold or the store could not hold.
    if "\0" in event.id or "\0" in event.source:
        raise UnreadableError(Reason.BAD_ENVELOPE, "id and source must not hold the character NUL")
    # Days count on from here, and the calendar ends with the year 9999.
    if event.time.year > LAST_YEAR or local_day(event.time) < EARLIEST_DAY:
        detail = f"time must lie between {EARLIEST_DAY} and the end of {LAST_YEAR}"
        raise UnreadableError(Reason.BAD_TIME, detail)
    kind, identifier = _subject(event)
    moment = epoch_microseconds(event.time)
    data = event.data.model_dump(mode="json", exclude_unset=True)
    report = None
    if isinstance(event, FiguresSubmitted):
        if kind == SubjectKind.AREA and areas.get(identifier) is None:
            raise UnreadableError(Reason.UNKNOWN_AREA, "there is no unit of that area id")
        report = _report(event, data, moment, indicators)
    return Said(event.type, event.id, event.source, event.subject, kind, moment, data, report)


def unknown_area(code: int, day: date) -> UnreadableError:
    """The refusal of an event whose commune code nobody had borne by its day."""
    detail = f"no commune had borne the code {code:05d} by {day}"
    return UnreadableError(Reason.UNKNOWN_AREA, detail)


def _subject(event: Any) -> tuple[SubjectKind, str]:
    try:
        kind, identifier = parse_inside(event.subject)
    except SubjectError as error:
        raise UnreadableError(Reason.BAD_SUBJECT, str(error)) from None
    if kind not in event.subject_kinds:
        detail = f"{event.type} is not about a subject of kind {kind}"
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
