"""What scoring and notifier tell: `indicator.updated` and the events of an alert.

Ids are derived from what an event says, so publishing one twice is harmless.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import EventTime, Number, Period

SCORING_SOURCE: Final = "urn:nhipso:service:scoring"
NOTIFIER_SOURCE: Final = "urn:nhipso:service:notifier"
INDICATOR_UPDATED: Final = "vn.nhipso.indicator.updated.v1"
ALERT_OPENED: Final = "vn.nhipso.alert.opened.v1"
ALERT_CHANGED: Final = "vn.nhipso.alert.changed.v1"
ALERT_RESOLVED: Final = "vn.nhipso.alert.resolved.v1"

Basis = Literal["events", "reported"]
Severity = Literal["info", "warning", "critical"]
AlertState = Literal["pending", "firing", "resolved"]
Percent = Annotated[Number, Field(description="percent with two decimals")]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class IndicatorUpdatedData(_Said):
    """The figure of one unit and indicator has changed.

    `value` is in percent (or the quantity that was reported), None with a denominator of 0.
    `version` grows by one with each change of this unit, indicator and basis. `fresh_at` is when
    scoring last recorded an event of the domain that feeds the indicator (the longest silent one
    where there are several), None when one of them has never sent.
    """

    area: str
    indicator: str
    basis: Basis
    numerator: int | None
    denominator: int | None
    value: Number | None
    period: Period | None = None
    version: int
    updated_at: EventTime
    fresh_at: EventTime | None


class AlertData(_Said):
    """An alert of one unit and indicator: how far behind, since when, and why it changed.

    `aim` says whether pace, target and gap are of the province's targets, of the unit's own in their
    place, or of the country's.
    """

    alert: str
    area: str
    indicator: str
    state: AlertState
    severity: Severity
    reason: str
    value: Percent | None
    pace: Percent | None
    target: Percent | None
    gap_people: int | None
    numerator: int | None
    denominator: int | None
    aim: Literal["provincial", "own", "national"] = "provincial"
    opened_at: EventTime
    changed_at: EventTime


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    subject: str
    time: EventTime
    datacontenttype: Literal["application/json"] = "application/json"


class IndicatorUpdated(_Envelope):
    """`vn.nhipso.indicator.updated.v1` on ``indicator-events.v1``, keyed by area id."""

    source: str = SCORING_SOURCE
    type: Literal["vn.nhipso.indicator.updated.v1"] = INDICATOR_UPDATED
    data: IndicatorUpdatedData


class AlertChanged(_Envelope):
    """An alert opened, changed or was resolved; on ``alert-events.v1``, keyed by area id."""

    source: str = NOTIFIER_SOURCE
    type: Literal[
        "vn.nhipso.alert.opened.v1", "vn.nhipso.alert.changed.v1", "vn.nhipso.alert.resolved.v1"
    ]
    data: AlertData


def indicator_updated(data: IndicatorUpdatedData) -> IndicatorUpdated:
    """The event that tells of a figure; its id follows from unit, indicator, basis and version."""
    return IndicatorUpdated(
        id=f"{data.area}/{data.indicator}/{data.basis}/{data.version}",
        subject=f"area:{data.area}",
        time=data.updated_at,
        data=data,
    )
