import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.child import Child
from deploy.embedded.errors import StackError
from deploy.embedded.leftovers import end_leftovers, lock, record

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child("sleeper", SLEEPER, tmp_path / "sleeper.log")
    child.start()
    yield child
    child.stop(5)


def test_one_stack_at_a_time_on_a_directory(tmp_path: Path) -> None:
    with lock(tmp_path / "run"), pytest.raises(StackError, match=r"already runs on .*process"):
        lock(tmp_path / "run")
    lock(tmp_path / "run").close()


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StackError, match=r"data.* cannot be written.*--data-dir"):
        lock(tmp_path / "data" / "run")


def test_a_recorded_process_is_ended(tmp_path: Path, child: Child) -> None:
    (tmp_path / "run").mkdir()
    record(tmp_path / "run", [child])

    assert end_leftovers(tmp_path / "run") == 1

    assert not child.alive


def test_another_process_that_got_the_number_is_left_alone(tmp_path: Path, child: Child) -> None:
    (tmp_path / "run").mkdir()
    record(tmp_path / "run", [child])
    file = tmp_path / "run" / "processes.json"
    rows = json.loads(file.read_text())
    rows[0]["created"] -= 3600
    file.write_text(json.dumps(rows))

    assert end_leftovers(tmp_path / "run") == 0

    assert child.alive


def test_a_record_of_processes_that_are_gone_is_no_trouble(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "processes.json").write_text(
        json.dumps([{"pid": gone.pid, "created": 0, "signal": 15}])
    )
    assert end_leftovers(tmp_path) == 0
    (tmp_path / "processes.json").write_text("{half")
    assert end_leftovers(tmp_path) == 0
