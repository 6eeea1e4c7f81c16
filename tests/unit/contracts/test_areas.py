from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.areas import load

BEFORE = date(2025, 6, 30)
SINCE = date(2025, 7, 1)
TODAY = date(2026, 11, 22)
PROVINCE = "2025:15"
AREAS = load()


def test_a_reused_code_is_another_unit_before_and_after_the_reform() -> None:
    before, since = AREAS.commune("02647", BEFORE), AREAS.commune("02647", SINCE)
    assert before is not None
    assert since is not None
    assert (before.area_id, before.name) == ("legacy:02647", "Phường Kim Tân")
    assert (since.area_id, since.name) == ("2025:02647", "Phường Lào Cai")


def test_no_code_names_two_units_on_one_day() -> None:
    for day in (date(2000, 1, 1), BEFORE, SINCE, TODAY):
        codes = Counter((area.code, area.level) for area in AREAS.on(day))
        assert max(codes.values()) == 1


@pytest.mark.parametrize("code", ["15", "132", "99999", "", "2647", "2025:02647"])
def test_a_code_that_is_no_commune_on_that_day_is_unknown(code: str) -> None:
    assert AREAS.commune(code, TODAY) is None
    assert AREAS.commune(code, BEFORE) is None


def test_a_code_that_the_reform_ended_is_unknown_since() -> None:
    assert AREAS.commune("02635", BEFORE) is not None
    assert AREAS.commune("02635", SINCE) is None


def test_the_merged_province_has_99_communes_and_no_districts() -> None:
    today = AREAS.on(TODAY)
    assert Counter(area.level for area in today) == {"province": 1, "commune": 99}
    assert [area.area_id for area in today if area.level == "province"] == [PROVINCE]
    assert len(AREAS.children(PROVINCE)) == 99
    assert len(AREAS.below(PROVINCE)) == 100


def test_before_the_reform_there_were_two_provinces_with_districts() -> None:
    levels = Counter(area.level for area in AREAS.on(BEFORE))
    assert levels["province"] == 2
    assert levels["commune"] == 319
    assert levels["district"] > 0


def test_every_old_commune_ends_in_one_that_is_valid_today() -> None:
    old = [area for area in AREAS.on(BEFORE) if area.level == "commune"]
    assert len(old) == 319
    for area in old:
        successor = AREAS[AREAS.current(area.area_id, TODAY)]
        assert successor.is_valid(TODAY)
        assert (successor.level, successor.parent_id) == ("commune", PROVINCE)
        assert AREAS.current(area.area_id, BEFORE) == area.area_id


@given(
    told_on=st.dates(date(2000, 1, 1), date(2026, 11, 22)),
    later=st.dates(date(2026, 11, 22), date(2100, 1, 1)),
    which=st.integers(0, 10_000),
)
def test_every_commune_of_any_day_leads_to_one_unit_of_every_later_day(
    told_on: date, later: date, which: int
) -> None:
    communes = [area for area in AREAS.on(told_on) if area.level == "commune"]
    told = communes[which % len(communes)]
    assert AREAS.commune(told.code, told_on) == told
    stands = AREAS[AREAS.current(told.area_id, later)]
    assert stands.is_valid(later)
    assert stands.level == "commune"
    carried = AREAS.carried(told.area_id, later)
    assert carried is not None
    assert (carried.area_id, carried.whole) == (stands.area_id, True)


def test_every_commune_of_today_took_over_from_an_old_one() -> None:
    old = [area.area_id for area in AREAS.on(BEFORE) if area.level == "commune"]
    successors = {AREAS.current(area_id, TODAY) for area_id in old}
    assert successors == {area.area_id for area in AREAS.on(TODAY) if area.level == "commune"}


def test_the_former_units_of_today_s_communes_are_all_the_old_ones_each_once() -> None:
    now = [area for area in AREAS.on(TODAY) if area.level == "commune"]
    former = [one for area in now for one in AREAS.former(area.area_id, TODAY)]
    assert len({one.area_id for one in former}) == len(former) == 319
    assert {(one.first, one.last, one.whole) for one in former} == {(None, BEFORE, True)}
    assert all(AREAS.former(area.area_id, BEFORE) == [] for area in now)


def test_both_old_provinces_end_in_the_merged_one() -> None:
    assert {AREAS.current(old, TODAY) for old in ("legacy:15", "legacy:10")} == {PROVINCE}
    assert {one.area_id for one in AREAS.former(PROVINCE, TODAY)} == {"legacy:15", "legacy:10"}


def test_a_district_ended_and_nothing_took_over() -> None:
    assert AREAS.current("legacy:132", TODAY) == "legacy:132"
    assert AREAS.carried("legacy:132", TODAY) is None


def test_a_unit_is_carried_to_nothing_before_it_exists() -> None:
    assert AREAS.carried("2025:02647", BEFORE) is None


def test_the_day_of_the_next_succession_lies_ahead() -> None:
    assert AREAS.next_succession("legacy:02647", BEFORE) == SINCE
    assert AREAS.next_succession("legacy:02647", SINCE) is None
    assert AREAS.next_succession("2025:02647", TODAY) is None


def test_every_unit_hangs_below_a_province_of_its_time() -> None:
    above = {"commune": {"district", "province"}, "district": {"province"}}
    for area in AREAS:
        chain = [AREAS[area_id] for area_id in AREAS.lineage_upward(area.area_id)]
        assert chain[0] == area
        assert chain[-1].level == "province"
        for lower, upper in pairwise(chain):
            assert upper.level in above[lower.level]
            assert (lower.valid_from, lower.valid_to) == (upper.valid_from, upper.valid_to)
            assert lower in AREAS.children(upper.area_id)


def test_an_unknown_id_is_none_or_an_error() -> None:
    assert AREAS.get("2025:99999") is None
    with pytest.raises(KeyError):
        AREAS["2025:99999"]
