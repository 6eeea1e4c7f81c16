"""A commune and its province in miniature: figures, feeds and a log, moved by a virtual clock.

Everything is decided by the pure cores; what the store keeps is kept here in plain containers, and
what a process remembers is nothing, so each look is that of a process that has just started.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from contracts import areas, catalogue, holidays
from contracts.pace import Milestone
from contracts.times import local_day
from contracts.updates import AlertChanged
from services.notifier.core.acknowledgement import Acknowledgement, fire_again, is_broken
from services.notifier.core.aim import of_catalogue
from services.notifier.core.alert import NOBODY, SOURCE_PREFIX, Alert, Step, advance
from services.notifier.core.causes import Domain
from services.notifier.core.course import Course
from services.notifier.core.decide import decide_silence
from services.notifier.core.figure import Figure, FigureKey, is_fresh
from services.notifier.core.inhibition import hushing
from services.notifier.core.judging import Criteria, judge
from services.notifier.core.letter import OPERATORS
from services.notifier.core.matching import Matcher
from services.notifier.core.passage import Plan, Planned, Record, Terms, Told
from services.notifier.core.quiet import OfficeHours
from services.notifier.core.route import Route
from services.notifier.core.rule import Freshness, Rule
from services.notifier.core.schedule import Policy
from services.notifier.core.silence import Silence
from services.notifier.core.stages import gather, plan

# A Monday, 09:00 in Viet Nam.
START: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COMMUNE, PROVINCE = "2025:02647", "2025:15"
UNIT, ABOVE = f"unit:{COMMUNE}", f"unit:{PROVINCE}"
#: Indicator → the feed that it lives on.
FEEDS: Final = {"ds.smartphone": "telecom", "ds.fibre": "telecom", "ds.health-record": "health"}
POLICY: Final = Policy(5 * timedelta(minutes=1), DAY, 7 * DAY)
PATIENCE: Final = 14 * DAY
FRESHNESS: Final = Freshness(3 * DAY, {})
RULE: Final = Rule(
    tolerance=Decimal(2),
    hysteresis=Decimal(1),
    minimum_denominator=30,
    hold_for=DAY,
    severities=((Decimal(15), "critical"), (Decimal(5), "warning")),
)
AWAKE: Final = Route(POLICY, Matcher(kinds=frozenset({"source-silent"})), keeps_quiet=False)
ROUTES: Final = Route(POLICY, escalate_after=PATIENCE, branches=(AWAKE,))


class Sent(NamedTuple):
    """A letter of the log."""

    at: datetime
    area: str
    letter: Planned


@cache
def domain() -> Domain:
    """The real units and the real catalogue."""
    return Domain(areas.load(), catalogue.load(), lambda _: RULE.minimum_denominator)


@cache
def hours() -> OfficeHours:
    """From half past seven to five, but not on public holidays."""
    off = holidays.load()
    week = frozenset({1, 2, 3, 4, 5})
    return OfficeHours(time(7, 30), time(17), week, off.is_holiday, off.is_made_up)


@dataclass
class Village:
    """The state, as the notifier's tables hold it."""

    now: datetime = START
    figures: dict[FigureKey, Figure] = field(default_factory=dict)
    heard: dict[str, datetime] = field(default_factory=dict)
    courses: dict[FigureKey, Course] = field(default_factory=dict)
    open: dict[FigureKey, Alert] = field(default_factory=dict)
    said: dict[UUID, Acknowledgement] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)
    log: list[Sent] = field(default_factory=list)
    events: list[AlertChanged] = field(default_factory=list)

    @property
    def firing(self) -> list[Alert]:
        """What fires."""
        return [alert for alert in self.open.values() if alert.state == "firing"]

    def hear(self, feed: str) -> None:
        """A feed speaks."""
        self.heard[feed] = self.now

    def count(self, area: str, indicator: str, numerator: int) -> None:
        """Scoring tells a figure of a thousand people; its feed has spoken."""
        key = FigureKey(area, indicator, "events")
        before = self.figures.get(key)
        value = Decimal(numerator) / 10
        first = before.first if before is not None else Milestone(local_day(self.now), value)
        version = before.version + 1 if before is not None else 1
        self.figures[key] = Figure(key, version, numerator, 1_000, value, self.now, first)
        self.hear(FEEDS[indicator])

    def acknowledge(self, alert: UUID, promised_on: date | None) -> None:
        """Somebody has seen an alert, and promises or not."""
        self.said[alert] = Acknowledgement("Mở lớp tập huấn", promised_on, self.now, "unit")

    def silence(self, indicator: str | None, lasts: timedelta) -> None:
        """Somebody silences an indicator of the commune, or all of them."""
        number = len(self.silences) + 1
        self.silences.append(
            Silence(
                id=UUID(int=number),
                area=COMMUNE,
                indicator=indicator,
                indicator_set=None,
                severity=None,
                starts_at=self.now,
                ends_at=self.now + lasts,
                comment="Bão số 12",
                created_at=self.now,
                created_by="operator",
            )
        )

    def judge_all(self) -> None:
        """What the evaluation does, and the keeper of promises after it."""
        for key, figure in self.figures.items():
            indicator = domain().catalogue.by_id[key.indicator]
            level = domain().areas[key.area].level
            criteria = Criteria(indicator, level, of_catalogue(indicator), RULE)
            alert = self.open.get(key)
            fresh = self.is_fresh(key)
            course = self.courses.get(key, Course())
            held = alert.held if alert is not None else None
            found = judge(held, figure, course, criteria, fresh=fresh, now=self.now)
            self.courses[key] = found.course
            decided, stands = found.decision, found.standing
            self._take(advance(alert, decided, kind="pace", key=key, standing=stands, now=self.now))
        for feed, heard_at in self.heard.items():
            key = FigureKey(PROVINCE, SOURCE_PREFIX + feed, "events")
            alert = self.open.get(key)
            held = alert.held if alert is not None else None
            decided = decide_silence(held, heard_at, FRESHNESS.default, self.now)
            self._take(
                advance(
                    alert, decided, kind="source-silent", key=key, standing=NOBODY, now=self.now
                )
            )
        for alert in self.firing:
            said = self.said.get(alert.id)
            if said is not None and is_broken(alert, said, local_day(self.now)):
                self.said[alert.id] = replace(said, broken_at=self.now)
                self._take(fire_again(alert, self.now))

    def is_fresh(self, key: FigureKey) -> bool:
        """Whether the feed of a figure has been heard lately."""
        feeds = domain().catalogue.feeds_of(domain().catalogue.by_id[key.indicator])
        return is_fresh(self.figures[key], feeds, self.heard, FRESHNESS, self.now)

    def plan(self, area: str, now: datetime) -> Plan:
        """What is due about a unit, as the log stands; operators hear of the province alone."""
        some = [alert for alert in self.firing if alert.key.area == area]
        above = [a for a in self.firing if a.kind == "source-silent" or a.key.area == PROVINCE]
        raised = {
            sent.letter.audience: sent.at for sent in self.log if sent.letter.kind == "escalation"
        }
        of_system = [sent.at for sent in self.log if sent.letter.audience == OPERATORS]
        terms = Terms(
            domain(),
            ROUTES,
            frozenset({UNIT, ABOVE, OPERATORS}),
            hours(),
            hushing(above),
            self.silences,
            raised,
            {(OPERATORS, True): max(of_system)} if of_system else {},
        )
        own = plan(some, self._record(area), terms, now)
        shared = gather(own.shared, terms, now)
        return Plan(own.letters + shared.letters, own.stopped + shared.stopped)

    def tell(self, area: str) -> Plan:
        """Write what is due about a unit into the log."""
        found = self.plan(area, self.now)
        self.log += [Sent(letter.at, area, letter) for letter in found.letters]
        return found

    def _record(self, area: str) -> Record:
        told: dict[tuple[UUID, str], Told] = {}
        messages: dict[str, datetime] = {}
        for at, about, letter in self.log:
            for alert in letter.alerts:
                key = alert.id, letter.audience
                told[key] = Told(told[key].first_at if key in told else at, at)
            if about == area:
                messages[letter.audience] = at
        return Record(self.said, told, messages)

    def _take(self, step: Step | None) -> None:
        if step is None:
            return
        if step.dropped or step.alert.state == "resolved":
            self.open.pop(step.alert.key, None)
        else:
            self.open[step.alert.key] = step.alert
        if step.event is not None:
            self.events.append(step.event)
