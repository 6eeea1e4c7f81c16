"""One stack at a time on a data directory, and nothing left over from one that was killed."""

import fcntl
import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import psutil

from deploy.embedded.child import Child
from deploy.embedded.errors import StackError
from deploy.embedded.secret_files import write_private

_GRACE_SECONDS = 20.0
_CLOCK_TOLERANCE_SECONDS = 2.0


def lock(run: Path) -> IO[str]:
    """Take the data directory for this process; closing the file gives it back.

    Raises:
        StackError: another stack runs on it, whose process id is told; or it cannot be written.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        file = (run / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise StackError(
            f"{error.filename} cannot be written: {error.strerror}; start the stack as the user "
            "who owns it, or choose another --data-dir"
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise StackError(
            f"a stack already runs on {run.parent} (process {holder}); "
            "stop it, or choose another --data-dir"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def record(run: Path, children: Iterable[Child]) -> None:
    """Write down which processes run, so that a later start can recognise them."""
    rows = []
    for child in children:
        if child.pid is None:
            continue
        try:
            created = psutil.Process(child.pid).create_time()
        except psutil.NoSuchProcess:
            continue
        rows.append({"pid": child.pid, "created": created, "signal": int(child.stop_signal)})
    write_private(run / "processes.json", json.dumps(rows))


def end_leftovers(run: Path) -> int:
    """End the processes of an earlier stack that were recorded and still run.

    A number that has since been given to another process is known by its time of creation.

    Returns:
        How many there were.
    """
    found = _recorded(run)
    processes = []
    for process, stop_signal in found:
        processes += [process, *_children(process)]
        _signal(process, stop_signal)
    _, stubborn = psutil.wait_procs(processes, timeout=_GRACE_SECONDS)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=_GRACE_SECONDS)
    return len(found)


def _recorded(run: Path) -> list[tuple[psutil.Process, int]]:
    try:
        rows = json.loads((run / "processes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    processes = []
    for row in rows:
        try:
            process = psutil.Process(row["pid"])
            age = abs(process.create_time() - row["created"])
        except psutil.NoSuchProcess:
            continue
        if age < _CLOCK_TOLERANCE_SECONDS and process.pid != os.getpid():
            processes.append((process, row["signal"]))
    return processes


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        children: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return children


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
