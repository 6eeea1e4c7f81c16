"""The command as a stranger and as a script meet it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.http_stack import Answer, FakeStack

Run = Callable[..., Any]

COMMANDS = ("simulate", "send", "indicators", "alerts", "status")


def test_help_names_every_command_and_the_exit_codes(nhipso: Run) -> None:
    told = nhipso("--help")
    assert told.code == 0
    assert all(command in told.out for command in COMMANDS)
    assert "Exit codes" in told.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_explains_itself(nhipso: Run, command: str) -> None:
    told = nhipso(command, "--help")
    assert told.code == 0
    assert f"Usage: nhipso {command}" in told.out
    assert "Exit codes" in told.out


def test_version(nhipso: Run) -> None:
    told = nhipso("--version")
    assert told.code == 0
    assert re.fullmatch(r"nhipso \d+\.\d+\.\d+\n", told.out)


@pytest.mark.parametrize("arguments", [["no-such-command"], ["send"], ["simulate", "--seed", "x"]])
def test_called_wrongly_is_exit_code_2(nhipso: Run, arguments: list[str]) -> None:
    assert nhipso(*arguments).code == 2


@pytest.mark.parametrize("command", ["indicators", "alerts", "status", "simulate"])
def test_without_a_stack_it_says_how_to_start_one(
    nhipso: Run, tmp_path: Path, command: str
) -> None:
    told = nhipso(command, "--endpoints", str(tmp_path / "none.json"))
    assert told.code == 3
    assert "nhipso up" in told.err


def test_a_broken_endpoints_file_is_exit_code_2(nhipso: Run, tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    file.write_text("[]")
    told = nhipso("status", "--endpoints", str(file))
    assert told.code == 2
    assert "is not an endpoints.json" in told.err


def test_plain_text_without_a_terminal(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/alerts"] = lambda _: Answer(200, {"alerts": []})
    told = nhipso("alerts")
    assert "\x1b[" not in told.out + told.err
