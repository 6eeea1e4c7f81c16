"""A YAML file as a checked value: what is wrong is told, all of it, each with its place."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from contracts import yaml_file


class InventedError(ValueError):
    """Raised in these tests."""


class Row(BaseModel):
    """One row."""

    model_config = ConfigDict(extra="forbid")

    on: date
    count: int = 0
    word: str = ""


class Rows(BaseModel):
    """What the file holds."""

    rows: list[Row]

    @model_validator(mode="after")
    def _some(self) -> "Rows":
        if not self.rows:
            raise ValueError("want a row")
        return self


def read(folder: Path, text: str | bytes) -> Rows:
    file = folder / "rows.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return yaml_file.read(file, Rows, InventedError, name="the rows")


def test_words_stay_words_and_merges_may_be_overridden(tmp_path: Path) -> None:
    text = """
base: &base {on: 2026-01-01, word: off}
rows:
  - *base
  - {<<: *base, on: 2026-01-02}
  - {on: 2026-01-03, word: no, count: 3}
"""
    found = [(row.on.day, row.word, row.count) for row in read(tmp_path, text).rows]
    assert found == [(1, "off", 0), (2, "off", 0), (3, "no", 3)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "rows: [{on: 2026-01-01, count: x}, {colour: red}]",
            r"^the rows: rows\.0\.count: .*; rows\.1\.on: .*; rows\.1\.colour: ",
        ),
        ("rows: []", "^the rows: want a row$"),
        ("", "^the rows: want a mapping"),
        (f"rows: [{'{},' * 30}]", r"rows\.19\.on: [^;]*; and 10 more faults$"),
        (
            "rows:\n- on: 2026-02-30",
            "^the rows cannot be read: it is no YAML in UTF-8: line 2, column 7: day is out of range",
        ),
        ("rows:\n- {count: 1, count: 2}", "line 2, column 3: the key 'count' stands twice$"),
        ("rows: [", r"^the rows cannot be read: it is no YAML in UTF-8: line 1, column 8: [^\n]+$"),
        (b"rows: \xff", "^the rows cannot be read: it is no YAML in UTF-8: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(InventedError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(("place", "why"), [("none.yaml", "No such file"), (".", "Is a directory")])
def test_what_cannot_be_read_is_named(tmp_path: Path, place: str, why: str) -> None:
    path = tmp_path / place
    with pytest.raises(InventedError) as refused:
        yaml_file.read(path, Rows, InventedError)
    assert str(refused.value).startswith(f"{path} cannot be read: {why}")


def test_a_secret_is_not_repeated(tmp_path: Path) -> None:
    wrong: Any = "rows: [{on: hidden-word, count: hidden-word}]"
    with pytest.raises(InventedError) as refused:
        read(tmp_path, wrong)
    assert "hidden-word" not in str(refused.value)
