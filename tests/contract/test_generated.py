"""What is generated from the contract is what is committed, and shows nobody's number."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.generate import ROOT, drift, generated_files, main, write

LONG_NUMBER = re.compile(r"(?<!\d)\d(?:[ .\-/]?\d){11}(?!\d)")


def test_nothing_has_drifted() -> None:
    assert drift(ROOT) == []


def test_the_command_says_so_by_its_exit_code() -> None:
    command = [sys.executable, "-m", "contracts.generate", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_has_drifted_is_named_and_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    assert drift(tmp_path) == []
    schemas = tmp_path / "contracts" / "generated" / "schemas"
    (schemas / "vn.nhipso.identity.eid-changed.v1.json").write_text("{}", encoding="utf-8")
    (schemas / "vn.nhipso.rejected-event.v1.json").unlink()
    (schemas / "vn.nhipso.left-behind.v1.json").write_text("{}", encoding="utf-8")

    assert main(["--check", "--root", str(tmp_path)]) == 1
    named = capsys.readouterr().err
    for name in ("identity.eid-changed", "rejected-event", "left-behind"):
        assert f"contracts/generated/schemas/vn.nhipso.{name}.v1.json" in named
    assert "python -m contracts.generate" in named

    assert main(["--root", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["--check", "--root", str(tmp_path)]) == 0
    assert write(tmp_path) == []


def test_generating_twice_gives_the_same() -> None:
    assert generated_files() == generated_files()


@pytest.mark.parametrize("path", sorted(generated_files()), ids=str)
def test_no_generated_file_shows_a_number_that_somebody_could_have(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    for number in LONG_NUMBER.findall(text):
        assert number.startswith("000"), number


def test_generated_json_is_json() -> None:
    for path in generated_files():
        if path.suffix == ".json":
            assert json.loads((ROOT / path).read_text(encoding="utf-8"))
