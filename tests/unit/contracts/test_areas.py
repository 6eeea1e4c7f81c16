from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from contracts.areas import Area, Areas, Level, Succession, load, read

BEFORE = date(2025, 6, 30)
SINCE = date(2025, 7, 1)
TODAY = date(2026, 11, 22)
PROVINCE = "2025:15"
AREAS = load()


def unit(area_id: str, parent: str | None = None, level: Level = "commune") -> Area:
    code = area_id.rpartition(":")[2]
    return Area(area_id, code, f"Unit {code}", level, parent, None, None, None, None, None)


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


def test_every_commune_of_today_took_over_from_an_old_one() -> None:
    old = [area.area_id for area in AREAS.on(BEFORE) if area.level == "commune"]
    successors = {AREAS.current(area_id, TODAY) for area_id in old}
    assert successors == {area.area_id for area in AREAS.on(TODAY) if area.level == "commune"}


def test_both_old_provinces_end_in_the_merged_one() -> None:
    assert {AREAS.current(old, TODAY) for old in ("legacy:15", "legacy:10")} == {PROVINCE}


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


def test_a_split_raises_because_nobody_knows_where_each_subject_went() -> None:
    areas = Areas(
        [unit("a:00001"), unit("b:00002"), unit("b:00003")],
        [
            Succession("a:00001", "b:00002", SINCE, 2),
            Succession("a:00001", "b:00003", SINCE, 2),
        ],
    )
    assert areas.current("a:00001", BEFORE) == "a:00001"
    with pytest.raises(LookupError, match=r"a:00001 was split into b:00002, b:00003"):
        areas.current("a:00001", SINCE)


def test_a_part_that_alone_is_known_of_a_split_does_not_stand_for_the_whole() -> None:
    areas = Areas([unit("a:00001"), unit("b:00002")], [Succession("a:00001", "b:00002", SINCE, 2)])
    with pytest.raises(LookupError, match=r"a:00001 was split into 2 parts"):
        areas.current("a:00001", SINCE)


def test_two_reforms_lead_to_the_last_successor() -> None:
    later = date(2030, 1, 1)
    areas = Areas(
        [unit("a:00001"), unit("b:00002"), unit("c:00003")],
        [
            Succession("a:00001", "b:00002", SINCE, 1),
            Succession("b:00002", "c:00003", later, 1),
        ],
    )
    assert areas.current("a:00001", SINCE) == "b:00002"
    assert areas.current("a:00001", later) == "c:00003"


def test_data_that_do_not_hang_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a:00001 has an unknown parent a:9"):
        Areas([unit("a:00001", "a:9")], [])
    with pytest.raises(ValueError, match=r"unknown area b:00002"):
        Areas([unit("a:00001")], [Succession("a:00001", "b:00002", SINCE, 1)])
    with pytest.raises(ValueError, match=r"two units are called a:00001"):
        Areas([unit("a:00001"), unit("a:00001")], [])
    with pytest.raises(ValueError, match=r"a:00001.*runs in a circle"):
        Areas(
            [unit("a:00001"), unit("b:00002")],
            [
                Succession("a:00001", "b:00002", SINCE, 1),
                Succession("b:00002", "a:00001", SINCE, 1),
            ],
        )
    with pytest.raises(ValueError, match=r"a:00001.*runs in a circle"):
        Areas([unit("a:00001", "a:00001")], [])


def test_a_malformed_file_is_refused_with_the_unit(tmp_path: Path) -> None:
    header = "area_id,code,name,level,parent_id,valid_from,valid_to,latitude,longitude,area_km2\n"
    areas, lineage = tmp_path / "areas.csv", tmp_path / "area_lineage.csv"
    lineage.write_text("from_area_id,to_area_id,effective_on,from_parts\n", encoding="utf-8")
    areas.write_text(header + "a:1,1,One,hamlet,,,,,,\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a:1 has an unknown level hamlet"):
        read(areas, lineage)
