"""The parts of a letter as values. They hold sums alone, and nothing of few people."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.disclosure import Withheld
from contracts.events import EventTime, IsoDay, Number
from contracts.projection import State
from contracts.updates import Percent, Severity
from services.notifier.core.aim import Aim
from services.notifier.core.alert import AlertKind


class Part(BaseModel):
    """Part of a letter."""

    model_config = ConfigDict(frozen=True)


class LetterName(Part):
    """What an indicator is called."""

    indicator: str
    indicator_name: str
    indicator_name_en: str = ""


class LetterCriterion(LetterName):
    """A criterion that holds a unit back: its share in percent."""

    value: Percent


class LetterArea(Part):
    """A unit below that holds a unit back: its share in percent and how many are missing."""

    area: str
    area_name: str
    value: Percent
    gap_people: int


class LetterCauses(Part):
    """What holds a unit back, worst first."""

    criteria: tuple[LetterCriterion, ...] = ()
    areas: tuple[LetterArea, ...] = ()


class LetterPoint(Part):
    """A share in percent on a day, and where it should have stood."""

    on: IsoDay
    value: Percent
    pace: Percent | None


class LetterTrend(Part):
    """The last 90 days in points a week apart; `slope` is in percentage points a day."""

    points: Annotated[tuple[LetterPoint, ...], Field(min_length=1)]
    outlook: State
    slope: Number | None
    met_on: IsoDay | None


class LetterPeers(Part):
    """What similar units reach, in percent: of so many the median, and the best."""

    count: int
    median: Percent
    best: str
    best_name: str
    best_value: Percent


class LetterLine(Part):
    """The other of two lines that a unit is measured against."""

    aim: Aim = "provincial"
    pace: Percent | None
    target: Percent | None


class LetterBefore(Part):
    """What the last message said of an alert, and when."""

    on: EventTime
    value: Percent
    gap_people: int | None


class LetterUnit(Part):
    """A unit that a letter names."""

    area: str
    area_name: str


class LetterSince(Part):
    """Since the last letter about several units: which came to it, and which have caught up."""

    on: EventTime
    new: tuple[str, ...] = ()
    recovered: tuple[LetterUnit, ...] = ()


class LetterAlert(LetterName):
    """One alert as its reader needs it. Shares are in percent; `noun` is what is counted.

    Where few people are meant, `withheld` says so: there is no numerator, gap or trend then, and
    instead of the share `value_below`, which it stays under. `is_gap_few`: the gap alone is of few.
    `missing` is who is not in the numerator; `per_month` how many a month lead to the target.
    `aim`: whether pace and target are the province's, the unit's own or the country's.
    `missed_on`: the day of a target that passed unmet; `target_on` is then that of the next one.
    `area` and `area_name` stand where a letter is about several units. `promised_on` is the day of
    a promise that was broken. Of a silent feed it says when it was `heard_at` last, and after how
    many seconds (`silent_after`) it counts as silent.
    """

    id: UUID
    area: str | None = None
    area_name: str | None = None
    kind: AlertKind
    severity: Severity
    reason: str
    value: Percent | None
    value_below: Percent | None = None
    withheld: Withheld | None = None
    pace: Percent | None
    target: Percent | None
    target_on: IsoDay | None
    missed_on: IsoDay | None = None
    aim: Aim = "provincial"
    other_line: LetterLine | None = None
    gap_people: int | None
    is_gap_few: bool = False
    numerator: int | None
    denominator: int | None
    missing: int | None = None
    per_month: int | None = None
    noun: str
    noun_en: str = ""
    opened_at: EventTime
    fired_at: EventTime | None
    is_new: bool
    due_on: IsoDay | None = None
    promised_on: IsoDay | None = None
    heard_at: EventTime | None = None
    silent_after: int | None = None
    held_back_by: LetterCauses = LetterCauses()
    trend: LetterTrend | None = None
    similar: LetterPeers | None = None
    before: LetterBefore | None = None
