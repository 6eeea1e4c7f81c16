"""`nhipso reports` against a running ingest."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from contracts.times import LOCAL_ZONE
from services.chassis.clock import FixedClock
from services.cli.__main__ import main
from tests.contract.ingest.service import Ingest, Keys, running, settings_for
from tests.unit.ingest.reports.workbooks import refilled

UNIT = "2025:04252"
TEAMS = "nf.community-teams"


class Command:
    """The command, with the endpoints of a running ingest, in a folder of its own."""

    def __init__(self, ingest: Ingest, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self._endpoints = folder / "endpoints.json"
        token = ingest.keys.token
        tokens = {
            "operator": token(sub="operator", role="operator"),
            f"unit:{UNIT}": token(sub=f"unit:{UNIT}", role="unit", areas=[UNIT]),
        }
        self._endpoints.write_text(json.dumps({"ingest": ingest.url, "tokens": tokens}))

    async def __call__(self, *arguments: str) -> tuple[int, str]:
        """Run `nhipso reports`: exit code, and what was printed."""
        whole = ["reports", *arguments, "--endpoints", str(self._endpoints)]
        self._capsys.readouterr()
        code = await asyncio.to_thread(main, whole)
        said = self._capsys.readouterr()
        return code, said.out + said.err


@pytest.fixture
async def nhipso(
    kafka: str,
    database: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Command]:
    keys = Keys(tmp_path)
    keys.write()
    clock = FixedClock(datetime(2026, 11, 3, 9, tzinfo=LOCAL_ZONE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NHIPSO_TOKEN", raising=False)
    async with running(settings_for(keys, kafka, database), keys, clock) as ingest:
        yield Command(ingest, tmp_path, capsys)


async def test_a_form_is_fetched_sent_corrected_and_listed(nhipso: Command) -> None:
    code, said = await nhipso("template", "04252", "2026-10")
    assert code == 0
    form = nhipso.folder / "bao-cao-2025-04252-2026-10.xlsx"
    assert form.name in said
    blank = form.read_bytes()
    assert blank[:2] == b"PK"

    form.write_bytes(refilled({TEAMS: {"numerator": 15, "denominator": 14}}, blank))
    code, said = await nhipso("send", str(form))
    assert code == 1
    assert "Tử số 15 lớn hơn mẫu số 14." in said
    assert "F10" in said
    code, said = await nhipso("send", str(form), "--lang", "en")
    assert "The numerator 15 is above the denominator 14." in said
    code, said = await nhipso("list")
    assert (code, said.strip()) == (0, "no reports")

    form.write_bytes(refilled({TEAMS: {"numerator": 12, "denominator": 14}}, blank))
    code, said = await nhipso("send", str(form), "--area", "04252")
    assert code == 0
    assert "2025:04252 2026-10: accepted as version 1 (1 new)" in said
    code, said = await nhipso("send", str(form))
    assert (code, "is already version 1" in said) == (0, True)

    code, said = await nhipso("list", "--area", "04252", "--period", "2026-10")
    assert code == 0
    assert "accepted" in said
    assert f"unit:{UNIT} (unit)" in said


async def test_a_form_is_not_written_over_what_somebody_has_filled_in(nhipso: Command) -> None:
    assert (await nhipso("template", "04252", "2026-10", "--out", "mine.xlsx"))[0] == 0
    code, said = await nhipso("template", "04252", "2026-10", "--out", "mine.xlsx")
    assert code == 2
    assert "is there already" in said
    assert (await nhipso("template", "04252", "2026-10", "--out", "mine.xlsx", "--force"))[0] == 0


async def test_csv_is_told_whose_report_it_is(nhipso: Command) -> None:
    (nhipso.folder / "report.csv").write_text(f"Mã;Tử số;Mẫu số\n{TEAMS};12;14\n")
    code, said = await nhipso("send", "report.csv")
    assert code == 1
    assert "?area=…&period=…" in said
    code, said = await nhipso(
        "send", "report.csv", "--area", "04252", "--period", "2026-10", "--json"
    )
    assert code == 0
    # Ingest runs in this process, and its log stands around what the command says.
    answer, _ = json.JSONDecoder().raw_decode(said[said.index("{\n") :])
    assert answer["figures"][0]["numerator"] == 12


async def test_what_cannot_be_sent_says_why(nhipso: Command) -> None:
    (nhipso.folder / "report.pdf").write_bytes(b"%PDF")
    code, said = await nhipso("send", "report.pdf")
    assert (code, ".xlsx" in said) == (2, True)
    code, said = await nhipso("send", "nowhere.xlsx")
    assert (code, "cannot be read" in said) == (2, True)
    code, said = await nhipso("template", "2025:15", "2026-H1")
    assert code == 2
    assert "6 tháng đầu năm 2026" in said
