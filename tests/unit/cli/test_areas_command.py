"""`nhipso areas check`: what new files of units would do, and whether they may be used."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.areas import Succession, load
from tests.fakes.reform import (
    CAM_DUONG,
    DAY,
    HOP_THANH,
    KIM_TAN,
    LAO_CAI,
    NEW_CAM_DUONG,
    NEW_LAO_CAI,
    rows,
    write,
)

Run = Callable[..., Any]


def line_of(out: str, *words: str) -> str:
    """The one line of the output that holds all these words."""
    (found,) = [line for line in out.splitlines() if all(word in line for word in words)]
    return found


def test_a_reform_is_told_by_day_and_kind(nhipso: Run, tmp_path: Path) -> None:
    told = nhipso("areas", "check", str(write(tmp_path, *rows())))
    assert (told.code, told.err) == (0, "")
    # Cells are wider than a line of a pipe, so only what is never folded is looked for.
    assert [line.split()[:2] for line in told.out.splitlines() if "  2027-" in line[:8]] == [
        ["2027-01-01", "merged"],
        ["2027-01-01", "split"],
        ["2027-01-01", "renamed"],
        ["2027-01-01", "code"],
    ]
    assert "Phường Cam Đường (2025:02671)" in told.out
    assert "99 communes before, 99 from then on" in told.out


def test_both_files_may_be_named_and_the_lineage_is_found_beside_the_units(
    nhipso: Run, tmp_path: Path
) -> None:
    folder = write(tmp_path, *rows())
    named = nhipso("areas", "check", str(folder / "areas.csv"), str(folder / "area_lineage.csv"))
    beside = nhipso("areas", "check", str(folder / "areas.csv"))
    assert named.code == beside.code == 0
    assert named.out == beside.out


def test_the_units_in_force_change_nothing(nhipso: Run, tmp_path: Path) -> None:
    folder = write(tmp_path, *rows())
    told = nhipso("areas", "check", str(folder), "--areas", str(folder))
    assert (told.code, told.out) == (0, "these are the units in force: nothing would change\n")


def test_a_split_without_an_heir_is_shown_and_refused(nhipso: Run, tmp_path: Path) -> None:
    units, lineage = rows()
    nobody = [replace(one, takes_residents=None) for one in lineage]
    told = nhipso("areas", "check", str(write(tmp_path, units, nobody)))
    assert told.code == 1
    assert "nobody named" in line_of(told.out, "split  ")
    assert "say takes_residents yes for exactly one" in line_of(told.out, "wrong: ", LAO_CAI)


def test_a_commune_without_successor_is_shown_and_refused(nhipso: Run, tmp_path: Path) -> None:
    units, lineage = rows()
    told = nhipso(
        "areas",
        "check",
        str(write(tmp_path, units, [one for one in lineage if one.from_area_id != HOP_THANH])),
    )
    assert told.code == 1
    assert "nowhere" in line_of(told.out, "without successor")
    assert HOP_THANH in line_of(told.out, "wrong: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "02999", "area_id": "2025:02999"}, f"area {CAM_DUONG} is missing"),
        ({"valid_from": None}, f"area {CAM_DUONG} has the valid_from open"),
        ({"parent_id": "legacy:15"}, f"area {CAM_DUONG} has the parent_id legacy:15"),
    ],
)
def test_the_past_is_not_rewritten(
    nhipso: Run, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    units = [replace(area, **change) if area.area_id == CAM_DUONG else area for area in load()]
    told = nhipso("areas", "check", str(write(tmp_path, units, list(load().lineage))))
    assert told.code == 1
    assert said in told.out


def test_a_name_may_be_corrected(nhipso: Run, tmp_path: Path) -> None:
    units = [
        replace(area, name="Phường Lào-Cai") if area.area_id == LAO_CAI else area for area in load()
    ]
    told = nhipso("areas", "check", str(write(tmp_path, units, list(load().lineage))))
    assert told.code == 0
    assert "Phường Lào-Cai" in line_of(told.out, "corrected")


def test_a_unit_that_takes_another_in_goes_on(nhipso: Run, tmp_path: Path) -> None:
    units = [
        replace(area, valid_to=DAY - timedelta(days=1)) if area.area_id == HOP_THANH else area
        for area in load()
    ]
    lineage = [*load().lineage, Succession(HOP_THANH, CAM_DUONG, DAY, 1)]
    told = nhipso("areas", "check", str(write(tmp_path, units, lineage)))
    assert told.code == 0, told.out
    assert "it goes on" in told.out
    assert "99 communes before, 98 from then on" in told.out


def test_files_that_cannot_be_read_are_exit_code_2(nhipso: Run, tmp_path: Path) -> None:
    told = nhipso("areas", "check", str(tmp_path / "none"))
    assert told.code == 2
    assert "cannot read" in told.err
    three = [str(tmp_path / name) for name in "abc"]
    assert nhipso("areas", "check", *three).code == 2


def test_the_folder_of_the_services_is_taken_from_their_variable(
    nhipso: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NHIPSO_AREAS__FOLDER", str(write(tmp_path / "new", *rows())))
    told = nhipso("areas", "check", "contracts/data")
    assert told.code == 1
    for unit in (NEW_CAM_DUONG, NEW_LAO_CAI, KIM_TAN):
        assert f"area {unit} is missing" in told.out
