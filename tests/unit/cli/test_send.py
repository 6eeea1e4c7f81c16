"""Sending a file: batches by source, what was refused with its line, exit codes for scripts."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.http_stack import Answer, FakeStack, Request, accept_all, refuse_marked

Run = Callable[..., Any]


def event(number: int, source: str = "ehr", prefix: str = "e") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{prefix}{number}",
        "source": f"urn:nhipso:source:{source}",
        "type": "vn.nhipso.health.record-changed.v1",
        "subject": f"citizen:{number:012d}",
        "time": "2026-11-01T08:00:00+07:00",
        "data": {"active": True},
    }


def write(tmp_path: Path, *lines: dict[str, Any] | str) -> str:
    file = tmp_path / "events.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return str(file)


def test_all_accepted_is_exit_code_0(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    told = nhipso("send", write(tmp_path, *(event(n) for n in range(12))), "--batch", "5")
    assert told.code == 0
    assert "12 accepted, 0 refused" in told.out
    assert sorted(len(request.events()) for request in stack.requests) == [2, 5, 5]
    assert {request.content_type for request in stack.requests} == {
        "application/cloudevents-batch+json"
    }


def test_each_source_travels_under_its_own_token(
    nhipso: Run, stack: FakeStack, tmp_path: Path
) -> None:
    nhipso("send", write(tmp_path, *(event(n, ("ehr", "vneid")[n % 2]) for n in range(10))))
    assert {request.token for request in stack.requests} == {"token-ehr", "token-vneid"}
    for request in stack.requests:
        sources = {item["source"].rpartition(":")[2] for item in request.events()}
        assert sources == {request.token.removeprefix("token-")}


def test_refused_events_are_shown_with_their_lines(
    nhipso: Run, stack: FakeStack, tmp_path: Path
) -> None:
    stack.answers["/v1/events"] = refuse_marked
    file = write(tmp_path, event(1), "", event(2, prefix="bad"), event(3), event(4, "dvc", "bad"))
    told = nhipso("send", file)
    assert told.code == 1
    rows = [line for line in told.out.splitlines() if "bad-data" in line and "│" in line]
    assert [row.split("│")[1].strip() for row in rows] == ["3", "5"]
    assert "data.area: missing" in rows[0]
    assert "2 accepted, 2 refused (2 bad-data)" in told.out


def test_ids_are_shown_as_they_are(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    stack.answers["/v1/events"] = refuse_marked
    told = nhipso("send", write(tmp_path, event(1, prefix="bad[/x]:fire:")))
    assert told.code == 1
    assert "bad[/x]:fire:1" in told.out


def test_lines_that_are_not_json_do_not_stop_the_others(
    nhipso: Run, stack: FakeStack, tmp_path: Path
) -> None:
    told = nhipso("send", write(tmp_path, event(1), '{"id": ', '{"id": NaN}', event(2)))
    assert told.code == 1
    assert "2 not-json" in told.out
    assert [item["id"] for item in stack.received()] == ["e1", "e2"]


def test_bytes_of_a_line_are_not_changed(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    line = '{"id":"e1",  "source":"urn:nhipso:source:ehr","data":{"n":1.10, "a":1, "a":2}}'
    nhipso("send", write(tmp_path, line))
    assert stack.requests[0].body == f"[{line}]".encode()


def test_an_unknown_source_is_left_to_ingest(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    assert nhipso("send", write(tmp_path, event(1, "stranger"), "[1]")).code == 0
    assert len(stack.received()) == 2


@pytest.mark.parametrize("arguments", [["--as", "vneid"], ["--token", "token-vneid"]])
def test_a_credential_can_be_chosen(
    nhipso: Run, stack: FakeStack, tmp_path: Path, arguments: list[str]
) -> None:
    nhipso("send", write(tmp_path, event(1), event(2, "dvc")), *arguments)
    assert [request.token for request in stack.requests] == ["token-vneid"]


def test_an_unknown_name_names_the_known_ones(
    nhipso: Run, stack: FakeStack, tmp_path: Path
) -> None:
    told = nhipso("send", write(tmp_path, event(1)), "--as", "nobody")
    assert told.code == 2
    assert "urn:nhipso:source:vneid" in told.err


def test_standard_input(nhipso: Run, stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\ufeff" + json.dumps(event(1)) + "\r\n" + json.dumps(event(2))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert nhipso("send", "-").code == 0
    assert len(stack.received()) == 2


def test_a_missing_file_is_exit_code_2(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    assert nhipso("send", str(tmp_path / "none.jsonl")).code == 2


def test_too_fast_and_broker_away_are_tried_again(
    nhipso: Run, stack: FakeStack, tmp_path: Path
) -> None:
    answers = [Answer(429, {}, {"Retry-After": "0"}), Answer(503, {}, {"Retry-After": "0.1"})]

    def moody(request: Request) -> Answer:
        return answers.pop(0) if answers else accept_all(request)

    stack.answers["/v1/events"] = moody
    told = nhipso("send", write(tmp_path, event(1)))
    assert told.code == 0
    assert len(stack.requests) == 3


def test_patience_ends_with_exit_code_3(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    stack.answers["/v1/events"] = lambda _: Answer(503, {"title": "broker away"})
    told = nhipso("send", write(tmp_path, event(1)), "--patience", "0.3")
    assert told.code == 3
    assert "503" in told.err


def test_nobody_there_is_exit_code_3(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    stack.url = "http://127.0.0.1:9"
    file = stack.write_endpoints(tmp_path / "gone.json")
    told = nhipso("send", write(tmp_path, event(1)), "--patience", "0.3", "--endpoints", str(file))
    assert told.code == 3
    assert "cannot be reached" in told.err


def test_a_credential_that_is_not_taken_is_exit_code_2(
    nhipso: Run, stack: FakeStack, tmp_path: Path
) -> None:
    stack.answers["/v1/events"] = lambda _: Answer(401, {"title": "Unauthorized"})
    told = nhipso("send", write(tmp_path, event(1)))
    assert told.code == 2
    assert "401" in told.err


def test_a_batch_that_is_too_large_is_halved(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    def small_mouth(request: Request) -> Answer:
        return Answer(413, {}) if len(request.events()) > 2 else refuse_marked(request)

    stack.answers["/v1/events"] = small_mouth
    told = nhipso("send", write(tmp_path, *(event(n) for n in range(7)), event(8, prefix="bad")))
    assert told.code == 1
    assert "7 accepted, 1 refused" in told.out
    assert "│ 8 " in told.out


def test_a_nonsensical_answer_is_exit_code_3(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    stack.answers["/v1/events"] = lambda _: Answer(202, {"ok": True})
    told = nhipso("send", write(tmp_path, event(1)))
    assert told.code == 3
    assert "not of the wire contract" in told.err
