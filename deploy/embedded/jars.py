"""Kafka's jars: which ones (locked in `kafka.lock.toml`, the format of jgo) and where they lie.

They are fetched by `deploy.embedded.fetch`. The copies in the environment, under
`share/nhipso/kafka`, have been checked against the SHA-256 of the lock file.
"""

import hashlib
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import StackError

LOCK_FILE = Path(__file__).with_name("kafka.lock.toml")
SHARE = Path(sys.prefix, "share", "nhipso", "kafka")

_STAMP = ".verified"


@dataclass(frozen=True)
class Jar:
    """One locked jar: its Maven coordinates and the SHA-256 of its bytes."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """What the file is called, in a Maven repository and here."""
        return f"{self.artifact}-{self.version}.jar"


def locked() -> list[Jar]:
    """Read the lock file."""
    with LOCK_FILE.open("rb") as file:
        rows = tomllib.load(file)["dependencies"]
    return [Jar(r["groupId"], r["artifactId"], r["version"], r["sha256"]) for r in rows]


def classpath() -> list[Path]:
    """Return Kafka's jars.

    Raises:
        StackError: they have not been fetched, or are those of another lock file.
    """
    if not complete():
        raise StackError(f"Kafka's jars are not in {SHARE}; run `make setup`")
    return [SHARE / jar.file_name for jar in locked()]


def complete() -> bool:
    """Tell whether all jars of this lock file have been fetched and checked."""
    stamp = SHARE / _STAMP
    return (
        stamp.exists()
        and stamp.read_text(encoding="ascii") == sha256(LOCK_FILE)
        and all((SHARE / jar.file_name).exists() for jar in locked())
    )


def mark_complete() -> None:
    """Note that all jars of this lock file are there and have been checked."""
    (SHARE / _STAMP).write_text(sha256(LOCK_FILE), encoding="ascii")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
