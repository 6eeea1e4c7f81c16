"""A digest as data: what a week or a month did to a unit, or, for leaders, to all units below it.

Receivers render it. It holds sums alone, nothing of a person.
"""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from contracts.events import EventTime, IsoDay
from contracts.updates import Percent, Severity
from services.notifier.core import wording
from services.notifier.core.letter import UNIT_PREFIX
from services.notifier.core.occasion import Cadence

LEADERS_PREFIX: Final = "leaders:"
"""Before the area id, in the audience of a unit's leaders."""

Form = Literal["unit", "leaders"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class DigestLine(_Part):
    """One indicator of a unit. Shares in percent, `change` in percentage points.

    `before` is the share at the earlier measure. `gap_people` counts what is missing to the pace,
    in the words of `noun`. Without a value its figures are of so few that they are not told.
    """

    indicator: str
    indicator_name: str
    value: Percent | None = None
    before: Percent | None = None
    change: Percent | None = None
    pace: Percent | None = None
    target: Percent | None = None
    gap_people: int | None = None
    noun: str = ""
    severity: Severity | None = None
    promised_on: IsoDay | None = None
    is_overdue: bool = False


class DigestReport(_Part):
    """A report that is due or missing: until when, and how many of its indicators have come."""

    name: str
    is_missing: bool
    due_on: IsoDay | None
    received: int | None
    expected: int | None


class DigestCell(_Part):
    """One set of indicators in one unit: how many are judged, and how many of them lag."""

    set_name: str
    judged: int
    lagging: int


class DigestRow(_Part):
    """One unit in the table of leaders; `cells` go with `Digest.sets`.

    `change` is the mean change of its judged indicators in percentage points.
    """

    area: str
    area_name: str
    cells: tuple[DigestCell, ...]
    lagging: int
    change: Percent | None
    missing_reports: int


class DigestSet(_Part):
    """A set of indicators: a column in the table of leaders."""

    set: str
    name: str


class Digest(_Part):
    """One digest to one audience. What is worst stands first.

    `compared_on` is the day of the earlier measure; None: there is none of this unit. `silent`
    names sources that have stopped sending, `unjudged` counts the unit's indicators that hang on
    them: nothing is said of these.
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
    written_at: EventTime
    measured_at: EventTime
    compared_on: IsoDay | None
    judged: int
    lagging: tuple[DigestLine, ...]
    better: tuple[DigestLine, ...]
    worse: tuple[DigestLine, ...]
    reports: tuple[DigestReport, ...]
    silent: tuple[str, ...] = ()
    unjudged: int = 0
    sets: tuple[DigestSet, ...] = ()
    units: tuple[DigestRow, ...] = ()
    best: tuple[DigestRow, ...] = ()
    worst: tuple[DigestRow, ...] = ()

    @property
    def subject(self) -> str:
        """The subject line."""
        said = f"{self.area_name}: {len(self.lagging)} chỉ tiêu chậm tiến độ"
        if self.reports:
            said += f", {len(self.reports)} báo cáo cần gửi"
        return f"[Nhịp Số] Bản tin {self.period_name}. {said}"

    @property
    def period_name(self) -> str:
        """The period in words."""
        if self.cadence == "monthly":
            return f"tháng {self.until:%m/%Y}"
        return f"tuần {self.since:%d/%m} đến {wording.day(self.until)}"


def area_of(audience: str) -> tuple[Form, str] | None:
    """The form and the area id behind an audience; None for one that gets no digests."""
    if audience.startswith(UNIT_PREFIX):
        return "unit", audience.removeprefix(UNIT_PREFIX)
    if audience.startswith(LEADERS_PREFIX):
        return "leaders", audience.removeprefix(LEADERS_PREFIX)
    return None
