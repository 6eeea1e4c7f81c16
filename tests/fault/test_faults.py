"""The fault suite in its short form: each kind of fault once. The long one is `make test-fault`."""

import ast
import os
import secrets
import shutil
from pathlib import Path
from typing import Final

import pytest

from services.chassis import failpoints
from tests.fault.mutants import ALL, CHECKOUT
from tests.fault.mutations import Mutant, plant
from tests.fault.plan import KIND_OF, KINDS, POINTS, plan, read
from tests.fault.suite import run

EVENTS: Final = 8_000
SERVICES: Final = Path(failpoints.__file__).parents[1]


# The suite gives up by itself, and says on what.
@pytest.mark.timeout(900)
async def test_whatever_strikes_each_event_counts_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("FAULT_SEED", secrets.randbelow(10**6)))
    said: list[str] = []
    try:
        report = await run(tmp_path, seed, EVENTS, plan(seed, len(KINDS)), said.append)
    except Exception as error:
        error.add_note("\n".join([f"FAULT_SEED={seed}", *said]))
        raise
    assert report.is_right, report.table()
    assert {KIND_OF[fault] for fault in report.struck} == set(KINDS)


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_has_every_kind_and_then_every_fault(seed: int) -> None:
    kinds = [fault for volley in plan(seed, len(KINDS)) for fault in volley]
    assert sorted(KIND_OF[fault] for fault in kinds) == sorted(KINDS)
    faults = [fault for volley in plan(seed, len(KIND_OF)) for fault in volley]
    assert sorted(faults) == sorted(KIND_OF)
    assert sum(len(volley) for volley in plan(seed, 60)) == 60
    for volley in plan(seed, 60):
        points = [fault.place for fault in volley if fault.place in POINTS]
        assert len(set(points)) == len(points)


def test_a_seed_decides_the_plan() -> None:
    assert plan(1, 60) == plan(1, 60) != plan(2, 60)


def test_a_plan_that_is_written_is_read() -> None:
    (one, two), (three,) = read("kill broker, join worker; terminate  commit.after-record")
    assert [str(one), str(two), str(three)] == [
        "kill broker",
        "join worker",
        "terminate commit.after-record",
    ]
    with pytest.raises(ValueError, match="no fault 'kill time'"):
        read("kill time")


@pytest.mark.parametrize("point", POINTS)
def test_each_point_stands_once_in_the_sources(point: str) -> None:
    sources = [file.read_text(encoding="utf-8") for file in SERVICES.rglob("*.py")]
    assert sum(source.count(f'failpoint("{point}")') for source in sources) == 1


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_each_mutant_finds_the_text_that_it_replaces(mutant: Mutant, tmp_path: Path) -> None:
    for edit in mutant.edits:
        (tmp_path / edit.file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / edit.file, tmp_path / edit.file)
    plant(mutant, tmp_path)
    for file in {edit.file for edit in mutant.edits}:
        if file.endswith(".py"):
            ast.parse((tmp_path / file).read_text(encoding="utf-8"))
