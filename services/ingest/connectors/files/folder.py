"""A watched folder: which files are complete, and where they go when they have been read.

    folder/            dropped here
    folder/done/       read to the end; beside it what was refused, if anything was
    folder/failed/     could not be read, or not to the end; beside it why
    folder/.refused/   what was refused of the file that is being read

Every step can be repeated after a crash: a report is written whole before its file is moved, and is
written again if the file was not.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DONE: Final = "done"
_FAILED: Final = "failed"
_REFUSED: Final = ".refused"
_UNFINISHED: Final = frozenset({".part", ".partial", ".tmp", ".filepart", ".crdownload"})
#: Spreadsheets hold a place for a workbook that somebody has open.
_HIDDEN: Final = (".", "~$")
_HEADING: Final = ("line", "column", "reason", "what to do")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A complete file. `identity` is another one when the file has been changed."""

    path: Path
    identity: str
    size: int
    changed_at: float


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that was refused: nothing in it is of the file but the line's number."""

    line: int
    column: str | None
    reason: str
    detail: str


class Folder:
    """One watched folder."""

    def __init__(
        self, root: Path, settled_seconds: float, identity: Callable[[bytes], str]
    ) -> None:
        """Watch a folder.

        Args:
            root: the folder.
            settled_seconds: how long a file has to be unchanged.
            identity: makes a file's identity of what tells it from others, its name among them;
                keyed, since a name may hold anybody's number.
        """
        self.root = root
        self._settled_seconds = settled_seconds
        self._identity = identity

    def prepare(self) -> None:
        """Make what is missing in it. Raises OSError."""
        for name in (_DONE, _FAILED, _REFUSED):
            (self.root / name).mkdir(exist_ok=True)

    def waiting(self, now: float) -> list[Waiting]:
        """The complete files, the oldest first. Raises OSError."""
        with os.scandir(self.root) as entries:
            found = [one for entry in entries if (one := self._waiting(entry)) is not None]
        # Without a time to wait, clocks that differ do not matter either.
        settled = [
            one
            for one in found
            if not self._settled_seconds or now - one.changed_at >= self._settled_seconds
        ]
        return sorted(settled, key=lambda one: (one.changed_at, one.path.name))

    def _waiting(self, entry: os.DirEntry[str]) -> Waiting | None:
        path = Path(entry.path)
        if entry.name.startswith(_HIDDEN) or path.suffix.lower() in _UNFINISHED:
            return None
        try:
            if not entry.is_file(follow_symlinks=False):
                return None
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        told = (entry.name, status.st_ino, status.st_size, status.st_mtime_ns)
        identity = self._identity(json.dumps(told).encode())
        # A copy may bring an old time of change along, but no old time of its being put here.
        changed_at = max(status.st_mtime, status.st_ctime)
        return Waiting(path, identity, status.st_size, changed_at)

    def refuse(self, identity: str, faults: Iterable[Fault]) -> None:
        """Remember refused rows of the file that is being read. Raises OSError."""
        with self._pending(identity).open("a", encoding="utf-8") as file:
            for one in faults:
                row = (one.line, one.column, one.reason, one.detail)
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def finish(self, file: Waiting) -> None:
        """Move a file that was read to its end. Raises OSError."""
        self._move(file, _DONE, None)

    def fail(self, file: Waiting, why: str) -> None:
        """Move a file that cannot be read on, with the reason. Raises OSError."""
        self._move(file, _FAILED, why)

    def forget(self, identity: str) -> None:
        """Forget what was refused of a file that is gone. Raises OSError."""
        self._pending(identity).unlink(missing_ok=True)

    def _move(self, file: Waiting, where: str, why: str | None) -> None:
        target = _free(self.root / where / file.path.name)
        pending = self._pending(file.identity)
        if why is not None or pending.exists():
            self._report(target.with_name(f"{target.name}.report.csv"), pending, why)
        file.path.rename(target)
        pending.unlink(missing_ok=True)

    def _report(self, path: Path, pending: Path, why: str | None) -> None:
        partial = path.with_name(f".{path.name}")
        # With the mark that lets spreadsheets know UTF-8.
        with partial.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADING)
            writer.writerows(_once(pending))
            if why is not None:
                writer.writerow(("", "", "unreadable", why))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    def _pending(self, identity: str) -> Path:
        return self.root / _REFUSED / f"{identity}.jsonl"


def _once(pending: Path) -> Iterator[tuple[object, ...]]:
    """Each refused row once: after a crash some are told again, the last perhaps by half."""
    if not pending.exists():
        return
    seen: set[int] = set()
    with pending.open(encoding="utf-8") as file:
        for text in file:
            try:
                line, column, reason, detail = json.loads(text)
            except ValueError:
                continue
            if line not in seen:
                seen.add(line)
                yield line, column or "", reason, detail


def _free(path: Path) -> Path:
    """The path, or with a number where one of that name lies there already."""
    target, number = path, 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return target
