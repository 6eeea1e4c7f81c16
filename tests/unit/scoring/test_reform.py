"""Where subjects count before, on and after the day of a reform, whatever was told when."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import catalogue
from contracts.areas import Areas, load
from contracts.subjects import SubjectKind
from contracts.times import LOCAL_ZONE
from services.scoring.core.conditions import NEVER
from services.scoring.core.reading import Reader
from services.scoring.core.rules import Rules
from services.scoring.core.state import ShardState
from services.scoring.core.territory import NOWHERE
from tests.fakes.reform import (
    CAM_DUONG,
    DAY,
    HOP_THANH,
    KIM_TAN,
    LAO_CAI,
    NEW_CAM_DUONG,
    NEW_LAO_CAI,
    NGUYEN_THAI_HOC,
    YEN_BAI,
    reformed,
)

CATALOGUE: Final = catalogue.load()
RULES: Final = Rules(CATALOGUE, reformed())
EVE: Final = DAY - timedelta(days=1)
ONE_DAY: Final = timedelta(days=1)
HOUSEHOLD: Final = "household:" + "0af1" * 8


def at(day: date, hour: time = time(12)) -> str:
    """A moment of a local day, as an event tells it."""
    return datetime.combine(day, hour, LOCAL_ZONE).astimezone(UTC).isoformat()


def fibre(code: str, day: date, hour: time = time(12)) -> bytes:
    """A household in a commune; such an event says where it is."""
    moment = at(day, hour)
    told = {
        "specversion": "1.0",
        "id": f"{moment} {code}",
        "source": "urn:nhipso:source:telecom",
        "type": "vn.nhipso.telecom.fibre-changed.v1",
        "subject": HOUSEHOLD,
        "time": moment,
        "datacontenttype": "application/json",
        "data": {"area": code, "covered": True, "subscribed": True},
    }
    return json.dumps(told).encode()


def counted(told: Sequence[bytes], today: date, rules: Rules = RULES) -> ShardState:
    """A shard to which all this was told, as of a day."""
    state = ShardState(rules)
    batch = Reader(rules).read(told, state.ids)
    assert not batch.errors
    state.take(batch.writes, today.toordinal())
    return state


def stands(state: ShardState, rules: Rules = RULES) -> tuple[str | None, date | None]:
    """The unit in which the one household counts, and the day on which it is due."""
    standings = state.subjects[SubjectKind.HOUSEHOLD].standings
    place, due = int(standings.areas[0]), int(standings.due[0])
    unit = None if place == NOWHERE else rules.territory.area_ids[place]
    return unit, None if due == NEVER else date.fromordinal(due)


@pytest.mark.parametrize(
    ("code", "told_on", "before", "after"),
    [
        ("02671", EVE, CAM_DUONG, NEW_CAM_DUONG),
        ("02680", EVE, HOP_THANH, NEW_CAM_DUONG),
        ("02647", EVE, LAO_CAI, NEW_LAO_CAI),
        ("04252", EVE, YEN_BAI, NGUYEN_THAI_HOC),
        # The codes of before the reform of 2025, two reforms ago.
        ("02680", date(2025, 6, 30), HOP_THANH, NEW_CAM_DUONG),
        ("02647", date(2025, 6, 30), LAO_CAI, NEW_LAO_CAI),
    ],
)
def test_who_was_there_before_the_day_moves_on_it(
    code: str, told_on: date, before: str, after: str
) -> None:
    state = counted([fibre(code, told_on)], EVE)
    assert stands(state) == (before, DAY)
    assert state.step(EVE.toordinal()).subjects == 0
    assert state.step(DAY.toordinal()).subjects == 1
    assert stands(state) == (after, None)
    assert stands(counted([fibre(code, told_on)], DAY + 100 * ONE_DAY)) == (after, None)


@pytest.mark.parametrize(
    ("code", "there"),
    [
        ("02672", NEW_CAM_DUONG),
        ("02680", KIM_TAN),
        ("02647", NEW_LAO_CAI),
        ("04252", NGUYEN_THAI_HOC),
    ],
)
@pytest.mark.parametrize("days", [0, 1, 400])
def test_a_code_told_on_the_day_or_after_names_the_new_unit(
    code: str, there: str, days: int
) -> None:
    told_on = DAY + days * ONE_DAY
    assert stands(counted([fibre(code, told_on)], told_on)) == (there, None)


def test_midnight_in_viet_nam_parts_the_two_bearers_of_a_code() -> None:
    last, first = time(23, 59, 59, 999_999), time(0)
    assert stands(counted([fibre("02680", EVE, last)], DAY))[0] == NEW_CAM_DUONG
    assert stands(counted([fibre("02680", DAY, first)], DAY))[0] == KIM_TAN


def test_a_later_event_goes_before_the_heir_of_a_split_and_a_late_one_does_not() -> None:
    there = fibre("02647", EVE - ONE_DAY)
    moved = fibre("02680", DAY + ONE_DAY)
    late = fibre("02647", EVE)
    assert stands(counted([there], DAY)) == (NEW_LAO_CAI, None)
    assert stands(counted([there, moved], DAY + ONE_DAY)) == (KIM_TAN, None)
    assert stands(counted([moved, late], DAY + ONE_DAY)) == (KIM_TAN, None)


def test_a_code_that_nobody_has_borne_yet_is_refused() -> None:
    state = ShardState(RULES)
    assert Reader(RULES).read([fibre("02672", EVE)], state.ids).errors


@pytest.mark.parametrize("days", [0, 1, 30])
def test_what_was_accepted_under_an_ended_code_counts_where_its_residents_went(days: int) -> None:
    """Ingest refuses such an event, but it may have learnt of the reform later than scoring."""
    told_on = DAY + days * ONE_DAY
    assert stands(counted([fibre("02671", told_on)], told_on)) == (NEW_CAM_DUONG, None)


def test_the_reform_of_2025_and_its_codes_used_again() -> None:
    rules = Rules(CATALOGUE, load())
    eve, day = date(2025, 6, 30), date(2025, 7, 1)
    state = counted([fibre("02647", eve)], eve, rules)
    assert stands(state, rules) == ("legacy:02647", day)
    assert state.step(day.toordinal()).subjects == 1
    assert stands(state, rules) == (LAO_CAI, None)
    # 02683 was Thị trấn Bát Xát, 02680 Xã Hợp Thành; both are others since.
    for code in ("02680", "02683"):
        was = stands(counted([fibre(code, eve)], eve, rules), rules)[0]
        now = stands(counted([fibre(code, day)], day, rules), rules)[0]
        assert (was, now) == (f"legacy:{code}", f"2025:{code}")


CODES: Final = ["02671", "02680", "02647", "04252", "02683", "02672"]


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[date, bytes]]:
    """What is told of some households in the days about the reform, in order of arrival."""
    areas: Areas = RULES.areas
    told = []
    for _ in range(draw(st.integers(1, 12))):
        happened = DAY + timedelta(days=draw(st.integers(-6, 6)))
        known = [code for code in CODES if areas.commune(code, happened) is not None]
        code = draw(st.sampled_from(known))
        arrived = max(happened, DAY + timedelta(days=draw(st.integers(-6, 9))))
        number = draw(st.integers(1, 4))
        value = fibre(code, happened).replace(b"0af1" * 8, b"%032x" % number)
        told.append((arrived, value))
    return sorted(told, key=lambda one: one[0])


@given(told=lives(), skipped=st.sets(st.integers(-6, 9)))
@settings(deadline=None, max_examples=40)
def test_day_by_day_comes_to_the_same_as_at_once_and_nobody_is_lost(
    told: list[tuple[date, bytes]], skipped: set[int]
) -> None:
    state, reader = ShardState(RULES), Reader(RULES)
    for days in range(-6, 10):
        today = DAY + timedelta(days=days)
        arrived = [value for day, value in told if day == today]
        if arrived:
            batch = reader.read(arrived, state.ids)
            assert not batch.errors
            state.take(batch.writes, today.toordinal())
        if days in skipped:
            continue  # downtime: the step comes late, and takes up whatever is due
        state.step(today.toordinal())
        at_once = counted([value for day, value in told if day <= today], today)
        assert (state.counts == at_once.counts).all()
        # Everybody counts, and in a unit that exists.
        standings = state.subjects[SubjectKind.HOUSEHOLD].standings
        units = [RULES.territory.area_ids[place] for place in standings.areas.tolist()]
        assert all(RULES.areas[unit].is_valid(today) for unit in units)
    assert (state.recount() == state.counts).all()
