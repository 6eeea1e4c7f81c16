"""The stages between alerts and letters, one by one and as a chain, with a clock of the test."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from contracts import holidays
from contracts.times import LOCAL_ZONE
from contracts.updates import Severity
from services.notifier.core.acknowledgement import Acknowledgement
from services.notifier.core.alert import NOBODY, Alert
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Reason
from services.notifier.core.figure import FigureKey
from services.notifier.core.inhibition import Hushing, hushing
from services.notifier.core.matching import Matcher
from services.notifier.core.passage import Plan, Record, Terms, Told
from services.notifier.core.quiet import OfficeHours
from services.notifier.core.route import Route
from services.notifier.core.schedule import Policy
from services.notifier.core.silence import Silence
from services.notifier.core.stages import gather, plan
from services.notifier.core.stop import Stop

# A Monday, 09:00 in Viet Nam.
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COMMUNE, PROVINCE = "2025:02647", "2025:15"
UNIT, ABOVE = f"unit:{COMMUNE}", f"unit:{PROVINCE}"
POLICY = Policy(timedelta(minutes=5), DAY, 7 * DAY)
ROUTE = Route(POLICY, escalate_after=14 * DAY)
HOURS = OfficeHours(
    time(7, 30),
    time(17),
    frozenset({1, 2, 3, 4, 5}),
    holidays.load().is_holiday,
    holidays.load().is_made_up,
)
NUMBERS = count(1)


def alert(indicator: str = "ds.smartphone", **changes: Any) -> Alert:
    found = Alert(
        id=UUID(int=next(NUMBERS)),
        kind="pace",
        key=FigureKey(changes.pop("area", COMMUNE), indicator, "events"),
        state="firing",
        severity="warning",
        reason=Reason.BEHIND_PACE,
        version=1,
        standing=NOBODY,
        opened_at=NOW - 3 * DAY,
        changed_at=NOW - HOUR,
        fired_at=NOW - HOUR,
    )
    return replace(found, **changes)


def silent(feed: str) -> Alert:
    return alert(f"source.{feed}", area=PROVINCE, kind="source-silent", reason=Reason.SOURCE_SILENT)


@pytest.fixture
def terms(domain: Domain) -> Terms:
    everybody = frozenset({UNIT, ABOVE, "operators", "group:chuyen-doi-so"})
    return Terms(domain, ROUTE, everybody, None, Hushing({}, frozenset()), [])


def planned(alerts: Iterable[Alert], record: Record, terms: Terms, now: datetime) -> Plan:
    """What is due about one unit, and to who is told of many if there is no other unit."""
    own = plan(alerts, record, terms, now)
    shared = gather(own.shared, terms, now)
    return Plan(own.letters + shared.letters, own.stopped + shared.stopped)


def letters(found: Plan) -> list[tuple[str, str, int]]:
    return [(one.audience, one.kind, len(one.alerts)) for one in found.letters]


def reasons(found: Plan) -> list[str]:
    return [reason.value for _, reason in found.stopped]


def test_all_of_a_unit_is_one_letter(terms: Terms) -> None:
    found = plan([alert(), alert("ds.fibre")], Record(), terms, NOW)
    assert (letters(found), reasons(found)) == ([(UNIT, "news", 2)], [])


def test_what_fires_while_letters_are_written_is_told_once(terms: Terms) -> None:
    # Writing began at NOW; under the lock the letter finds an alert that has fired since.
    some = [alert(), alert("ds.fibre", fired_at=NOW + timedelta(seconds=30))]
    (letter,) = plan(some, Record(), terms, NOW).letters
    assert len(letter.alerts) == 2
    told = {(one.id, UNIT): Told(letter.at, letter.at) for one in letter.alerts}
    later = plan(some, Record({}, told, {UNIT: letter.at}), terms, NOW + 2 * DAY)
    assert (letters(later), reasons(later)) == ([], ["told", "told"])


def test_feeds_are_told_to_operators(terms: Terms) -> None:
    found = planned([alert(area=PROVINCE), silent("telecom")], Record(), terms, NOW)
    assert letters(found) == [(ABOVE, "news", 1), ("operators", "news", 1)]


def test_feeds_and_units_are_never_in_one_letter(terms: Terms) -> None:
    everything = replace(terms, routes=Route(POLICY, to="operators"))
    found = planned([alert(area=PROVINCE), silent("telecom")], Record(), everything, NOW)
    assert letters(found) == [("operators", "news", 1), ("operators", "news", 1)]


def test_nobody_receives(terms: Terms) -> None:
    found = plan([alert(area="2025:02671")], Record(), terms, NOW)
    assert (letters(found), reasons(found)) == ([], ["nobody"])


@pytest.mark.parametrize(
    "reason", [Reason.SOURCE_SILENT, Reason.REPORT_MISSING, Reason.DENOMINATOR_CHANGED]
)
def test_what_cannot_be_judged_is_not_told(reason: Reason, terms: Terms) -> None:
    assert reasons(plan([alert(reason=reason)], Record(), terms, NOW)) == ["unjudged"]


@pytest.mark.parametrize(
    ("above", "below", "hushed"),
    [
        ("critical", "warning", True),
        ("warning", "info", True),
        ("warning", "warning", False),  # no lesser one
        ("info", "critical", False),
    ],
)
def test_a_lag_above_hushes_lesser_ones_below(
    above: Severity, below: Severity, hushed: bool, terms: Terms
) -> None:
    lags = hushing([alert(area=PROVINCE, severity=above)])
    some = [alert(severity=below), alert("ds.fibre", severity="info")]
    found = plan(some, Record(), replace(terms, hushing=lags), NOW)
    assert reasons(found) == (["higher-lags"] if hushed else [])
    # Never itself.
    own = plan([alert(area=PROVINCE)], Record(), replace(terms, hushing=lags), NOW)
    assert letters(own) == [(ABOVE, "news", 1)]


def test_a_silent_source_hushes_what_depends_on_it(terms: Terms) -> None:
    hushed = replace(terms, hushing=hushing([silent("telecom")]))
    some = [alert(), alert("ds.health-record"), alert("report-due.2026-Q3", kind="report")]
    found = plan(some, Record(), hushed, NOW)
    assert [one.alert.key.indicator for one, _ in found.stopped] == ["ds.smartphone"]
    assert reasons(found) == ["source-silent"]


def test_an_active_silence_alone_counts(terms: Terms) -> None:
    silence = Silence(
        id=UUID(int=7),
        area=PROVINCE,
        indicator="ds.smartphone",
        indicator_set=None,
        severity=None,
        starts_at=NOW,
        ends_at=NOW + HOUR,
        comment="x",
        created_at=NOW,
        created_by="operator",
    )
    quiet = replace(terms, silences=[silence])
    some = [alert(), alert("ds.fibre")]
    assert reasons(plan(some, Record(), quiet, NOW)) == ["silenced"]
    assert reasons(plan(some, Record(), quiet, NOW + HOUR)) == []
    assert reasons(plan(some, Record(), quiet, NOW - timedelta(seconds=1))) == []


@pytest.mark.parametrize(
    ("local", "closed"),
    [
        (datetime(2026, 11, 23, 7, 29, tzinfo=LOCAL_ZONE), Stop.QUIET_HOURS),
        (datetime(2026, 11, 23, 7, 30, tzinfo=LOCAL_ZONE), None),
        (datetime(2026, 11, 23, 16, 59, tzinfo=LOCAL_ZONE), None),
        (datetime(2026, 11, 23, 17, 0, tzinfo=LOCAL_ZONE), Stop.QUIET_HOURS),
        (datetime(2026, 11, 22, 9, 0, tzinfo=LOCAL_ZONE), Stop.WEEKEND),
        (datetime(2026, 11, 24, 9, 0, tzinfo=LOCAL_ZONE), Stop.HOLIDAY),
        (datetime(2026, 2, 17, 9, 0, tzinfo=LOCAL_ZONE), Stop.HOLIDAY),
        (datetime(2026, 8, 22, 9, 0, tzinfo=LOCAL_ZONE), None),  # a Saturday that is worked
        (datetime(2026, 8, 22, 20, 0, tzinfo=LOCAL_ZONE), Stop.QUIET_HOURS),
        (datetime(2026, 4, 26, 9, 0, tzinfo=LOCAL_ZONE), Stop.HOLIDAY),  # also a Sunday
    ],
)
def test_office_hours(local: datetime, closed: Stop | None) -> None:
    assert HOURS.closed(local) == closed


def test_nobody_is_told_at_night_but_who_wants_to_be(terms: Terms) -> None:
    night = NOW + 12 * HOUR
    awake = Route(POLICY, Matcher(kinds=frozenset({"source-silent"})), keeps_quiet=False)
    routes = replace(ROUTE, branches=(awake,))
    found = planned(
        [alert(area=PROVINCE), silent("telecom")],
        Record(),
        replace(terms, hours=HOURS, routes=routes),
        night,
    )
    assert (letters(found), reasons(found)) == ([("operators", "news", 1)], ["quiet-hours"])


def test_a_night_ends(terms: Terms) -> None:
    one = alert()
    hours = replace(terms, hours=HOURS)
    # From Monday evening over the holiday of the 24th to Wednesday morning.
    told_at = [
        moment
        for step in range(96)
        if plan([one], Record(), hours, moment := NOW + 8 * HOUR + step * HOUR / 2).letters
    ]
    assert told_at[0] == datetime(2026, 11, 25, 0, 30, tzinfo=UTC)


def said(promised_on: date | None, *, broken_at: datetime | None = None) -> Acknowledgement:
    return Acknowledgement("x", promised_on, NOW - 5 * DAY, "unit", broken_at)


def test_a_promise_buys_quiet_and_a_broken_one_ends_it(terms: Terms) -> None:
    one = alert(fired_at=NOW - 9 * DAY)
    told = {(one.id, UNIT): Told(NOW - 9 * DAY, NOW - 2 * DAY)}

    def after(acknowledgement: Acknowledgement) -> Plan:
        return plan([one], Record({one.id: acknowledgement}, told), terms, NOW)

    assert reasons(after(said(date(2026, 11, 23)))) == ["acknowledged"]
    assert reasons(after(said(None))) == ["told"]
    found = after(said(date(2026, 11, 20), broken_at=NOW - HOUR))
    assert letters(found) == [(UNIT, "news", 1)]
    assert found.letters[0].broken == {one.id: date(2026, 11, 20)}
    # Told since, it is news no more.
    told[one.id, UNIT] = Told(NOW - 9 * DAY, NOW - HOUR)
    assert reasons(after(said(date(2026, 11, 20), broken_at=NOW - HOUR))) == ["told"]


@pytest.mark.parametrize(
    ("fired_ago", "told_ago", "message_ago", "kind", "reason"),
    [
        (timedelta(minutes=4), None, None, None, "group-wait"),
        (timedelta(minutes=5), None, None, "news", None),
        (HOUR, None, 23 * HOUR, None, "group-interval"),
        (HOUR, None, 24 * HOUR, "news", None),
        (9 * DAY, 6 * DAY, 6 * DAY, None, "told"),
        (9 * DAY, 7 * DAY, None, "reminder", None),
        # Another letter about the unit puts the reminder off.
        (9 * DAY, 7 * DAY, 2 * DAY, None, "told"),
    ],
)
def test_waits(
    fired_ago: timedelta,
    told_ago: timedelta | None,
    message_ago: timedelta | None,
    kind: str | None,
    reason: str | None,
    *,
    terms: Terms,
) -> None:
    one = alert(fired_at=NOW - fired_ago)
    told = {} if told_ago is None else {(one.id, UNIT): Told(NOW - told_ago, NOW - told_ago)}
    messages = {} if message_ago is None else {UNIT: NOW - message_ago}
    found = plan([one], Record({}, told, messages), terms, NOW)
    assert letters(found) == ([] if kind is None else [(UNIT, kind, 1)])
    assert reasons(found) == ([] if reason is None else [reason])


def test_routes_choose_whom_and_how_often(terms: Terms) -> None:
    group = Route(
        replace(POLICY, group_wait=timedelta(0)),
        Matcher(sets=frozenset({"digital-society"}), severities=frozenset({"critical"})),
        to="group:chuyen-doi-so",
        goes_on=True,
    )
    silent_level = Route(POLICY, Matcher(indicators=frozenset({"ds.fibre"})), to="nobody")
    routed = replace(terms, routes=replace(ROUTE, branches=(group, silent_level, ROUTE)))
    found = planned(
        [alert(severity="critical"), alert("ds.fibre"), alert("ds.health-record")],
        Record(),
        routed,
        NOW,
    )
    assert letters(found) == [(UNIT, "news", 2), ("group:chuyen-doi-so", "news", 1)]
    assert reasons(found) == ["nobody"]


GROUP = "group:chuyen-doi-so"
TO_GROUP = Route(POLICY, to=GROUP)


def of_many(some: Sequence[Alert], record: Record, terms: Terms, now: datetime) -> Plan:
    """What is due to who is told of many, each unit looked at by itself."""
    shared = [
        one
        for area in dict.fromkeys(alert.key.area for alert in some)
        for one in plan(
            [alert for alert in some if alert.key.area == area], record, terms, now
        ).shared
    ]
    return gather(shared, terms, now)


def test_who_is_told_of_many_gets_one_letter_about_all_of_them(terms: Terms) -> None:
    routed = replace(terms, routes=TO_GROUP)
    some = [alert(area=area) for area in (COMMUNE, "2025:02671", PROVINCE)]
    (letter,) = of_many(some, Record(), routed, NOW).letters
    assert (letter.audience, letter.kind, len(letter.alerts)) == (GROUP, "news", 3)
    told = {(one.id, GROUP): Told(letter.at, letter.at) for one in some}
    # What fires later in another unit waits a day, though that unit was never told of.
    later = alert(area="2025:02680", fired_at=NOW + HOUR)
    spaced = replace(routed, shared={(GROUP, False): letter.at})

    def at(moment: datetime) -> Plan:
        return of_many([*some, later], Record({}, told), spaced, moment)

    found = at(NOW + 2 * HOUR)
    assert (letters(found), reasons(found)) == ([], ["told"] * 3 + ["group-interval"])
    assert letters(at(NOW + DAY)) == [(GROUP, "news", 4)]
    # Without news it is reminded of all of them after a week, and not for each.
    told[later.id, GROUP] = Told(NOW + DAY, NOW + DAY)
    spaced = replace(routed, shared={(GROUP, False): NOW + DAY})
    assert letters(at(NOW + 8 * DAY - HOUR)) == []
    assert letters(at(NOW + 8 * DAY)) == [(GROUP, "reminder", 4)]


def test_the_interval_of_many_holds_though_all_that_was_told_has_ended(terms: Terms) -> None:
    spaced = replace(terms, routes=TO_GROUP, shared={(GROUP, False): NOW - HOUR})
    assert reasons(of_many([alert()], Record(), spaced, NOW)) == ["group-interval"]
    # What the same audience was told of the system puts off nothing about units.
    of_system = replace(terms, routes=TO_GROUP, shared={(GROUP, True): NOW - HOUR})
    assert letters(of_many([alert()], Record(), of_system, NOW)) == [(GROUP, "news", 1)]


def test_each_alert_keeps_to_the_intervals_of_its_own_route(terms: Terms) -> None:
    at_once = Route(
        replace(POLICY, group_wait=timedelta(0)),
        Matcher(severities=frozenset({"critical"})),
        to=GROUP,
    )
    routed = replace(terms, routes=replace(TO_GROUP, branches=(at_once,)))
    warning = alert(fired_at=NOW)
    assert reasons(of_many([warning], Record(), routed, NOW)) == ["group-wait"]
    critical = alert(area=PROVINCE, severity="critical", fired_at=NOW)
    assert letters(of_many([warning, critical], Record(), routed, NOW)) == [(GROUP, "news", 2)]


def test_two_ways_to_one_audience_tell_it_once(terms: Terms) -> None:
    first = Route(POLICY, Matcher(sets=frozenset({"digital-society"})), to=GROUP, goes_on=True)
    second = Route(POLICY, Matcher(severities=frozenset({"warning"})), to=GROUP)
    routed = replace(terms, routes=replace(ROUTE, branches=(first, second)))
    assert letters(planned([alert()], Record(), routed, NOW)) == [(GROUP, "news", 1)]


FIRED = NOW - 20 * DAY


@pytest.mark.parametrize(
    ("first_told_ago", "acknowledgement", "above_told", "escalated"),
    [
        (14 * DAY, None, None, True),
        (14 * DAY - HOUR, None, None, False),
        (14 * DAY, said(None), None, False),  # seen, with no promise
        (14 * DAY, said(None, broken_at=NOW - DAY), None, False),  # the time runs anew
        (20 * DAY, said(None, broken_at=NOW - 14 * DAY), None, True),
        (14 * DAY, None, NOW - 3 * DAY, False),  # once
    ],
)
def test_who_does_not_answer_is_told_of_above(
    first_told_ago: timedelta,
    acknowledgement: Acknowledgement | None,
    above_told: datetime | None,
    escalated: bool,
    terms: Terms,
) -> None:
    one = alert(fired_at=FIRED)
    told = {(one.id, UNIT): Told(NOW - first_told_ago, NOW - DAY)}
    if above_told is not None:
        told[one.id, ABOVE] = Told(above_told, above_told)
    record = Record({} if acknowledgement is None else {one.id: acknowledgement}, told)
    found = plan([one], record, terms, NOW)
    assert ((ABOVE, "escalation", 1) in letters(found)) is escalated


def test_one_letter_above_for_all_of_a_unit_and_none_of_the_top(terms: Terms) -> None:
    some = [alert(fired_at=FIRED), alert("ds.fibre", fired_at=FIRED)]
    top = alert(area=PROVINCE, fired_at=FIRED)
    told = {(one.id, UNIT): Told(FIRED, NOW - DAY) for one in some}
    told[top.id, ABOVE] = Told(FIRED, NOW - DAY)
    assert letters(plan(some, Record({}, told), terms, NOW)) == [(ABOVE, "escalation", 2)]
    assert letters(plan([top], Record({}, told), terms, NOW)) == []
    never = replace(terms, routes=Route(POLICY))
    assert letters(plan(some, Record({}, told), never, NOW)) == []
    # At most one letter a day goes up, for whichever units.
    spaced = replace(terms, raised={ABOVE: NOW - HOUR})
    assert letters(plan(some, Record({}, told), spaced, NOW)) == []
