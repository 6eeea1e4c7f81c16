"""Whatever happens in whatever order: nobody is told twice, or never, or at night.

What must hold is worked out here from what has happened, and not by the stages.
"""

from collections import Counter
from datetime import datetime, time, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contracts.times import LOCAL_ZONE, local_day
from contracts.updates import ALERT_OPENED, ALERT_RESOLVED
from services.notifier.core.alert import Alert
from services.notifier.core.letter import OPERATORS
from services.notifier.core.passage import Bound, Plan, Planned
from services.notifier.core.stop import Stop
from tests.unit.notifier.invented_province import (
    COMMUNE,
    DAY,
    FEEDS,
    FRESHNESS,
    HOUR,
    PATIENCE,
    POLICY,
    PROVINCE,
    UNIT,
    Sent,
    Village,
    hours,
)

AREAS = st.sampled_from((COMMUNE, PROVINCE))
INDICATORS = st.sampled_from(sorted(FEEDS))
#: Far behind, a little behind, within the tolerance or its hysteresis, and ahead.
NUMERATORS = st.sampled_from((100, 650, 715, 725, 850, 1000))
MOVES = st.sampled_from((timedelta(minutes=1), timedelta(minutes=5), HOUR, 5 * HOUR, DAY, 8 * DAY))
_GRAVITY = ("info", "warning", "critical")


class AnySequence(RuleBasedStateMachine):
    """One commune, its province, two feeds."""

    def __init__(self) -> None:
        super().__init__()
        self.village = Village()

    @initialize()
    def begins(self) -> None:
        for feed in FEEDS.values():
            self.village.hear(feed)

    @rule(area=AREAS, indicator=INDICATORS, numerator=NUMERATORS)
    def a_figure_comes(self, area: str, indicator: str, numerator: int) -> None:
        self.village.count(area, indicator, numerator)
        self.look()

    @rule(
        move=MOVES, speaks=st.sampled_from(((), ("telecom",), ("health",), ("telecom", "health")))
    )
    def time_passes(self, move: timedelta, speaks: tuple[str, ...]) -> None:
        self.village.now += move
        for feed in speaks:
            self.village.hear(feed)
        self.look()

    @rule(move=MOVES)
    def nobody_looks(self, move: timedelta) -> None:
        """All processes are down."""
        self.village.now += move

    @rule(days=st.sampled_from((2, 8)))
    def days_pass(self, days: int) -> None:
        for _ in range(days * 2):
            self.village.now += DAY / 2
            for feed in FEEDS.values():
                self.village.hear(feed)
            self.look()

    @precondition(lambda self: self.village.firing)
    @rule(data=st.data(), days=st.none() | st.integers(0, 9))
    def somebody_acknowledges(self, data: st.DataObject, days: int | None) -> None:
        alert = data.draw(st.sampled_from(self.village.firing))
        promised = None if days is None else local_day(self.village.now + days * DAY)
        self.village.acknowledge(alert.id, promised)
        self.look()

    @rule(indicator=st.none() | INDICATORS, lasts=MOVES)
    def somebody_silences(self, indicator: str | None, lasts: timedelta) -> None:
        self.village.silence(indicator, lasts)
        self.look()

    def look(self) -> None:
        """Judge, tell, and hold what was done against what must hold."""
        village = self.village
        village.judge_all()
        for area in (COMMUNE, PROVINCE):
            before = list(village.log)
            found = village.tell(area)
            for letter in found.letters:
                self._is_due(letter, [one for one in before if one.area == area])
            self._all_accounted_for(area, found)
            self._another_process_tells_nobody_again(area, found)
        self._events_are_told_once()

    def _is_due(self, letter: Planned, before: list[Sent]) -> None:
        now = self.village.now
        told = [(at, one) for at, _, one in before if one.audience == letter.audience]
        last = max((at for at, _ in told), default=None)
        if letter.audience != OPERATORS:
            assert not _is_closed(now)
            assert all(self.village.is_fresh(one.key) for one in letter.alerts)
        if letter.kind == "escalation":
            self._is_unanswered(letter, before)
            return
        new = [one for one in letter.alerts if not self._is_told(one, letter.audience, before)]
        assert (letter.kind == "news") == bool(new)
        if last is not None:
            assert now - last >= (POLICY.group_interval if new else POLICY.repeat_interval)
        assert not new or max(now - self._news_at(one) for one in new) >= POLICY.group_wait

    def _is_unanswered(self, letter: Planned, before: list[Sent]) -> None:
        for alert in letter.alerts:
            news_at = self._news_at(alert)
            first = min(at for at, _, one in before if one.audience == UNIT and _holds(one, alert))
            assert self.village.now - max(first, news_at) >= PATIENCE
            assert not self._is_told(alert, letter.audience, before)
            said = self.village.said.get(alert.id)
            assert said is None or said.broken_at is not None

    def _all_accounted_for(self, area: str, found: Plan) -> None:
        """What fires is told, or held by something that is so."""
        stopped = {one.alert.id: (one, stop) for one, stop in found.stopped}
        told = {one.id for letter in found.letters for one in letter.alerts}
        for alert in self._of(area):
            assert alert.id in told or alert.id in stopped
            if alert.id in stopped:
                self._holds_back(area, *stopped[alert.id])

    def _holds_back(self, area: str, one: Bound, stop: Stop) -> None:
        village, alert = self.village, one.alert
        now = village.now
        before = [sent for sent in village.log if sent.area == area]
        last = max((at for at, _, some in before if some.audience == one.audience), default=None)
        match stop:
            case Stop.UNJUDGED:
                is_so = not village.is_fresh(alert.key)
            case Stop.SOURCE_SILENT:
                is_so = now - village.heard[FEEDS[alert.key.indicator]] > FRESHNESS.default
            case Stop.HIGHER_LAGS:
                is_so = any(
                    other.key == (PROVINCE, alert.key.indicator, "events")
                    and _GRAVITY.index(other.severity) > _GRAVITY.index(alert.severity)
                    for other in village.firing
                )
            case Stop.SILENCED:
                is_so = area == COMMUNE and any(
                    silence.starts_at <= now < silence.ends_at
                    and silence.indicator in (None, alert.key.indicator)
                    for silence in village.silences
                )
            case Stop.ACKNOWLEDGED:
                promised = village.said[alert.id].promised_on
                is_so = promised is not None and local_day(now) <= promised
            case Stop.HOLIDAY | Stop.WEEKEND | Stop.QUIET_HOURS:
                is_so = _is_closed(now) and one.audience != OPERATORS
            case Stop.GROUP_WAIT:
                is_so = now - self._news_at(alert) < POLICY.group_wait
            case Stop.GROUP_INTERVAL:
                is_so = last is not None and now - last < POLICY.group_interval
            case Stop.TOLD:
                # Its reminder goes with news that wait for company.
                waits = any(now - self._news_at(new) < POLICY.group_wait for new in self._of(area))
                is_recent = last is not None and now - last < POLICY.repeat_interval
                is_so = self._is_told(alert, one.audience, before) and (is_recent or waits)
            case _:
                is_so = False
        assert is_so, (stop, alert.key, now)

    def _another_process_tells_nobody_again(self, area: str, found: Plan) -> None:
        told = {letter.audience for letter in found.letters}
        assert not self.village.plan(area, self.village.now).letters
        # Nor one whose clock is behind.
        late = self.village.plan(area, self.village.now - timedelta(seconds=30)).letters
        assert told.isdisjoint(letter.audience for letter in late)

    def _events_are_told_once(self) -> None:
        events = self.village.events
        assert len({event.id for event in events}) == len(events)
        kinds = Counter((event.data.alert, event.type) for event in events)
        assert all(
            times == 1
            for (_, kind), times in kinds.items()
            if kind in {ALERT_OPENED, ALERT_RESOLVED}
        )
        ended = {event.data.alert for event in events if event.type == ALERT_RESOLVED}
        assert ended.isdisjoint(str(alert.id) for alert in self.village.firing)
        assert all((alert, ALERT_OPENED) in kinds for alert in ended)

    def _of(self, area: str) -> list[Alert]:
        return [alert for alert in self.village.firing if alert.key.area == area]

    def _news_at(self, alert: Alert) -> datetime:
        """When there was last something new to tell: it fired, or a promise was broken."""
        assert alert.fired_at is not None
        said = self.village.said.get(alert.id)
        return (said.broken_at if said is not None else None) or alert.fired_at

    def _is_told(self, alert: Alert, audience: str, before: list[Sent]) -> bool:
        news_at = self._news_at(alert)
        return any(
            one.audience == audience and at >= news_at and _holds(one, alert)
            for at, _, one in before
        )


def _holds(letter: Planned, alert: Alert) -> bool:
    ids: set[UUID] = {one.id for one in letter.alerts}
    return alert.id in ids


def _is_closed(now: datetime) -> bool:
    local = now.astimezone(LOCAL_ZONE)
    day = local.date()
    days_off = hours()
    is_weekend = local.isoweekday() > 5 and not days_off.is_made_up(day)
    return not time(7, 30) <= local.time() < time(17) or is_weekend or days_off.is_holiday(day)


AnySequence.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestAnySequence = AnySequence.TestCase
