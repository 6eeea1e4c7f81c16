"""Debezium's jars: the engine and its PostgreSQL connector, fetched when a test first needs them.

`python -m tests.debezium.jars` resolves the coordinates below anew and writes the lock file.
"""

from pathlib import Path
from typing import Final

from deploy.embedded.fetch import fetch, lock, trust_the_machine
from deploy.embedded.jars import JarSet

DEBEZIUM: Final = JarSet(
    "debezium", Path(__file__).with_name("debezium.lock.toml"), "the tests of Debezium"
)

_COORDINATES: Final = (
    "io.debezium:debezium-embedded:3.6.1.Final",
    "io.debezium:debezium-connector-postgres:3.6.1.Final",
)
#: Writes its log to standard error; Debezium leaves the choice open.
_LOG: Final = ("org.slf4j:slf4j-simple:1.7.36",)


def classpath() -> list[Path]:
    """The jars, fetched first if they are not there.

    Raises:
        StackError: a jar cannot be fetched, or is not the one that was locked.
    """
    trust_the_machine()
    fetch(DEBEZIUM)
    return DEBEZIUM.classpath()


if __name__ == "__main__":
    trust_the_machine()
    print(f"{lock(DEBEZIUM, _COORDINATES, _LOG)} jars locked in {DEBEZIUM.lock_file.name}")  # noqa: T201
