from pathlib import Path

import pytest

from services.chassis.database import load_queries


def queries(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "queries.sql"
    file.write_text(text, encoding="utf-8")
    return file


def test_queries_are_read_by_name(tmp_path: Path) -> None:
    file = queries(
        tmp_path,
        "-- What the store asks.\n\n"
        "-- name: one\n-- the first\nSELECT 1;\n\n"
        "--name:two\nSELECT 'xã'\n  AS area;\n",
    )
    assert load_queries(file) == {
        "one": "-- the first\nSELECT 1;",
        "two": "SELECT 'xã'\n  AS area;",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1;\n", r"queries\.sql:1: SQL without a name"),
        ("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n", r"queries\.sql:3: query a occurs twice"),
        ("-- name: a\n-- nothing\n", r"query a is empty"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        load_queries(queries(tmp_path, text))
