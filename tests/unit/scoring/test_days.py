"""Time as an input: ages and windows at their edges, the day a subject is due, reforms."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings

from contracts.areas import Area, Areas, Succession
from contracts.subjects import SubjectKind
from contracts.times import epoch_microseconds
from services.scoring.core.conditions import NEVER, birthday
from services.scoring.core.rules import Rules
from tests.unit.scoring.lives import lives
from tests.unit.scoring.saying import (
    CATALOGUE,
    NOWHERE,
    TODAY,
    Event,
    Said,
    counts,
    event,
    fold,
    standing,
    standings_of,
    stands,
)

CITIZEN, HOUSEHOLD = SubjectKind.CITIZEN, SubjectKind.HOUSEHOLD


def registered(born: str, code: str = "02647", days_ago: int = 400) -> Said:
    return "identity.citizen-registered.v1", {"birth_date": born, "area": code}, days_ago


@pytest.mark.parametrize(
    ("born", "today", "old_enough"),
    [
        ("2011-11-23", "2026-11-22", False),
        ("2011-11-22", "2026-11-22", True),
        ("2012-02-29", "2027-02-28", False),
        ("2012-02-29", "2027-03-01", True),  # 2027 has no 29 February
    ],
)
def test_fifteen_begins_on_the_birthday(born: str, today: str, old_enough: bool) -> None:
    found = standing(CITIZEN, [registered(born)], date.fromisoformat(today))
    assert counts(found, "dc.1.1")[0] == old_enough


def test_eighteen_on_29_february_of_a_leap_year() -> None:
    assert birthday(date(2012, 2, 29), 20) == date(2032, 2, 29).toordinal()


def test_an_age_that_nobody_reaches_before_the_calendar_ends() -> None:
    assert birthday(date(9990, 1, 1), 15) == NEVER
    assert standing(CITIZEN, [registered("9990-01-01")]).due is None


def test_fifty_nine_ends_on_the_sixtieth_birthday() -> None:
    told = [registered("1966-11-23")]
    assert counts(standing(CITIZEN, told, date(2026, 11, 22)), "ds.digital-skills")[0]
    assert not counts(standing(CITIZEN, told, date(2026, 11, 23)), "ds.digital-skills")[0]


def test_born_after_today_has_no_age_yet() -> None:
    found = standing(CITIZEN, [registered("2027-01-01")])
    assert counts(found, "ds.health-record")[0]
    assert not counts(found, "dc.1.1")[0]


@pytest.mark.parametrize(
    ("paid_at", "counted"),
    [
        # 90 local days before 22 November is 24 August; its first minute is 17:00Z of the 23rd.
        (datetime(2026, 8, 23, 17, 0, tzinfo=UTC), True),
        (datetime(2026, 8, 23, 16, 59, 59, 999_999, tzinfo=UTC), False),
        # The clock of a source may be ahead of ours across midnight.
        (datetime(2026, 11, 22, 17, 2, tzinfo=UTC), True),
    ],
)
def test_a_window_is_of_local_days(paid_at: datetime, counted: bool) -> None:
    payment = Event(
        "vn.nhipso.payment.transaction-completed.v1",
        epoch_microseconds(paid_at),
        "e",
        {"method": "card", "purpose": "fee"},
    )
    found = stands(fold(CITIZEN, [event(*registered("1990-05-17")), payment]), CITIZEN, TODAY)
    assert counts(found, "dc.3.2") == (True, counted)


@settings(deadline=None, max_examples=30)
@given(lives())
def test_due_is_never_later_than_a_change(life: list[Event]) -> None:
    """Between a day and the day that is due, masks and unit stay; what follows hangs on no day."""
    state = fold(CITIZEN, life)
    found = stands(state, CITIZEN, TODAY)
    for days in range(1, 400):
        day = TODAY + timedelta(days=days)
        fresh = stands(state, CITIZEN, day)
        if found.due is not None and day.toordinal() >= found.due:
            found = fresh
        else:
            assert fresh == found


@settings(deadline=None, max_examples=30)
@given(lives())
def test_steps_on_the_days_that_are_due_count_as_every_day_would(life: list[Event]) -> None:
    state = fold(CITIZEN, life)
    for days in range(1, 400):
        day = TODAY + timedelta(days=days)
        state.step(day.toordinal())
        counted_as = standings_of(state.subjects[CITIZEN].standings)
        assert counted_as == standings_of(state.standings(CITIZEN, day.toordinal()))
    assert (state.counts == state.recount()).all()


@settings(deadline=None)
@given(lives())
def test_due_lies_ahead(life: list[Event]) -> None:
    found = stands(fold(CITIZEN, life), CITIZEN, TODAY)
    assert found.due is None or found.due > TODAY.toordinal()


def test_due_is_the_first_of_birthdays_and_windows() -> None:
    told: list[Said] = [
        registered("1990-05-17"),
        ("payment.transaction-completed.v1", {"method": "card", "purpose": "fee"}, 90),
    ]
    assert standing(CITIZEN, told).due == (TODAY + timedelta(days=1)).toordinal()


def test_a_departure_ends_all_until_a_later_registration() -> None:
    gone: Said = ("identity.citizen-departed.v1", {"reason": "moved-away"}, 10)
    assert standing(CITIZEN, [registered("1990-05-17"), gone]) == NOWHERE
    back = standing(CITIZEN, [registered("1990-05-17", days_ago=5), gone])
    assert back.area_id == "2025:02647"


def test_a_closed_household_comes_back_with_its_next_event() -> None:
    def fibre(days_ago: int) -> Said:
        data = {"area": "02647", "covered": True, "subscribed": True}
        return "telecom.fibre-changed.v1", data, days_ago

    closed: Said = ("registry.subject-closed.v1", {"reason": "split"}, 10)
    assert standing(HOUSEHOLD, [fibre(20), closed]) == NOWHERE
    assert standing(HOUSEHOLD, [fibre(20), closed, fibre(5)]).area_id == "2025:02647"


def test_the_area_is_the_latest_of_registration_and_residence() -> None:
    moved: Said = ("identity.residence-changed.v1", {"area": "04252"}, 10)
    assert standing(CITIZEN, [registered("1990-05-17"), moved]).area_id == "2025:04252"
    again = registered("1990-05-17", days_ago=5)
    assert standing(CITIZEN, [moved, again]).area_id == "2025:02647"


def test_party_membership_is_one_fact_of_two_events() -> None:
    joined: Said = ("identity.party-membership-changed.v1", {"member": True}, 10)
    assert counts(standing(CITIZEN, [registered("1990-05-17"), joined]), "dc.1.6")[0]
    # A registration without `party_member` says that there is none.
    again = registered("1990-05-17", days_ago=5)
    assert not counts(standing(CITIZEN, [joined, again]), "dc.1.6")[0]


def test_a_code_is_read_as_of_the_event_and_its_unit_as_of_today() -> None:
    """04252 was Phường Yên Ninh until 30 June 2025; Phường Yên Bái has taken over from it."""
    before = (TODAY - date(2025, 6, 30)).days
    told = [registered("1990-05-17", "04249", days_ago=before)]
    assert standing(CITIZEN, told, date(2025, 6, 30)).area_id == "legacy:04249"
    assert standing(CITIZEN, told).area_id == "2025:04279"


def test_a_reform_to_come_makes_its_subjects_due() -> None:
    before = (TODAY - date(2025, 6, 1)).days
    told: list[Said] = [
        (
            "telecom.fibre-changed.v1",
            {"area": "04249", "covered": True, "subscribed": True},
            before,
        )
    ]
    assert standing(HOUSEHOLD, told, date(2025, 6, 10)).due == date(2025, 7, 1).toordinal()
    assert standing(HOUSEHOLD, told, date(2025, 7, 1)).due is None


def test_two_reforms_in_turn() -> None:
    def unit(area_id: str, first: date | None, last: date | None) -> Area:
        return Area(
            area_id, area_id[2:], "Xã Ví Dụ", "commune", "a:15", first, last, None, None, None
        )

    areas = Areas(
        [
            Area("a:15", "15", "Tỉnh Ví Dụ", "province", None, None, None, None, None, None),
            unit("a:00001", None, date(2026, 12, 31)),
            unit("b:00002", date(2027, 1, 1), date(2027, 12, 31)),
            unit("c:00003", date(2028, 1, 1), None),
        ],
        [
            Succession("a:00001", "b:00002", date(2027, 1, 1), 1),
            Succession("b:00002", "c:00003", date(2028, 1, 1), 1),
        ],
    )
    rules = Rules(CATALOGUE, areas)
    told = event("telecom.fibre-changed.v1", {"area": "00001", "covered": True, "subscribed": True})
    state = fold(HOUSEHOLD, [told], rules=rules)
    seen = []
    day: int | None = TODAY.toordinal()
    while day is not None:
        (found,) = standings_of(state.standings(HOUSEHOLD, day), rules)
        seen.append((date.fromordinal(day), found.area_id))
        day = found.due
    assert seen == [
        (TODAY, "a:00001"),
        (date(2027, 1, 1), "b:00002"),
        (date(2028, 1, 1), "c:00003"),
    ]
