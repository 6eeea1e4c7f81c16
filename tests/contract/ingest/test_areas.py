"""Codes are read as of the event's day, by the units of the province that ingest was given."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.ingest.app import build
from services.ingest.settings import AreaSettings
from tests.contract.ingest.service import Ingest, Keys, running, settings_for
from tests.fakes.reform import rows, write

MakeEvent = Callable[..., dict[str, Any]]
REFORM = date(2026, 11, 1)


def registered(event: MakeEvent, code: str, day: str) -> dict[str, Any]:
    return event(
        type="vn.nhipso.identity.citizen-registered.v1",
        time=f"{day}T08:30:00+07:00",
        data={"birth_date": "1990-05-17", "area": code, "party_member": False},
    )


CASES = [
    # The new commune of the merger, from its first day on.
    ("02672", "2026-11-01", True),
    ("02672", "2026-10-31", False),
    # The merged one, until its last day, and however late the event.
    ("02671", "2026-10-31", True),
    ("02671", "2026-11-01", False),
    # Used again: another unit, and never unknown.
    ("02680", "2026-10-31", True),
    ("02680", "2026-11-01", True),
    # Of the reform before.
    ("02635", "2025-06-30", True),
    ("02635", "2025-07-01", False),
]


@pytest.mark.timeout(60)
async def test_the_units_of_the_folder_decide(
    kafka: str, database: str, keys: Keys, tmp_path: Path, event: MakeEvent
) -> None:
    folder = write(tmp_path, *rows(REFORM))
    settings = settings_for(keys, kafka, database).model_copy(
        update={"areas": AreaSettings(folder=folder)}
    )
    async with running(settings, keys) as reformed:
        for code, day, known in CASES:
            answer = await answered(reformed, registered(event, code, day))
            assert answer == ("accepted" if known else "unknown-area"), (code, day)


async def test_without_a_folder_those_that_ship_do(ingest: Ingest, event: MakeEvent) -> None:
    assert await answered(ingest, registered(event, "02672", "2026-11-01")) == "unknown-area"
    assert await answered(ingest, registered(event, "02671", "2026-11-01")) == "accepted"


async def answered(service: Ingest, sent: dict[str, Any]) -> str:
    _, answer, _ = await service.post(sent)
    if answer["accepted"]:
        return "accepted"
    [rejected] = answer["rejected"]
    return str(rejected["reason"])


def test_units_that_do_not_hold_together_stop_the_start(tmp_path: Path, keys: Keys) -> None:
    units, lineage = rows(REFORM)
    nobody = [one for one in lineage if one.effective_on != REFORM]
    folder = write(tmp_path, units, nobody)
    settings = settings_for(keys, "127.0.0.1:1", "postgresql://127.0.0.1:1/none").model_copy(
        update={"areas": AreaSettings(folder=folder)}
    )
    with pytest.raises(ValueError, match=r"areas\.csv.* ends on 2026-10-31 without a successor"):
        build(settings)
