"""What ingest tells about reports of units: one is due, one is missing, one has come.

An id follows from unit, period, what is told and the day it is told for, so telling twice is
harmless. The three of one unit and period are on one partition, in their order.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import EventTime, IsoDay, Period
from contracts.reporting.periods import PeriodKind

INGEST_SOURCE: Final = "urn:nhipso:service:ingest"
REPORT_DUE: Final = "vn.nhipso.report.due.v1"
REPORT_MISSING: Final = "vn.nhipso.report.missing.v1"
REPORT_RECEIVED: Final = "vn.nhipso.report.received.v1"

ReportEventType = Literal[
    "vn.nhipso.report.due.v1", "vn.nhipso.report.missing.v1", "vn.nhipso.report.received.v1"
]


class ReportData(BaseModel):
    """How a unit's report for a period stands.

    `day` is the local day for which this is told: of the reminder, the first day after the grace,
    or the day on which the report was complete. `missing` are the indicators that the unit has not
    reported yet.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    area: str
    period: Period
    kind: PeriodKind
    day: IsoDay
    opens: IsoDay
    due: IsoDay
    closes: IsoDay
    expected: Annotated[int, Field(ge=1, description="how many indicators the unit reports")]
    missing: tuple[str, ...]


class ReportEvent(BaseModel):
    """A report is due, missing or has come; on ``report-events.v1``, keyed by area id."""

    model_config = ConfigDict(frozen=True, extra="allow")

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = INGEST_SOURCE
    type: ReportEventType
    subject: str
    time: EventTime
    datacontenttype: Literal["application/json"] = "application/json"
    data: ReportData


_WORDS: Final[Mapping[ReportEventType, str]] = {
    REPORT_DUE: "due",
    REPORT_MISSING: "missing",
    REPORT_RECEIVED: "received",
}


def report_event_id(event_type: ReportEventType, area: str, period: str, day: str) -> str:
    """The id that follows from what is told."""
    return f"{area}/{period}/{_WORDS[event_type]}/{day}"


def report_event(event_type: ReportEventType, data: ReportData, time: EventTime) -> ReportEvent:
    """The event that tells of a report.

    Args:
        event_type: what is told.
        data: of which unit and period.
        time: when it was found so.
    """
    return ReportEvent(
        id=report_event_id(event_type, data.area, data.period, data.day.isoformat()),
        type=event_type,
        subject=f"area:{data.area}",
        time=time,
        data=data,
    )
