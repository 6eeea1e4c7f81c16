from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.cli.__main__ import main
from tests.fakes.http_stack import FakeStack, fake_stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStack]:
    """A fake stack that the command finds by itself."""
    with fake_stack() as running:
        file = running.write_endpoints(tmp_path / "endpoints.json")
        monkeypatch.setenv("NHIPSO_ENDPOINTS", str(file))
        yield running


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def nhipso(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command and tells its exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: str) -> Outcome:
        code = main(list(arguments))
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return run
