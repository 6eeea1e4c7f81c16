"""A digest as data: what a week or a month did to a unit, for itself, its leaders or an agency.

It is put into words when it is sent (`digest_layout`). It holds sums alone, nothing of a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from contracts.events import EventTime, IsoDay
from contracts.updates import Percent, Severity
from services.notifier.core.agency import AGENCY_PREFIX
from services.notifier.core.letter import UNIT_PREFIX
from services.notifier.core.occasion import Cadence
from services.notifier.core.parts import LetterName, Part

LEADERS_PREFIX: Final = "leaders:"
"""Before the area id, in the audience of a unit's leaders."""

Form = Literal["unit", "leaders", "agency"]


@dataclass(frozen=True, slots=True, order=True)
class Reader:
    """Whom a digest is for, and which unit it is about."""

    audience: str
    form: Form
    area: str


class DigestHolding(Part):
    """A unit below that holds an indicator back: its share, and how many are missing there."""

    area: str
    area_name: str
    value: Percent
    gap_people: int


class DigestLine(LetterName):
    """One indicator of a unit. Shares in percent, `change` in percentage points.

    `before` is the share at the earlier measure. `gap_people` counts what is missing to the pace,
    in the words of `noun`. Without a value its figures are of so few that they are not told.
    Agencies are told too in how many units below it is judged, in how many of these it lags, and
    which of them are furthest behind.
    """

    value: Percent | None = None
    before: Percent | None = None
    change: Percent | None = None
    pace: Percent | None = None
    target: Percent | None = None
    gap_people: int | None = None
    noun: str = ""
    noun_en: str = ""
    severity: Severity | None = None
    promised_on: IsoDay | None = None
    is_overdue: bool = False
    units_judged: int = 0
    units_lagging: int = 0
    held_back: tuple[DigestHolding, ...] = ()


class DigestReport(Part):
    """A report that is due or missing: until when, and how many of its indicators have come."""

    name: str
    name_en: str = ""
    is_missing: bool
    due_on: IsoDay | None
    received: int | None
    expected: int | None


class DigestCell(Part):
    """One set of indicators in one unit: how many are judged, and how many of them lag."""

    judged: int
    lagging: int


class DigestRow(Part):
    """One unit in the table of leaders; `cells` go with `Digest.sets`.

    `change` is the mean change of its judged indicators in percentage points.
    """

    area: str
    area_name: str
    cells: tuple[DigestCell, ...]
    lagging: int
    change: Percent | None
    missing_reports: int


class DigestSet(Part):
    """A set of indicators: a column in the table of leaders."""

    set: str
    name: str
    name_en: str = ""


class Digest(Part):
    """One digest to one audience. What is worst stands first.

    `compared_on` is the day of the earlier measure; None: there is none of this unit. `silent`
    are the sources that have stopped sending, `unjudged` counts the unit's indicators that hang on
    them: nothing is said of these. `below_pace` counts indicators under their pace that do not lag:
    they are within the tolerance, or have not been so for long enough. `others` are the indicators
    of an agency that do not lag; `agency` answers for them, whoever there is addressed. `page_url`
    leads to the unit's page, `contact` is whom to ask.
    """

    audience: str
    form: Form
    cadence: Cadence
    period: str
    since: IsoDay
    until: IsoDay
    area: str
    area_name: str
    addressee: str
    addressee_en: str = ""
    agency: str | None = None
    written_at: EventTime
    measured_at: EventTime
    compared_on: IsoDay | None
    judged: int
    lagging: tuple[DigestLine, ...]
    others: tuple[DigestLine, ...] = ()
    better: tuple[DigestLine, ...]
    worse: tuple[DigestLine, ...]
    reports: tuple[DigestReport, ...]
    silent: tuple[str, ...] = ()
    unjudged: int = 0
    below_pace: int = 0
    sets: tuple[DigestSet, ...] = ()
    units: tuple[DigestRow, ...] = ()
    best: tuple[DigestRow, ...] = ()
    worst: tuple[DigestRow, ...] = ()
    page_url: str | None = None
    contact: str | None = None


def readers(audience: str, provinces: Iterable[str]) -> list[Reader]:
    """The digests that an audience gets: an agency one for each province, operators none."""
    if audience.startswith(UNIT_PREFIX):
        return [Reader(audience, "unit", audience.removeprefix(UNIT_PREFIX))]
    if audience.startswith(LEADERS_PREFIX):
        return [Reader(audience, "leaders", audience.removeprefix(LEADERS_PREFIX))]
    if audience.startswith(AGENCY_PREFIX):
        return [Reader(audience, "agency", one) for one in provinces]
    return []
