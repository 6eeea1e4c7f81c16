"""What the stages take and give: an alert on its way, what was said of it, and letters that are due."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from services.notifier.core.acknowledgement import Acknowledgement
from services.notifier.core.alert import Alert
from services.notifier.core.causes import Domain
from services.notifier.core.inhibition import Hushing
from services.notifier.core.letter import UNIT_PREFIX
from services.notifier.core.matching import Traits
from services.notifier.core.quiet import OfficeHours
from services.notifier.core.route import Route
from services.notifier.core.schedule import Due
from services.notifier.core.silence import Silence
from services.notifier.core.stop import Stop


class Told(NamedTuple):
    """When the log of messages says that an alert was told to an audience."""

    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Bound:
    """An alert on its way to one audience.

    `news_at` is since when there is something to tell, `told` when the log says that it was told
    to this audience, `broken` the promised day that has passed without anything new being said.
    """

    alert: Alert
    traits: Traits
    route: Route
    audience: str
    news_at: datetime
    told: Told | None = None
    broken: date | None = None

    @property
    def is_told(self) -> bool:
        """Whether the audience knows already what there is to tell."""
        return self.told is not None and self.told.last_at >= self.news_at

    @property
    def is_shared(self) -> bool:
        """Whether its audience is told of many units in one letter; a unit is told of itself."""
        return not self.audience.startswith(UNIT_PREFIX)


class Sifted(NamedTuple):
    """What goes on, and why the rest does not."""

    on: list[Bound]
    stopped: list[tuple[Bound, Stop]]


@dataclass(frozen=True, slots=True)
class Record:
    """What has been said and done about the alerts of a unit.

    `told` is the log: (alert, audience) → when; `messages`: audience → the last message about the
    unit to it.
    """

    said: Mapping[UUID, Acknowledgement] = field(default_factory=dict)
    told: Mapping[tuple[UUID, str], Told] = field(default_factory=dict)
    messages: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all alerts alike: who may be told, routes, office hours, what hushes.

    `raised`: audience → when it was last told of units below that do not answer. `shared`: who is
    told of many units, and whether of the system → the last letter.
    """

    domain: Domain
    routes: Route
    audiences: Collection[str]
    hours: OfficeHours | None
    hushing: Hushing
    silences: Sequence[Silence]
    raised: Mapping[str, datetime] = field(default_factory=dict)
    shared: Mapping[tuple[str, bool], datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """A letter to be written: to whom, about which alerts, and why now.

    `at` is the moment that the log keeps: never before one of its alerts became news, or the log
    would say that it is not told yet. An alert may fire while letters are being written.
    `broken` are those that fire again because a promise was broken and nothing new was said, and
    the promised day.
    `patience`: after this time without an acknowledgement the unit above is told.
    """

    audience: str
    kind: Due | Literal["escalation"]
    alerts: tuple[Alert, ...]
    at: datetime
    broken: Mapping[UUID, date] = field(default_factory=dict)
    patience: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The letters that are due, and why other alerts are not told.

    `shared` is on its way to who is told of many units, and is to be gathered with theirs.
    """

    letters: tuple[Planned, ...]
    stopped: tuple[tuple[Bound, Stop], ...]
    shared: tuple[Bound, ...] = ()
