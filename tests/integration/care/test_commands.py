"""The commands as a user calls them: what they print, and their exit codes."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from contracts import catalogue as room
from services.scoring.taking_up import take_up
from tests.integration.bench.command import run
from tests.integration.care.conftest import Line
from tests.integration.scoring.invented import NOW, paid, registered, smartphone


@pytest.fixture
async def filled(line: Line) -> Line:
    """Ten adults who have paid, six with a smartphone."""
    await take_up(line.pool, line.rules.catalogue, NOW)
    for values in (
        [registered(number) for number in range(10)],
        [smartphone(number) for number in range(6)],
        [paid(number, "2026-11-20T08:00:00Z") for number in range(10)],
    ):
        await line.take(0, *values)
    await line.roll_up()
    return line


@pytest.fixture
def shorter_window(tmp_path: Path) -> Path:
    """A catalogue in which a payment counts for a day."""
    folder = tmp_path / "catalogue"
    shutil.copytree(Path(room.__file__).parent, folder)
    rules = yaml.safe_load((folder / "rules.yaml").read_text(encoding="utf-8"))
    rules["conditions"]["payment-in-90-days"]["within_days"] = 0
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules, allow_unicode=True), "utf-8")
    return folder


async def test_reconcile_tells_that_all_is_well(filled: Line) -> None:
    code, said, complained = await run("reconcile", "--postgres", filled.dsn)
    assert code == 0, complained
    assert said == "10 subjects in 1 shards counted over\nno difference\n"


async def test_reconcile_names_what_is_wrong(filled: Line) -> None:
    await filled.pool.execute("UPDATE counters SET numerators[16] = 9")
    code, said, complained = await run("reconcile", "--postgres", filled.dsn, "--first", "1")
    assert code == 1, complained
    assert "1 counters that are not the sum of their subjects:" in said
    assert "  shard 0: 2025:02647 ds.smartphone is 9 / 10, its subjects are 6 / 10\n" in said
    assert "2 figures that are not the sum of their counters:" in said
    assert "and 1 more" in said
    code, said, _ = await run("reconcile", "--postgres", filled.dsn, "--json")
    assert code == 1
    assert json.loads(said)["wrong_figures"]["count"] == 2


async def test_rebuild_says_what_was_wrong_and_puts_it_right(filled: Line, tmp_path: Path) -> None:
    dsn = tmp_path / "dsn"
    dsn.write_text(filled.dsn)
    at = ("--bootstrap", filled.kafka, "--postgres-file", str(dsn))
    await filled.pool.execute("UPDATE counters SET numerators[16] = 9")
    code, said, complained = await run("rebuild", *at, "--dry-run")
    assert code == 1, complained
    assert "26 events read, 1 shards compared" in said
    assert "ds.smartphone" in said
    assert "9 / 10" in said
    code, _, complained = await run("rebuild", *at)
    assert code == 1, complained
    code, said, complained = await run("rebuild", *at)
    assert code == 0, complained
    assert said == "26 events read, 1 shards switched\nno counter differs\n"
    await filled.roll_up()
    code, said, complained = await run("reconcile", "--postgres", filled.dsn)
    assert code == 0, complained


async def test_catalogue_diff_tells_who_would_lose(filled: Line, shorter_window: Path) -> None:
    code, said, complained = await run(
        "catalogue", "diff", str(shorter_window), "--postgres", filled.dsn, "--by-unit"
    )
    assert code == 0, complained
    assert '{"fact":"payment","within_days":0}' in said
    assert "10 → 0" in said
    assert "Phường Lào Cai (2025:02647)" in said
    assert "100.00 %" in said
    code, said, _ = await run(
        "catalogue", "diff", str(shorter_window), "--postgres", filled.dsn, "--json"
    )
    assert code == 0
    (total,) = json.loads(said)["totals"]
    assert total["lost"] == {"numerator": 10, "denominator": 0}


async def test_a_catalogue_that_would_misread_the_state_is_refused(
    filled: Line, shorter_window: Path
) -> None:
    path = shorter_window / "digital-citizen.yaml"
    path.write_text(path.read_text("utf-8").replace("bit: 0\n", "bit: 62\n"), "utf-8")
    code, _, complained = await run(
        "catalogue", "diff", str(shorter_window), "--postgres", filled.dsn
    )
    assert code == 2
    assert "the bit of dc.1.1 is 62, and was 0" in complained


async def test_a_server_that_is_not_there_is_said_without_its_password(filled: Line) -> None:
    gone = "postgresql://nhipso:secret@127.0.0.1:1/nothing"
    for arguments in (("reconcile",), ("rebuild", "--bootstrap", filled.kafka)):
        code, _, complained = await run(*arguments, "--postgres", gone)
        assert code == 3
        assert "secret" not in complained
    code, _, complained = await run(
        "rebuild", "--bootstrap", "127.0.0.1:1", "--postgres", filled.dsn
    )
    assert code == 3, complained
    assert "Unclosed" not in complained
    assert complained.count("KafkaConnectionError") == 1
