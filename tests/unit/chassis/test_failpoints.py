"""Failpoints: off unless asked for, one fault a file, and nobody is armed without a warning."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from services.chassis.failpoints import TAKEN_BY, VARIABLE, failpoint

PROGRAM = """
from services.chassis import failpoints, logs
from services.chassis.settings import LogSettings

logs.configure("example", LogSettings())
failpoints.arm()
failpoints.failpoint("example.before")
print("went on", flush=True)
"""


def launch(folder: Path | None) -> "subprocess.Popen[str]":
    environment = {name: text for name, text in os.environ.items() if name != VARIABLE}
    if folder is not None:
        environment[VARIABLE] = str(folder)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_without_the_variable_nothing_happens_and_nothing_is_said() -> None:
    said, log = (process := launch(None)).communicate(timeout=60)
    assert (process.returncode, said, log) == (0, "went on\n", "")


def test_a_folder_without_files_is_warned_of_and_kills_nobody(tmp_path: Path) -> None:
    said, log = (process := launch(tmp_path)).communicate(timeout=60)
    assert (process.returncode, said) == (0, "went on\n")
    assert "FAILPOINTS ARE ARMED" in log
    assert '"level": "critical"' in log


def test_a_file_kills_one_process(tmp_path: Path) -> None:
    (tmp_path / "example.before").write_text("kill")
    (tmp_path / "example.after").write_text("kill")
    first, second = launch(tmp_path), launch(tmp_path)
    said = sorted(one.communicate(timeout=60)[0] for one in (first, second))
    assert said == ["", "went on\n"]
    assert sorted(one.returncode for one in (first, second)) == [-signal.SIGKILL, 0]
    killed = first if first.returncode else second
    assert (tmp_path / f"example.before{TAKEN_BY}{killed.pid}").exists()
    assert (tmp_path / "example.after").exists()


def test_a_stopped_process_goes_on_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "example.before").write_text("stop")
    process = launch(tmp_path)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert os.WSTOPSIG(status) == signal.SIGSTOP
    process.send_signal(signal.SIGCONT)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "went on\n")


def test_what_is_no_folder_is_refused_at_the_start(tmp_path: Path) -> None:
    said, log = (process := launch(tmp_path / "absent")).communicate(timeout=60)
    assert (process.returncode, said) == (2, "")
    assert VARIABLE in log


def test_a_process_that_was_never_armed_passes_every_point() -> None:
    failpoint("example.before")
