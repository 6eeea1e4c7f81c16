"""The supervisor with tiny, real child processes."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from deploy.embedded.child import Child
from deploy.embedded.errors import StackError
from deploy.embedded.progress import State
from deploy.embedded.supervisor import Supervisor

# Says that it is there, and on SIGTERM writes its name to the file of last words and goes.
SERVER = """
import pathlib, signal, sys, time
name, last_words = sys.argv[1:]
def leave(*_):
    with open(last_words, "a") as file: file.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
pathlib.Path(name + ".ready").touch()
while True: time.sleep(60)
"""


class Tiny:
    """A program that is ready when its file is there."""

    def __init__(self, name: str, directory: Path, code: str = SERVER) -> None:
        self.name = name
        self._mark = directory / f"{name}.ready"
        self.child = Child(
            name=name,
            argv=[sys.executable, "-c", code, name, str(directory / "last-words")],
            log=directory / f"{name}.log",
            cwd=directory,
        )

    def prepare(self) -> None: ...

    def before_start(self) -> None:
        self._mark.unlink(missing_ok=True)

    def is_ready(self) -> bool:
        return self._mark.exists()


@dataclass
class Heard:
    """What the supervisor told."""

    told: list[tuple[str, State, str]] = field(default_factory=list)
    changes: int = 0

    def tell(self, name: str, state: State, detail: str) -> None:
        self.told.append((name, state, detail))

    def change(self) -> None:
        self.changes += 1


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def supervisor(heard: Heard) -> Supervisor:
    return Supervisor(heard.tell, heard.change)


def _until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _watch_until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    """Let the supervisor watch in this thread until something has happened."""

    def stop() -> None:
        try:
            _until(condition)
        finally:
            supervisor.stopping = True

    waiting = threading.Thread(target=stop)
    waiting.start()
    supervisor.watch()
    waiting.join()
    assert condition()


def test_a_killed_child_comes_back_within_two_seconds_under_a_new_pid(
    tmp_path: Path, supervisor: Supervisor, heard: Heard
) -> None:
    tiny = Tiny("a", tmp_path)
    supervisor.start([tiny])
    try:
        assert supervisor.wait_ready(10)
        first = tiny.child.pid
        assert first is not None
        changes = heard.changes

        os.kill(first, signal.SIGKILL)
        killed_at = time.monotonic()
        _watch_until(supervisor, lambda: tiny.child.pid != first)

        assert time.monotonic() - killed_at < 2
        assert tiny.child.alive
        assert heard.changes == changes + 1
        assert ("a", State.DIED, "ended by SIGKILL; it is started again") in heard.told
    finally:
        supervisor.stop(5)


def test_a_child_may_be_killed_again_and_again(tmp_path: Path, supervisor: Supervisor) -> None:
    tiny = Tiny("a", tmp_path)
    supervisor.start([tiny])
    try:
        for _ in range(8):
            supervisor.stopping = False
            assert supervisor.wait_ready(10)
            pid = tiny.child.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            begun = time.monotonic()
            _watch_until(supervisor, lambda pid=pid: tiny.child.pid != pid)  # type: ignore[misc]
            assert time.monotonic() - begun < 2
    finally:
        supervisor.stop(5)


def test_groups_are_stopped_in_the_reverse_order_of_their_start(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    for name in ("first", "second", "third"):
        supervisor.start([Tiny(name, tmp_path)])
    assert supervisor.wait_ready(10)

    assert supervisor.stop(5)

    assert (tmp_path / "last-words").read_text().split() == ["third", "second", "first"]


def test_one_that_does_not_go_is_killed_and_told(
    tmp_path: Path, supervisor: Supervisor, heard: Heard
) -> None:
    deaf = SERVER.replace("signal.SIGTERM, leave", "signal.SIGTERM, signal.SIG_IGN")
    tiny = Tiny("deaf", tmp_path, deaf)
    supervisor.start([tiny])
    assert supervisor.wait_ready(10)

    assert not supervisor.stop(0.3)

    assert not tiny.child.alive
    assert heard.told[-1] == ("deaf", State.STOPPED, "killed: it did not end within 0.3 seconds")


def test_what_a_dead_child_left_behind_goes_with_it(tmp_path: Path, supervisor: Supervisor) -> None:
    parent = (
        "import subprocess, sys, pathlib\n"
        "helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('helper').write_text(str(helper.pid))\n"
    ) + SERVER
    supervisor.start([Tiny("parent", tmp_path, parent)])
    assert supervisor.wait_ready(10)
    helper = psutil.Process(int((tmp_path / "helper").read_text()))

    supervisor.stop(5)

    _until(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)


def test_one_that_keeps_ending_while_it_starts_is_an_error_with_the_end_of_its_log(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    broken = "print('settings: NHIPSO_HTTP__PORT is not set', flush=True); raise SystemExit(2)"
    supervisor.start([Tiny("broken", tmp_path, broken)])
    try:
        with pytest.raises(StackError, match=r"(?s)broken keeps ending.*NHIPSO_HTTP__PORT"):
            supervisor.wait_ready(30)
    finally:
        supervisor.stop(5)


def test_the_wish_to_stop_is_heard_while_it_still_waits(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    supervisor.start([Tiny("slow", tmp_path, "import time; time.sleep(60)")])
    with supervisor.signals():
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert not supervisor.wait_ready(30)
    assert supervisor.stop(5)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux binds child to parent")
def test_no_child_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = f"""
        import sys, time, pathlib
        from deploy.embedded.child import Child
        child = Child("c", [sys.executable, "-c", "import time; time.sleep(600)"],
                      pathlib.Path({str(tmp_path / "c.log")!r}))
        child.start()
        print(child.pid, flush=True)
        time.sleep(600)
    """
    supervising = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert supervising.stdout is not None
    with supervising.stdout as told:
        child = psutil.Process(int(told.readline()))
    assert child.is_running()

    supervising.kill()
    supervising.wait()

    _until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
