"""Plants mutants in a copy of the sources and sees that they are caught: ``make mutants``.

`ARGS=notifier` takes those whose names or files hold that word.

Each mutant breaks one promise on purpose. What must catch it is run on the unchanged copy first,
where it has to pass, and then on the mutant, where it has to find something: a test that cannot
even start has caught nothing.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import Final, Self

from tests.fault.mutations import MUTANTS, Check, Mutant, MutationError, plant
from tests.fault.mutations_notifier import NOTIFIER_MUTANTS

ALL: Final = (*MUTANTS, *NOTIFIER_MUTANTS)
CHECKOUT: Final = Path(__file__).parents[2]

_SOURCES: Final = ("contracts", "services", "deploy", "tests")
_FILES: Final = ("pyproject.toml", "docker-compose.yml", "Makefile")
_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Ran:
    """How a check ended on a copy."""

    passed: bool
    found: bool
    """Whether it ended because it found something wrong, and not because it could not run."""
    said: str


def main() -> int:
    """Plant, run, print; returns the exit code."""
    mutants = [one for one in ALL if all(_concerns(one, word) for word in sys.argv[1:])]
    try:
        caught = sum(map(_is_caught, mutants)) if _unchanged_passes(mutants) else 0
    except MutationError as error:
        say(str(error))
        return 2
    say(f"{caught} of {len(mutants)}")
    return 0 if caught == len(mutants) else 1


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


def _concerns(mutant: Mutant, word: str) -> bool:
    return word in mutant.name or any(word in edit.file for edit in mutant.edits)


def _unchanged_passes(mutants: Sequence[Mutant]) -> bool:
    """Whether every check passes on sources that nobody has broken."""
    passes = True
    with _Copy(None) as copy:
        for check in dict.fromkeys(check for mutant in mutants for check in mutant.caught_by):
            ran = copy.run(check)
            if not ran.passed:
                passes = False
                say(f"without a mutant {check} fails, so it says nothing:\n{ran.said}")
    return passes


def _is_caught(mutant: Mutant) -> bool:
    caught = True
    with _Copy(mutant) as copy:
        for check in mutant.caught_by:
            ran = copy.run(check)
            caught &= ran.found
            say(f"{mutant.name}: {'caught' if ran.found else 'NOT CAUGHT'} by {check}")
            if not ran.found and not ran.passed:
                say(ran.said)
    return caught


class _Copy:
    """A copy of the sources in a temporary folder, with a mutant in it or without."""

    def __init__(self, mutant: Mutant | None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="nhipso-mutant-"))
        for name in _SOURCES:
            ignored = shutil.ignore_patterns("__pycache__", "target")
            shutil.copytree(CHECKOUT / name, self._folder / name, ignore=ignored)
        for name in _FILES:
            shutil.copy(CHECKOUT / name, self._folder / name)
        self._temporary = self._folder / "temporary"
        self._temporary.mkdir()
        if mutant is not None:
            plant(mutant, self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder)

    def run(self, check: Check) -> Ran:
        """Run a check on this copy and on nothing else."""
        done = subprocess.run(
            [sys.executable, "-m", *check.arguments],
            cwd=self._folder,
            env={
                **environ,
                "PYTHONPATH": str(self._folder),
                "PYTHONDONTWRITEBYTECODE": "1",
                # What a run that finds something keeps goes with the copy.
                "TMPDIR": str(self._temporary),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        # Both say 1 when something is wrong. An import that fails says so too, but names nothing.
        named = "FAILED" in done.stdout or " differences:" in done.stdout
        return Ran(done.returncode == 0, done.returncode == 1 and named, done.stdout[-4000:])


if __name__ == "__main__":
    raise SystemExit(main())
