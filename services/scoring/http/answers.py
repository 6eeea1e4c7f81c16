"""The answers of the HTTP interface, as models: names to the letter of the wire contract."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.areas import Level
from contracts.events import EventTime, Number
from contracts.projection import State
from contracts.updates import Basis


class Answer(BaseModel):
    """Frozen; told once."""

    model_config = ConfigDict(frozen=True)


class AreaAnswer(Answer):
    """An administrative unit, with the names of the reference data."""

    area_id: str
    code: str
    name: str
    level: Level
    parent_id: str | None
    valid_from: date | None
    valid_to: date | None
    latitude: float | None
    longitude: float | None
    area_km2: float | None


class AreasAnswer(Answer):
    """The units valid on a day."""

    on: date
    areas: list[AreaAnswer]


class Reported(Answer):
    """What units reported of an indicator that events feed too, for the latest period.

    `difference` is the value by events as it stands now, minus the reported one.
    """

    period: str
    numerator: int | None
    denominator: int | None
    value: Number | None
    difference: Annotated[
        Number | None,
        Field(description="by events minus reported, in percentage points; null without one"),
    ]
    updated_at: EventTime


class Days(Answer):
    """From the first day to the last, both included; None is open."""

    first: Annotated[date | None, Field(serialization_alias="from")]
    last: Annotated[date | None, Field(serialization_alias="to")]


class ProjectionAnswer(Answer):
    """How fast a share goes, and what that comes to."""

    slope_per_day: Annotated[
        Number | None,
        Field(description="percentage points a day, four decimals; null over less than a week"),
    ]
    state: Annotated[
        State,
        Field(
            description="`met`; `on-the-way`: will be, on `projected_on`; `not-at-this-pace`: "
            "stands still, falls, or needs more than a hundred years; `too-short`: less than a "
            "week is known; `no-target`"
        ),
    ]
    based_on: Annotated[Days, Field(description="the days of the trend, at most 90 apart")]


class FigureAnswer(Answer):
    """One indicator of one unit.

    `value` in percent with two decimals (a quantity as it was reported), None with a denominator of
    0. `gap_people` is how many are missing to stand on the pace. `projected_on` is the day the
    target is met at the speed of the last 90 days, None when it is not or nothing is known yet;
    `projection` says which, and is None for a quantity and without a value.
    """

    id: str
    numerator: int | None
    denominator: int | None
    value: Number | None
    basis: Basis
    target: Number | None
    pace: Number | None
    gap_people: int | None
    projected_on: date | None
    projection: ProjectionAnswer | None
    updated_at: EventTime | None
    period: Annotated[str | None, Field(description="of a reported figure")] = None
    reported: Annotated[
        Reported | None, Field(description="what units reported beside the events")
    ] = None


class IndicatorsAnswer(Answer):
    """All indicators of one unit, every unit below it rolled up."""

    area: str
    as_of: EventTime
    indicators: list[FigureAnswer]


class RankedArea(FigureAnswer):
    """One unit in a ranking; `id` is the indicator. `rank` is None without a value."""

    area: str
    name: str
    rank: int | None


class RankingAnswer(Answer):
    """The units of a level, the highest value first."""

    indicator: str
    level: Level
    as_of: EventTime
    areas: list[RankedArea]


class PointAnswer(Answer):
    """The figure at the end of a day (of today: as it stands)."""

    day: date
    numerator: int | None
    denominator: int | None
    value: Number | None
    restated_at: Annotated[
        EventTime | None,
        Field(description="when events that came late last changed this day; null when none did"),
    ]
    carried: Annotated[bool, Field(description="figures of units of before are in it")]


class CarriedFrom(Answer):
    """A unit of before whose figures are in a history."""

    area: str
    name: str
    days: Annotated[Days, Field(description="on which it existed")]
    whole: Annotated[
        bool,
        Field(
            description="false: it was split, others took parts of it, and all its figures went to "
            "the successor that took its residents"
        ),
    ]


class HistoryAnswer(Answer):
    """A point a day; before the first known day and after the unit's last day there is none."""

    area: str
    indicator: str
    basis: Basis
    as_of_tree: Annotated[
        Literal["then"] | date,
        Field(description="`then`: units as they were; a day: carried to the units of that day"),
    ]
    carried_from: list[CarriedFrom]
    carried_to: Annotated[
        str | None, Field(description="of a unit that has ended: the one that took over from it")
    ]
    points: list[PointAnswer]


class Missing(Answer):
    """How many are missing in a numerator, and how many to stand on the pace."""

    numerator: int
    denominator: int
    value: Number | None
    missing: int
    gap_people: int | None


class CriterionMissing(Missing):
    """What is missing of one criterion."""

    id: str
    name: str


class AreaMissing(Missing):
    """What is missing in one unit below."""

    area: str
    name: str


class BreakdownAnswer(Answer):
    """What holds an indicator back, the most missing first."""

    area: str
    indicator: str
    as_of: EventTime
    total: Missing
    criteria: list[CriterionMissing]
    areas: list[AreaMissing]


class CatalogueAnswer(Answer):
    """The catalogue with its sources."""

    version: int
    indicators: list[dict[str, Any]]


def as_of(moment: datetime) -> datetime:
    """A moment as answers tell it: whole milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
