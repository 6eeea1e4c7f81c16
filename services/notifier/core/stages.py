"""The stages between alerts and letters: each says what goes on, and why the rest does not.

route → inhibit → silence → acknowledged → quiet → deduplicate → wait; and beside the last two,
escalate. A stage takes values and the moment and keeps nothing; `plan` is their chain for the
alerts of one unit.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from contracts.times import local_day
from services.notifier.core.acknowledgement import Acknowledgement
from services.notifier.core.agency import agency_told
from services.notifier.core.alert import FOR_OPERATORS, Alert
from services.notifier.core.causes import Domain
from services.notifier.core.decide import UNJUDGED
from services.notifier.core.inhibition import Hushing
from services.notifier.core.letter import UNIT_PREFIX
from services.notifier.core.matching import Traits, traits_of
from services.notifier.core.quiet import OfficeHours
from services.notifier.core.route import ITS_OWN, Route
from services.notifier.core.schedule import Due, Group, due
from services.notifier.core.silence import Silence
from services.notifier.core.stop import Stop


class Told(NamedTuple):
    """When the log of messages says that an alert was told to an audience."""

    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Bound:
    """An alert on its way to one audience; `news_at` is since when there is something to tell."""

    alert: Alert
    traits: Traits
    route: Route
    audience: str
    news_at: datetime


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

    `raised`: audience → when it was last told of units below that do not answer.
    """

    domain: Domain
    routes: Route
    audiences: Collection[str]
    hours: OfficeHours | None
    hushing: Hushing
    silences: Sequence[Silence]
    raised: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """A letter to be written: to whom, about which alerts of one unit, and why now.

    `at` is the moment that the log keeps: never before one of its alerts became news, or the log
    would say that it is not told yet. An alert may fire while letters are being written.
    `broken` are those that fire again because a promise was broken and nothing new was said.
    `patience`: after this time without an acknowledgement the unit above is told.
    """

    audience: str
    kind: Due | Literal["escalation"]
    alerts: tuple[Alert, ...]
    at: datetime
    broken: frozenset[UUID] = frozenset()
    patience: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The letters that are due about one unit, and why its other alerts are not told."""

    letters: tuple[Planned, ...]
    stopped: tuple[tuple[Bound, Stop], ...]


def plan(alerts: Iterable[Alert], record: Record, terms: Terms, now: datetime) -> Plan:
    """Let the firing alerts of one unit through the stages."""
    today = local_day(now)
    active = [one for one in terms.silences if one.state(now) == "active"]
    passed, stopped = route(alerts, record.said, terms)
    stages: tuple[Callable[[list[Bound]], Sifted], ...] = (
        lambda some: sift(some, lambda one: _hushed(one, terms)),
        lambda some: silence(some, active),
        lambda some: sift(some, lambda one: _acknowledged(one, record, today)),
        lambda some: quiet(some, terms.hours, now),
    )
    for stage in stages:
        passed, held = stage(passed)
        stopped += held
    raised = escalate(passed, record, terms, now)
    letters = list(raised)
    # A letter tells of the system, or of a unit.
    groups: dict[tuple[str, bool], list[Bound]] = defaultdict(list)
    for one in passed:
        groups[one.audience, one.alert.kind in FOR_OPERATORS].append(one)
    for (audience, _), group in groups.items():
        kind, held = wait(group, record, now)
        stopped += held
        if kind is not None:
            letter = _planned(audience, kind, group, record, now)
            letters.append(replace(letter, patience=_patience(group[0], terms)))
    return Plan(tuple(letters), tuple(stopped))


def route(alerts: Iterable[Alert], said: Mapping[UUID, Acknowledgement], terms: Terms) -> Sifted:
    """Find whom each alert is told to; one that nobody receives goes no further."""
    found = Sifted([], [])
    for alert in alerts:
        traits = traits_of(alert, terms.domain)
        acknowledged = said.get(alert.id)
        broken_at = acknowledged.broken_at if acknowledged is not None else None
        news_at = broken_at or alert.fired_at or alert.opened_at
        for way, audience in _ways(alert, traits, terms):
            one = Bound(alert, traits, way, audience, news_at)
            if alert.kind == "pace" and alert.reason in UNJUDGED:
                found.stopped.append((one, Stop.UNJUDGED))
            elif one.audience not in terms.audiences:
                found.stopped.append((one, Stop.NOBODY))
            else:
                found.on.append(one)
    return found


def _ways(alert: Alert, traits: Traits, terms: Terms) -> Iterator[tuple[Route, str]]:
    """The ways of an alert, each with whom it leads to.

    Where it leads to the unit itself, the agency that answers for the indicator is told as well.
    """
    for way in terms.routes.ways(traits):
        yield way, way.audience(alert)
        agency = agency_told(alert, terms.domain) if way.to == ITS_OWN else None
        if agency is not None and agency in terms.audiences:
            yield way, agency


def sift(some: Iterable[Bound], why: Callable[[Bound], Stop | None]) -> Sifted:
    """Part alerts by whether there is a reason against telling them."""
    found = Sifted([], [])
    for one in some:
        reason = why(one)
        if reason is None:
            found.on.append(one)
        else:
            found.stopped.append((one, reason))
    return found


def silence(some: Iterable[Bound], active: Sequence[Silence]) -> Sifted:
    """Stop what an active silence means."""
    matchers = [one.matcher for one in active]
    return sift(
        some,
        lambda one: (
            Stop.SILENCED if any(matcher.fits(one.traits) for matcher in matchers) else None
        ),
    )


def quiet(some: Iterable[Bound], hours: OfficeHours | None, now: datetime) -> Sifted:
    """Stop what keeps to office hours, outside of them."""
    closed = hours.closed(now) if hours is not None else None
    return sift(some, lambda one: closed if one.route.keeps_quiet else None)


def wait(
    group: Sequence[Bound], record: Record, now: datetime
) -> tuple[Due | None, list[tuple[Bound, Stop]]]:
    """Whether a letter about the alerts of one group is due, or why each of them waits.

    What the log holds since it became news is told already; the rest is news. The intervals are
    those of the route of the first.
    """
    news = [one for one in group if not _is_told(one, record)]
    told = [record.told[key] for one in group if (key := _key(one)) in record.told]
    messages = [one.last_at for one in told]
    if (last := record.messages.get(group[0].audience)) is not None:
        messages.append(last)
    state = Group(
        group[0].audience,
        min((one.news_at for one in news), default=None),
        max(messages, default=None),
    )
    policy = group[0].route.policy
    kind = due(state, policy, now)
    if kind is not None:
        return kind, []
    waits = (
        Stop.GROUP_WAIT
        if state.untold_since is not None and now - state.untold_since < policy.group_wait
        else Stop.GROUP_INTERVAL
    )
    return None, [(one, Stop.TOLD if _is_told(one, record) else waits) for one in group]


def _patience(one: Bound, terms: Terms) -> timedelta | None:
    """How long the unit itself may leave a letter unanswered; None where nobody above is told."""
    area = terms.domain.areas.get(one.alert.key.area)
    is_own = area is not None and one.audience == f"{UNIT_PREFIX}{area.area_id}"
    if area is None or not is_own or f"{UNIT_PREFIX}{area.parent_id}" not in terms.audiences:
        return None
    return one.route.escalate_after


def escalate(some: Iterable[Bound], record: Record, terms: Terms, now: datetime) -> list[Planned]:
    """The letters to units above about alerts that nobody has acknowledged for too long.

    The time runs from the first letter to the unit itself. The unit above is told once, unless the
    alert becomes news again.
    """
    above: dict[str, list[Bound]] = defaultdict(list)
    for one in some:
        area = terms.domain.areas.get(one.alert.key.area)
        parent = area.parent_id if area is not None else None
        said = record.said.get(one.alert.id)
        told = record.told.get(_key(one))
        patience = one.route.escalate_after
        if (
            parent is None
            or patience is None
            or told is None
            or one.audience != f"{UNIT_PREFIX}{one.alert.key.area}"
            or (said is not None and said.holds)
            or now - max(told.first_at, one.news_at) < patience
        ):
            continue
        audience = f"{UNIT_PREFIX}{parent}"
        before = record.told.get((one.alert.id, audience))
        if audience in terms.audiences and (before is None or before.last_at < one.news_at):
            above[audience].append(one)
    return [
        _planned(audience, "escalation", raised, record, now)
        for audience, raised in above.items()
        if _is_spaced(raised[0], terms.raised.get(audience), now)
    ]


def together(raised: Sequence[Planned]) -> Planned:
    """One letter above for all units that do not answer: nobody gets a letter for each."""
    return Planned(
        raised[0].audience,
        "escalation",
        tuple(alert for one in raised for alert in one.alerts),
        max(one.at for one in raised),
        frozenset().union(*(one.broken for one in raised)),
    )


def _planned(
    audience: str,
    kind: Due | Literal["escalation"],
    group: Sequence[Bound],
    record: Record,
    now: datetime,
) -> Planned:
    some = tuple(one.alert for one in group)
    broken = {one.id for one in some if (said := record.said.get(one.id)) and not said.holds}
    at = max(now, *(one.news_at for one in group))
    return Planned(audience, kind, some, at, frozenset(broken))


def _is_spaced(one: Bound, last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= one.route.policy.group_interval


def _hushed(one: Bound, terms: Terms) -> Stop | None:
    return terms.hushing.hushes(one.alert, one.traits, terms.domain)


def _acknowledged(one: Bound, record: Record, today: date) -> Stop | None:
    said = record.said.get(one.alert.id)
    return Stop.ACKNOWLEDGED if said is not None and said.keeps_quiet(today) else None


def _key(one: Bound) -> tuple[UUID, str]:
    return one.alert.id, one.audience


def _is_told(one: Bound, record: Record) -> bool:
    told = record.told.get(_key(one))
    return told is not None and told.last_at >= one.news_at
