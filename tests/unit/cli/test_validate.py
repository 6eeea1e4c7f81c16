"""`nhipso validate` finds what ingest would refuse, and says where."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.workbook import of_rows
from tests.unit.cli.conftest import Run

CITIZEN = "citizen:000123456789"
HEADING = "type,subject,time,level,activated"
FIT = f"identity.eid-changed.v1,{CITIZEN},2026-03-01,2,true"

Write = Callable[[str, str | bytes], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return written


def event(**changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "urn:nhipso:source:vneid",
        "type": "vn.nhipso.identity.eid-changed.v1",
        "subject": CITIZEN,
        "time": "2026-03-01T08:30:00+07:00",
        "data": {"level": 2, "activated": True},
    } | changes


def faults(run: Run, *arguments: str) -> list[tuple[int, str | None, str]]:
    outcome = run("validate", *arguments, "--json")
    assert outcome.code == 1
    said = json.loads(outcome.out)
    assert said["checked"] == said["fit"] + len(said["faults"])
    return [(one["line"], one["field"], one["reason"]) for one in said["faults"]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("one.json", json.dumps(event(), indent=2)),
        ("array.json", json.dumps([event(), event(id="e-2")], indent=2)),
        ("lines.jsonl", "\n".join([json.dumps(event()), "", json.dumps(event(id="e-2"))])),
        ("marked.json", "\ufeff" + json.dumps([event()])),
        ("rows.csv", f"{HEADING}\n{FIT}\n"),
        ("rows.csv", f"{HEADING}\n{FIT}\n".replace(",", ";")),
        ("rows.xlsx", of_rows([HEADING.split(","), FIT.split(",")])),
    ],
)
def test_what_fits_is_told_to_fit(nhipso: Run, write: Write, name: str, content: str) -> None:
    outcome = nhipso("validate", write(name, content))
    assert outcome.code == 0, outcome
    assert outcome.out.endswith("events fit\n")


def test_faults_of_an_array_have_the_lines_on_which_events_begin(nhipso: Run, write: Write) -> None:
    array = [event(), event(subject="citizen:1"), event(data={"level": 3, "activated": 1}), 7]
    text = json.dumps(array, indent=1)  # twelve lines an event, after the bracket's
    assert faults(nhipso, write("a.json", text)) == [
        (14, "subject", "bad-subject"),
        (26, "level, activated", "bad-data"),
        (38, None, "bad-envelope"),
    ]


def test_lines_that_are_no_json_are_told_like_those_that_do_not_fit(
    nhipso: Run, write: Write
) -> None:
    text = "\n".join([json.dumps(event()), "{", json.dumps(event(time="2026-03-01"))])
    assert faults(nhipso, write("a.jsonl", text)) == [
        (2, None, "not-json"),
        (3, "time", "bad-time"),
    ]


def test_faults_of_rows_have_line_and_column_and_repeat_nothing(nhipso: Run, write: Write) -> None:
    rows = [HEADING, FIT, FIT.replace("2,true", "two,true"), FIT.replace(CITIZEN, CITIZEN[:-1])]
    outcome = nhipso("validate", write("a.csv", "\n".join(rows)))
    assert outcome.code == 1
    assert "│ 3    │ level   │ bad-data    │ column level: must be a whole number" in outcome.out
    assert "│ 4    │ subject │ bad-subject │" in outcome.out
    assert "1 of 3 events fit (1 bad-data, 1 bad-subject)" in outcome.out
    assert "00012345678" not in outcome.out


def test_what_a_source_may_send_can_be_told(nhipso: Run, write: Write) -> None:
    file = write("a.json", json.dumps([event()]))
    assert nhipso("validate", file, "--source", "vneid", "--domain", "identity").code == 0
    assert faults(nhipso, file, "--source", "ehr") == [(1, "source", "source-not-allowed")]
    assert faults(nhipso, file, "--domain", "health") == [(1, "type", "source-not-allowed")]
    assert nhipso("validate", file, "--domain", "wealth").code == 2


def test_the_table_is_bounded(nhipso: Run, write: Write) -> None:
    file = write("a.csv", "\n".join([HEADING, *(["x,y,z,1,1"] * 5)]))
    outcome = nhipso("validate", file, "--show", "2")
    assert outcome.code == 1
    assert "… and 3 more" in outcome.out


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"\xff", "is not UTF-8"),
        ("a.csv", HEADING, "holds no event"),
        ("a.xlsx", b"PK\x03\x04", "damaged"),
        ("a.pdf", b"%PDF", "only .csv and .xlsx"),
        ("a.json", "[{", "is no JSON array"),
        ("a.json", "[]", "holds no event"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    nhipso: Run, write: Write, name: str, content: str | bytes, told: str
) -> None:
    outcome = nhipso("validate", write(name, content))
    assert outcome.code == 2
    assert told in outcome.err
    assert outcome.out == ""


def test_faults_before_the_end_of_what_can_be_read_are_shown(nhipso: Run, write: Write) -> None:
    content = f"{HEADING}\nx,y,z,1,1\n".encode() + b"\xff"
    outcome = nhipso("validate", write("a.csv", content))
    assert outcome.code == 2
    assert "unknown-type" in outcome.out or "bad-time" in outcome.out
    assert "line 3: is not UTF-8" in outcome.err


def test_a_file_that_is_not_there_is_an_error(nhipso: Run) -> None:
    assert nhipso("validate", "no-such-file.csv").code == 2
