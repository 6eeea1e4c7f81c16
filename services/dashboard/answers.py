"""The answers of scoring and notifier, as far as the pages need them."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import EventTime, IsoDay, Number

#: Whose target it is.
Aim = Literal["provincial", "own", "national"]


class Answer(BaseModel):
    """Part of an answer; what the pages do not need is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AreaAnswer(Answer):
    """A unit."""

    area_id: str
    name: str
    parent_id: str | None


class AreasAnswer(Answer):
    """Units."""

    areas: tuple[AreaAnswer, ...]


class Text(Answer):
    """A name; the pages are in Vietnamese."""

    vi: str


class PopulationAnswer(Answer):
    """Who counts in a denominator."""

    name: str
    subject: str
    text: Text


class SourceAnswer(Answer):
    """The official text that an indicator comes from."""

    document: str
    sentence: str


class IndicatorAnswer(Answer):
    """An indicator of the catalogue."""

    id: str
    set: str
    name: Text
    unit: str = "percent"
    population: PopulationAnswer | None = None
    criteria: tuple[str, ...] = ()
    source: SourceAnswer | None = None
    targets: dict[str, Decimal] = {}


class CatalogueAnswer(Answer):
    """All indicators."""

    indicators: tuple[IndicatorAnswer, ...]


class DaysAnswer(Answer):
    """From the first day of a trend to the last."""

    first: Annotated[IsoDay, Field(alias="from")]
    last: Annotated[IsoDay, Field(alias="to")]


class ProjectionAnswer(Answer):
    """What a trend comes to; the slope is in percentage points a day."""

    state: str
    slope_per_day: Number | None = None
    based_on: DaysAnswer | None = None


class ReportedAnswer(Answer):
    """What units reported of what events count as well."""

    period: str
    numerator: int | None = None
    denominator: int | None = None
    value: Number | None
    difference: Number | None = None


class FigureAnswer(Answer):
    """A figure of a unit."""

    id: str
    numerator: int | None
    denominator: int | None
    value: Number | None
    basis: str
    target: Number | None
    pace: Number | None
    gap_people: int | None
    projected_on: IsoDay | None = None
    projection: ProjectionAnswer | None = None
    period: str | None = None
    reported: ReportedAnswer | None = None


class FiguresAnswer(Answer):
    """All figures of a unit."""

    area: str
    as_of: EventTime
    indicators: tuple[FigureAnswer, ...]


class RankedAnswer(FigureAnswer):
    """A unit's place in a ranking."""

    area: str
    name: str
    rank: int | None


class RankingAnswer(Answer):
    """Units, the highest value first."""

    areas: tuple[RankedAnswer, ...]


class ChildAnswer(Answer):
    """How many count in a unit below."""

    area: str
    numerator: int
    denominator: int


class BreakdownAnswer(Answer):
    """How many count in the units below, of one indicator."""

    areas: tuple[ChildAnswer, ...]


class LineAnswer(Answer):
    """One line that a unit is measured against."""

    aim: Aim
    target: Number | None
    pace: Number | None


class TargetAnswer(Answer):
    """What one indicator of one unit is measured against, the line it is judged by first.

    A share of fewer than `minimum_denominator` means nothing.
    """

    area: str
    indicator: str
    minimum_denominator: int | None = None
    lines: tuple[LineAnswer, ...]


class TargetsAnswer(Answer):
    """What units are measured against."""

    targets: tuple[TargetAnswer, ...]


class CriterionCause(Answer):
    """A criterion that holds a unit back."""

    indicator: str
    indicator_name: str
    value: Number


class AreaCause(Answer):
    """A unit below that holds a unit back."""

    area: str
    area_name: str
    gap_people: int


class Causes(Answer):
    """What holds a unit back."""

    criteria: tuple[CriterionCause, ...] = ()
    areas: tuple[AreaCause, ...] = ()


class AcknowledgementAnswer(Answer):
    """What the unit has said of an alert; a broken promise counts for nothing."""

    acknowledged_at: EventTime
    promised_on: IsoDay | None
    broken_at: EventTime | None


class AlertAnswer(Answer):
    """An alert."""

    kind: str = "pace"
    area: str
    area_name: str
    indicator: str
    indicator_name: str
    severity: str
    reason: str = ""
    value: Number | None
    numerator: int | None = None
    denominator: int | None = None
    pace: Number | None
    aim: Aim = "provincial"
    gap_people: int | None
    fired_at: EventTime | None
    told_at: EventTime | None = None
    held_back_by: Causes = Causes()
    acknowledgement: AcknowledgementAnswer | None = None


class AlertsAnswer(Answer):
    """Alerts, worst first."""

    alerts: tuple[AlertAnswer, ...]
