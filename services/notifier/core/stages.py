"""The stages between alerts and letters: each says what goes on, and why the rest does not.

route → inhibit → silence → acknowledged → quiet → deduplicate → wait; and beside the last two,
escalate. A stage takes values and the moment and keeps nothing; `plan` is their chain for the
alerts of one unit. Who is told of many units gets one letter about all of them: `gather` is the
last two stages over what `plan` has let through for such an audience.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

from contracts.times import local_day
from services.notifier.core.agency import agency_told
from services.notifier.core.alert import FOR_OPERATORS, Alert
from services.notifier.core.decide import UNJUDGED
from services.notifier.core.letter import UNIT_PREFIX
from services.notifier.core.matching import Traits, traits_of
from services.notifier.core.passage import Bound, Plan, Planned, Record, Sifted, Terms
from services.notifier.core.quiet import OfficeHours
from services.notifier.core.route import ITS_OWN, Route
from services.notifier.core.schedule import Due, Group, due
from services.notifier.core.silence import Silence
from services.notifier.core.stop import Stop


def plan(alerts: Iterable[Alert], record: Record, terms: Terms, now: datetime) -> Plan:
    """Let the firing alerts of one unit through the stages."""
    today = local_day(now)
    active = [one for one in terms.silences if one.state(now) == "active"]
    passed, stopped = route(alerts, record, terms)
    stages: tuple[Callable[[list[Bound]], Sifted], ...] = (
        lambda some: sift(some, lambda one: _hushed(one, terms)),
        lambda some: silence(some, active),
        lambda some: sift(some, lambda one: _acknowledged(one, record, today)),
        lambda some: quiet(some, terms.hours, now),
    )
    for stage in stages:
        passed, held = stage(passed)
        stopped += held
    letters = escalate(passed, record, terms, now)
    groups: dict[str, list[Bound]] = defaultdict(list)
    for one in passed:
        if not one.is_shared:
            groups[one.audience].append(one)
    for audience, group in groups.items():
        kind, held = wait(group, record.messages.get(audience), now)
        stopped += held
        if kind is not None:
            letter = _planned(audience, kind, group, now)
            letters.append(replace(letter, patience=_patience(group[0], terms)))
    return Plan(tuple(letters), tuple(stopped), tuple(one for one in passed if one.is_shared))


def gather(some: Iterable[Bound], terms: Terms, now: datetime) -> Plan:
    """The letters that are due to who is told of many units, each about all that fires."""
    # A letter tells of the system, or of units.
    groups: dict[tuple[str, bool], list[Bound]] = defaultdict(list)
    for one in some:
        groups[one.audience, one.alert.kind in FOR_OPERATORS].append(one)
    letters = []
    stopped: list[tuple[Bound, Stop]] = []
    for key, group in groups.items():
        kind, held = wait(group, terms.shared.get(key), now)
        stopped += held
        if kind is not None:
            letters.append(_planned(key[0], kind, group, now))
    return Plan(tuple(letters), tuple(stopped))


def route(alerts: Iterable[Alert], record: Record, terms: Terms) -> Sifted:
    """Find whom each alert is told to; one that nobody receives goes no further."""
    found = Sifted([], [])
    for alert in alerts:
        traits = traits_of(alert, terms.domain)
        said = record.said.get(alert.id)
        broken_at = said.broken_at if said is not None else None
        news_at = broken_at or alert.fired_at or alert.opened_at
        broken = said.promised_on if said is not None and not said.holds else None
        for audience, way in _ways(alert, traits, terms).items():
            told = record.told.get((alert.id, audience))
            one = Bound(alert, traits, way, audience, news_at, told, broken)
            if alert.kind == "pace" and alert.reason in UNJUDGED:
                found.stopped.append((one, Stop.UNJUDGED))
            elif one.audience not in terms.audiences:
                found.stopped.append((one, Stop.NOBODY))
            else:
                found.on.append(one)
    return found


def _ways(alert: Alert, traits: Traits, terms: Terms) -> dict[str, Route]:
    """Whom an alert leads to, and by which way: the first, where several lead to the same.

    Where it leads to the unit itself, the agency that answers for the indicator is told as well.
    """
    found: dict[str, Route] = {}
    for way in terms.routes.ways(traits):
        found.setdefault(way.audience(alert), way)
        agency = agency_told(alert, terms.domain) if way.to == ITS_OWN else None
        if agency is not None and agency in terms.audiences:
            found.setdefault(agency, way)
    return found


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
    group: Sequence[Bound], last: datetime | None, now: datetime
) -> tuple[Due | None, list[tuple[Bound, Stop]]]:
    """Whether a letter about the alerts of one group is due, or why each of them waits.

    What the log holds since it became news is told already; the rest is news, and while there is
    some the reminder of what is told goes with it. Each alert keeps to the intervals of its own
    route; `last` is the last message to the group's audience.
    """
    messages = [one.told.last_at for one in group if one.told is not None]
    if last is not None:
        messages.append(last)
    last = max(messages, default=None)
    news = [one for one in group if not one.is_told]
    for one in news or group:
        kind = due(_state(one, last), one.route.policy, now)
        if kind is not None:
            return kind, []
    return None, [(one, _holding(one, now)) for one in group]


def _state(one: Bound, last: datetime | None) -> Group:
    return Group(one.audience, None if one.is_told else one.news_at, last)


def _holding(one: Bound, now: datetime) -> Stop:
    """Why an alert that could be told is not told now."""
    if one.is_told:
        return Stop.TOLD
    waits = now - one.news_at < one.route.policy.group_wait
    return Stop.GROUP_WAIT if waits else Stop.GROUP_INTERVAL


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
        told = one.told
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
        _planned(audience, "escalation", raised, now)
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
        {alert: day for one in raised for alert, day in one.broken.items()},
    )


def _planned(
    audience: str,
    kind: Due | Literal["escalation"],
    group: Sequence[Bound],
    now: datetime,
) -> Planned:
    some = tuple(one.alert for one in group)
    broken = {one.alert.id: one.broken for one in group if one.broken is not None}
    at = max(now, *(one.news_at for one in group))
    return Planned(audience, kind, some, at, broken)


def _is_spaced(one: Bound, last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= one.route.policy.group_interval


def _hushed(one: Bound, terms: Terms) -> Stop | None:
    return terms.hushing.hushes(one.alert, one.traits, terms.domain)


def _acknowledged(one: Bound, record: Record, today: date) -> Stop | None:
    said = record.said.get(one.alert.id)
    return Stop.ACKNOWLEDGED if said is not None and said.keeps_quiet(today) else None
