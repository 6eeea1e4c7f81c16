"""What late events change on past days, against a plain recount of each of these days."""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.subjects import SubjectKind
from contracts.times import local_ordinal
from services.scoring.core.booking import Booking, SubjectsOn
from services.scoring.core.counting import Counts, differences
from services.scoring.core.pieces import at_once
from services.scoring.core.state import ShardState
from services.scoring.core.subjects import nowhere
from tests.unit.scoring.lives import lives
from tests.unit.scoring.saying import (
    RULES,
    TODAY,
    Event,
    counted,
    event,
    read,
    record,
)

CITIZEN = SubjectKind.CITIZEN
DAYS = 12
BEGINS = TODAY - timedelta(days=DAYS)

#: Whom the event is about, and the event.
Told = tuple[int, Event]

REGISTERED = "identity.citizen-registered.v1"
ADULT = {"birth_date": "1990-05-17", "area": "02647"}
EID = "identity.eid-changed.v1"
PHONE = "telecom.subscription-changed.v1"
HAS_PHONE = {"own_name": True, "smartphone": True, "internet": True}
NEW = {"level": 2, "activated": True}


def shard(told: Iterable[Told]) -> ShardState:
    state = ShardState(RULES)
    values = [record(CITIZEN, one, number) for number, one in told]
    state.take(read(values, state.ids).writes, TODAY.toordinal())
    return state


def booked(before: Iterable[Told], told: Iterable[Told]) -> list[Booking]:
    """What a batch of today books."""
    state = shard(before)
    values = [record(CITIZEN, one, number) for number, one in told]
    writes = read(values, state.ids).writes
    bookings = state.take(writes, TODAY.toordinal(), BEGINS.toordinal()).bookings
    assert (state.counts == state.recount()).all()
    return list(bookings)


def day_of(told: Told) -> date:
    return date.fromordinal(local_ordinal(told[1].time))


def counts_on(state: ShardState, day: date) -> Counts:
    """What everybody counts to on a day, by what is known of that day."""
    subjects = state.subjects[CITIZEN]
    seen = SubjectsOn(subjects, day.toordinal())
    found = RULES.evaluators[CITIZEN].evaluate(seen, subjects.all_rows(), day.toordinal())
    counts = np.zeros_like(state.counts)
    units, amounts = differences(nowhere(subjects.count), found)
    counts[units] += amounts
    return counts


def check(before: list[Told], told: list[Told]) -> None:
    """Up to each day, bookings are what the events up to that day change on it."""
    bookings = booked(before, told)
    so_far = np.zeros_like(ShardState(RULES).counts)
    by_day = {one.day: one for one in bookings}
    assert len(by_day) == len(bookings)
    late = {number for number, one in told if day_of((number, one)) < TODAY}
    for days in range(DAYS):
        day = BEGINS + timedelta(days=days)
        if (booking := by_day.get(day.toordinal())) is not None:
            so_far[booking.units] += booking.amounts
        known = [one for one in told if day_of(one) <= day and one[0] in late]
        expected = counts_on(shard([*before, *known]), day) - counts_on(shard(before), day)
        assert counted(so_far) == counted(expected), day
    assert all(BEGINS.toordinal() <= day <= TODAY.toordinal() for day in by_day)


def test_an_event_of_today_takes_nothing_from_the_days_before() -> None:
    """Beside a late event of the same subject, which alone changes these days."""
    before = [(1, event(REGISTERED, ADULT)), (1, event(EID, NEW))]
    told = [(1, event(EID, NEW, 0, "f")), (1, event(PHONE, HAS_PHONE, 5))]
    check(before, told)
    assert len(booked(before, told)) == len(booked(before, told[1:])) == 1


def test_of_two_late_events_of_one_kind_each_has_its_days() -> None:
    before = [(1, event(REGISTERED, ADULT))]
    told = [(1, event(EID, NEW, 8)), (1, event(EID, NEW | {"activated": False}, 3))]
    check(before, told)
    assert len(booked(before, told)) == 2


def test_a_later_late_event_takes_nothing_from_the_days_before_it() -> None:
    before = [(1, event(REGISTERED, ADULT)), (1, event(EID, NEW))]
    check(before, [(1, event(PHONE, HAS_PHONE, 8)), (1, event(EID, NEW, 3, "f"))])


@st.composite
def several_lives(draw: st.DrawFn, furthest_days: int) -> list[Told]:
    told = [(number, one) for number in range(2) for one in draw(lives(furthest_days, most=8))]
    return draw(st.permutations(told))


@settings(deadline=None, max_examples=60)
@given(several_lives(furthest_days=100), several_lives(furthest_days=DAYS + 4))
def test_each_day_changes_by_what_was_known_by_then(before: list[Told], told: list[Told]) -> None:
    check(before, told)


def test_long_work_can_be_interrupted_day_by_day() -> None:
    """No piece is long, so that a process can do something else in between."""
    state = shard([(1, event(REGISTERED, ADULT))])
    told = [(1, event(PHONE, HAS_PHONE | {"internet": bool(days % 2)}, days)) for days in range(9)]
    values = [record(CITIZEN, one, number) for number, one in told]
    writes = read(values, state.ids).writes
    pieces = state.taking(writes, TODAY.toordinal(), BEGINS.toordinal())
    assert len(list(pieces)) >= 9
    assert (state.counts == state.recount()).all()
    state.counts[:] = 7
    assert at_once(state.evaluating_all(TODAY.toordinal())) == 1
    assert (state.counts == state.recount()).all()
