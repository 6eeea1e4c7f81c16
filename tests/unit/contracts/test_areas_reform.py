"""A reform to come: merged, split and renamed units, and a code used again."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.areas import Area, Areas, Carried, Former, Succession, load
from tests.fakes.reform import (
    CAM_DUONG,
    DAY,
    HOP_THANH,
    KIM_TAN,
    LAO_CAI,
    NEW_CAM_DUONG,
    NEW_LAO_CAI,
    NGUYEN_THAI_HOC,
    PROVINCE,
    YEN_BAI,
    reformed,
    rows,
    write,
)

EVE = DAY - timedelta(days=1)
AFTER = DAY + timedelta(days=200)
AREAS = reformed()
PROVINCE_A = Area("a:15", "15", "Tỉnh Ví Dụ", "province", None, None, None, None, None, None)


def code_of(code: str, on: date) -> str:
    found = AREAS.commune(code, on)
    assert found is not None
    return found.area_id


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CAM_DUONG, NEW_CAM_DUONG),
        (HOP_THANH, NEW_CAM_DUONG),
        (LAO_CAI, NEW_LAO_CAI),
        (YEN_BAI, NGUYEN_THAI_HOC),
    ],
)
def test_units_stand_for_themselves_until_the_eve_and_for_others_from_the_day(
    before: str, after: str
) -> None:
    assert AREAS.current(before, EVE) == before
    assert AREAS.next_succession(before, EVE) == DAY
    for day in (DAY, AFTER):
        assert AREAS.current(before, day) == after
        assert AREAS.next_succession(before, day) is None


def test_two_reforms_in_a_row_are_followed() -> None:
    assert AREAS.current("legacy:02647", date(2025, 6, 30)) == "legacy:02647"
    assert AREAS.current("legacy:02647", EVE) == LAO_CAI
    assert AREAS.current("legacy:02647", DAY) == NEW_LAO_CAI
    assert AREAS.next_succession("legacy:02647", date(2025, 6, 30)) == date(2025, 7, 1)
    assert AREAS.next_succession("legacy:02647", date(2025, 7, 1)) == DAY


def test_the_successors_in_turn() -> None:
    assert AREAS.successors("legacy:02647") == [LAO_CAI, NEW_LAO_CAI]
    assert AREAS.successors(KIM_TAN) == []


def test_a_code_used_again_names_the_unit_of_the_day() -> None:
    assert code_of("02680", date(2025, 6, 30)) == "legacy:02680"
    assert code_of("02680", EVE) == HOP_THANH
    assert code_of("02680", DAY) == KIM_TAN
    # What was told under the old bearer of the code went where that one's residents went.
    assert AREAS.current(code_of("02680", EVE), AFTER) == NEW_CAM_DUONG
    assert AREAS.current(code_of("02680", DAY), AFTER) == KIM_TAN


def test_figures_of_a_split_go_with_the_residents_and_are_said_to_be_of_more_than_one() -> None:
    assert AREAS.carried(LAO_CAI, EVE) == Carried(LAO_CAI, whole=True)
    assert AREAS.carried(LAO_CAI, DAY) == Carried(NEW_LAO_CAI, whole=False)
    assert AREAS.carried(CAM_DUONG, DAY) == Carried(NEW_CAM_DUONG, whole=True)
    assert AREAS.carried(KIM_TAN, EVE) is None


def test_the_former_units_of_each_new_one() -> None:
    taken_in = AREAS.former(NEW_CAM_DUONG, DAY)
    assert [one for one in taken_in if one.last == EVE] == [
        Former(CAM_DUONG, date(2025, 7, 1), EVE, whole=True),
        Former(HOP_THANH, date(2025, 7, 1), EVE, whole=True),
    ]
    older = {one.area_id for one in taken_in if one.last == date(2025, 6, 30)}
    assert {"legacy:02671", "legacy:02680"} < older
    assert not any(one.whole for one in AREAS.former(NEW_LAO_CAI, DAY))
    assert AREAS.former(KIM_TAN, DAY) == []
    assert AREAS.former(NEW_CAM_DUONG, EVE) == []


@given(day=st.dates(date(2020, 1, 1), date(2030, 1, 1)), on=st.dates(DAY, date(2040, 1, 1)))
def test_each_commune_of_a_day_is_in_exactly_one_unit_and_its_former_ones(
    day: date, on: date
) -> None:
    """So the province's history is the same sum, read as it was or carried to another day."""
    day = min(day, on)
    found: list[str] = []
    for area in AREAS.on(on):
        if area.level == "commune":
            units = [Former(area.area_id, area.valid_from, on, whole=True)]
            units += AREAS.former(area.area_id, on)
            found += [
                one.area_id
                for one in units
                if (one.first is None or one.first <= day) and day <= one.last
            ]
    there = [area.area_id for area in AREAS.on(day) if area.level == "commune"]
    assert sorted(found) == sorted(there)


@given(
    told_on=st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    later=st.integers(0, 10_000),
    which=st.integers(0, 10_000),
)
def test_every_commune_of_any_day_leads_to_one_unit_of_every_later_day(
    told_on: date, later: int, which: int
) -> None:
    communes = [area for area in AREAS.on(told_on) if area.level == "commune"]
    told, on = communes[which % len(communes)], told_on + timedelta(days=later)
    stands = AREAS[AREAS.current(told.area_id, on)]
    assert stands.is_valid(on)
    assert stands.level == "commune"
    ahead = AREAS.next_succession(told.area_id, on)
    assert ahead is None or (
        ahead > on
        and AREAS.current(told.area_id, ahead - timedelta(days=1)) == stands.area_id
        and AREAS.current(told.area_id, ahead) != stands.area_id
    )


def test_a_unit_that_goes_on_may_take_another_in() -> None:
    units, lineage = rows()
    areas = Areas(
        [
            replace(one, valid_to=None) if one.area_id == CAM_DUONG else one
            for one in units
            if one.area_id != NEW_CAM_DUONG
        ],
        [
            *(one for one in lineage if one.to_area_id != NEW_CAM_DUONG),
            Succession(HOP_THANH, CAM_DUONG, DAY, 1),
        ],
    )
    assert areas.current(HOP_THANH, DAY) == CAM_DUONG
    assert areas.current(CAM_DUONG, DAY) == CAM_DUONG
    assert HOP_THANH in {one.area_id for one in areas.former(CAM_DUONG, DAY)}


def test_who_may_be_addressed_are_the_units_of_today_and_of_days_to_come() -> None:
    assert {YEN_BAI, NGUYEN_THAI_HOC, PROVINCE} < set(AREAS.lasting(EVE))
    assert YEN_BAI not in AREAS.lasting(DAY)
    assert load().lasting(EVE) == [area.area_id for area in load().on(EVE)]


def test_what_is_written_reads_back_and_has_the_same_fingerprint(tmp_path: Path) -> None:
    read = load(write(tmp_path / "areas", *rows()))
    assert read.by_id == AREAS.by_id
    assert list(read.lineage) == list(AREAS.lineage)
    assert read.fingerprint == AREAS.fingerprint


def test_the_fingerprint_tells_what_moves_subjects_and_nothing_else() -> None:
    units, lineage = rows()
    assert load().fingerprint == load().fingerprint != AREAS.fingerprint
    assert reformed(AFTER).fingerprint != AREAS.fingerprint
    renamed = [replace(one, name=f"{one.name}!", latitude=0.0) for one in units]
    assert Areas(renamed[::-1], lineage[::-1]).fingerprint == AREAS.fingerprint
    other_heir = [
        replace(one, takes_residents=not one.takes_residents)
        if one.from_area_id == LAO_CAI
        else one
        for one in lineage
    ]
    assert Areas(units, other_heir).fingerprint != AREAS.fingerprint


def test_the_fingerprint_stays_from_release_to_release() -> None:
    def unit(area_id: str, first: date | None, last: date | None) -> Area:
        return Area(
            area_id, area_id[2:], "Xã Ví Dụ", "commune", "a:15", first, last, None, None, None
        )

    areas = Areas(
        [PROVINCE_A, unit("a:00001", None, EVE), unit("b:00002", DAY, None)],
        [Succession("a:00001", "b:00002", DAY, 1)],
    )
    assert areas.fingerprint[:16] == "030107348e2405e8"
