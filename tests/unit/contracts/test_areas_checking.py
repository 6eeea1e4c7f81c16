"""Data under which somebody would count nowhere, twice or by chance are refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from contracts.areas import Area, Areas, AreasError, Level, Succession, load, read
from contracts.areas.checking import problems
from tests.fakes.reform import write

DAY = date(2027, 1, 1)
EVE = date(2026, 12, 31)
PROVINCE = Area("a:15", "15", "Tỉnh Ví Dụ", "province", None, None, None, None, None, None)


def unit(
    area_id: str,
    first: date | None = None,
    last: date | None = None,
    *,
    parent: str | None = "a:15",
    level: Level = "commune",
) -> Area:
    code = area_id.partition(":")[2]
    return Area(area_id, code, f"Unit {code}", level, parent, first, last, None, None, None)


OLD = unit("a:00001", None, EVE)
HALF, REST = unit("b:00002", DAY), unit("b:00003", DAY)
SPLIT = [
    Succession("a:00001", "b:00002", DAY, 2, takes_residents=True),
    Succession("a:00001", "b:00003", DAY, 2, takes_residents=False),
]


def test_a_split_with_one_heir_holds_together() -> None:
    assert problems([PROVINCE, OLD, HALF, REST], SPLIT) == []


@pytest.mark.parametrize("takes", [[None, None], [False, False], [None, False]])
def test_a_split_that_names_nobody_to_take_the_residents_is_refused(
    takes: list[bool | None],
) -> None:
    lineage = [replace(one, takes_residents=said) for one, said in zip(SPLIT, takes, strict=True)]
    with pytest.raises(AreasError, match=r"a:00001 was split into b:00002, b:00003.*none of them"):
        Areas([PROVINCE, OLD, HALF, REST], lineage)


def test_a_split_that_names_two_is_refused() -> None:
    lineage = [replace(one, takes_residents=True) for one in SPLIT]
    with pytest.raises(AreasError, match=r"2 of them take its residents.*exactly one"):
        Areas([PROVINCE, OLD, HALF, REST], lineage)


def test_a_part_may_lie_outside_the_data_as_long_as_the_heir_does_not() -> None:
    assert Areas([PROVINCE, OLD, HALF], SPLIT[:1]).current("a:00001", DAY) == "b:00002"
    with pytest.raises(AreasError, match="none of them take its residents"):
        Areas([PROVINCE, OLD, REST], SPLIT[1:])


WRONG: list[tuple[str, list[Area], list[Succession], str]] = [
    ("unknown parent", [unit("a:00001", parent="a:9")], [], "a:00001 has an unknown parent a:9"),
    ("no parent", [unit("a:00001", parent=None)], [], "the commune a:00001 has no parent"),
    (
        "above its parent",
        [PROVINCE, unit("a:132", level="district"), unit("a:9", level="province", parent="a:132")],
        [],
        "the province a:9 cannot lie in the district a:132",
    ),
    ("twice", [PROVINCE, PROVINCE], [], "two units are called a:15"),
    (
        "an id that is not made of the code",
        [PROVINCE, replace(unit("a:00001"), code="00002")],
        [],
        "the id of area a:00001 must be <code system>:00002",
    ),
    ("a short code", [PROVINCE, unit("a:0001")], [], "commune a:0001 must have five digits"),
    (
        "other digits",
        [PROVINCE, replace(unit("a:٠٠٠٠١"), name="x")],
        [],
        "must have five digits",
    ),
    (
        "ends before it begins",
        [PROVINCE, unit("a:00001", DAY, EVE)],
        [],
        "area a:00001 ends on 2026-12-31, before it begins",
    ),
    (
        "outlives its parent",
        [replace(PROVINCE, valid_to=EVE), unit("a:00001")],
        [],
        "area a:00001 exists on days on which its parent a:15 does not",
    ),
    (
        "a code of two on one day",
        [PROVINCE, unit("a:00001"), unit("b:00001", DAY)],
        [],
        "the commune code 00001 names a:00001 and b:00001 on 2027-01-01",
    ),
    (
        "no successor",
        [PROVINCE, OLD],
        [],
        "commune a:00001 ends on 2026-12-31 without a successor",
    ),
    (
        "an unknown successor",
        [PROVINCE, OLD],
        [Succession("a:00001", "b:00009", DAY, 1)],
        "the lineage names an unknown area b:00009",
    ),
    (
        "an open unit that another takes over",
        [PROVINCE, unit("a:00001"), HALF],
        [Succession("a:00001", "b:00002", DAY, 1)],
        "its last day (valid_to) must be 2026-12-31, not open",
    ),
    (
        "a successor that is not there yet",
        [PROVINCE, OLD, unit("b:00002", date(2027, 2, 1))],
        [Succession("a:00001", "b:00002", DAY, 1)],
        "b:00002 takes over a:00001 on 2027-01-01, but does not exist then",
    ),
    (
        "a successor of another level",
        [PROVINCE, OLD],
        [Succession("a:00001", "a:15", DAY, 1)],
        "the commune a:00001 cannot go to the province a:15",
    ),
    (
        "two whole successors",
        [PROVINCE, OLD, HALF, REST],
        [replace(one, from_parts=1) for one in SPLIT],
        "a:00001 was split into b:00002, b:00003, more than 1 parts",
    ),
    (
        "successors on two days",
        [PROVINCE, OLD, HALF, REST],
        [SPLIT[0], replace(SPLIT[1], effective_on=date(2028, 1, 1))],
        "the successors of area a:00001 must share effective_on and from_parts",
    ),
    (
        "one successor twice",
        [PROVINCE, OLD, HALF],
        [SPLIT[0], SPLIT[0]],
        "name each successor once",
    ),
    (
        "lineage in a circle",
        [PROVINCE, OLD, HALF],
        [Succession("a:00001", "b:00002", DAY, 1), Succession("b:00002", "a:00001", DAY, 1)],
        "the lineage of area a:00001 runs in a circle",
    ),
    (
        "parents in a circle",
        [
            unit("a:132", parent="a:133", level="district"),
            unit("a:133", parent="a:132", level="district"),
        ],
        [],
        "the chain of parents of area a:132 runs in a circle",
    ),
]


@pytest.mark.parametrize(
    ("units", "lineage", "said"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_is_refused(units: list[Area], lineage: list[Succession], said: str) -> None:
    with pytest.raises(AreasError) as caught:
        Areas(units, lineage)
    assert said in str(caught.value)


def test_a_long_list_of_problems_is_cut_short() -> None:
    with pytest.raises(AreasError, match=r"; and 3 more$"):
        Areas([PROVINCE, *(unit(f"a:0000{at}", None, EVE) for at in range(8))], [])


Spoil = Callable[[str], str]


@pytest.mark.parametrize(
    ("file", "spoil", "said"),
    [
        ("areas.csv", lambda text: text.replace("commune", "hamlet"), "line 3: area a:00001 has"),
        (
            "areas.csv",
            lambda text: text.replace("parent_id", "parent"),
            "has no column 'parent_id'",
        ),
        ("areas.csv", lambda text: text.replace("2026-12-31", "31/12/2026"), "line 3: Invalid iso"),
        ("areas.csv", lambda text: text.replace(",,\n", "\n"), "more or fewer fields"),
        ("areas.csv", lambda text: text.replace("\n", ",\n").replace("2,\n", "2\n"), "fields"),
        ("area_lineage.csv", lambda text: text.replace(",2,", ",two,"), "line 2: invalid literal"),
        ("area_lineage.csv", lambda text: text.replace("yes", "da"), "takes_residents is 'da'"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, file: str, spoil: Spoil, said: str) -> None:
    folder = write(tmp_path, [PROVINCE, OLD, HALF, REST], SPLIT)
    path = folder / file
    path.write_text(spoil(path.read_text(encoding="utf-8").replace("\r\n", "\n")), "utf-8")
    with pytest.raises(AreasError, match=str(path)) as caught:
        load(folder)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(AreasError, match=r"cannot read .*areas\.csv: No such file"):
        load(tmp_path / "none")
    folder = write(tmp_path, [PROVINCE], [])
    (folder / "areas.csv").write_bytes(b"area_id\n\xff\xfe")
    with pytest.raises(AreasError, match="no CSV file in UTF-8"):
        load(folder)


def test_files_of_before_splits_were_told_need_no_column_for_them(tmp_path: Path) -> None:
    folder = write(tmp_path, [PROVINCE, OLD, HALF], [Succession("a:00001", "b:00002", DAY, 1)])
    lineage = folder / "area_lineage.csv"
    text = "from_area_id,to_area_id,effective_on,from_parts\na:00001,b:00002,2027-01-01,1\n"
    lineage.write_text(text, encoding="utf-8")
    assert read(folder / "areas.csv", lineage).current("a:00001", DAY) == "b:00002"


def test_what_a_spreadsheet_writes_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path, [PROVINCE, OLD, HALF, REST], SPLIT)
    path = folder / "areas.csv"
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert len(load(folder).by_id) == 4
