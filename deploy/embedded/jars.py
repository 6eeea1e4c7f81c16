"""Jars of Java programs: which ones (locked in a file of jgo's format) and where they lie.

They are fetched by `deploy.embedded.fetch`. The copies in the environment, under
`share/nhipso/<program>`, have been checked against the SHA-256 of the lock file.
"""

import hashlib
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.embedded.errors import StackError

_STAMP: Final = ".verified"


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


@dataclass(frozen=True)
class JarSet:
    """The jars of one program: its name, its lock file, and what fetches them when asked."""

    name: str
    lock_file: Path
    fetched_by: str

    @property
    def share(self) -> Path:
        """Where the checked copies lie."""
        return Path(sys.prefix, "share", "nhipso", self.name)

    def locked(self) -> list[Jar]:
        """Read the lock file."""
        with self.lock_file.open("rb") as file:
            rows = tomllib.load(file)["dependencies"]
        return [Jar(r["groupId"], r["artifactId"], r["version"], r["sha256"]) for r in rows]

    def classpath(self) -> list[Path]:
        """Return the jars.

        Raises:
            StackError: they have not been fetched, or are those of another lock file.
        """
        if not self.complete():
            raise StackError(
                f"the jars of {self.name} are not in {self.share}; run {self.fetched_by}"
            )
        return [self.share / jar.file_name for jar in self.locked()]

    def complete(self) -> bool:
        """Tell whether all jars of this lock file have been fetched and checked."""
        stamp = self.share / _STAMP
        return (
            stamp.exists()
            and stamp.read_text(encoding="ascii") == sha256(self.lock_file)
            and all((self.share / jar.file_name).exists() for jar in self.locked())
        )

    def mark_complete(self) -> None:
        """Note that all jars of this lock file are there and have been checked."""
        (self.share / _STAMP).write_text(sha256(self.lock_file), encoding="ascii")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


KAFKA: Final = JarSet("kafka", Path(__file__).with_name("kafka.lock.toml"), "`make setup`")
