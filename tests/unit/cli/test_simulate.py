"""Simulating: to a file and to a stack, repeatable, paced, taken up again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.cli.checkpoint import read_checkpoint
from services.cli.pacer import Pacer
from tests.fakes.http_stack import Answer, FakeStack, Request, accept_all, refuse_marked

Run = Callable[..., Any]

SMALL = ("simulate", "--citizens", "40", "--seed", "3")
START = ("--started-at", "2026-11-22T10:00:00+07:00")


def test_a_file_is_repeatable_to_the_byte(nhipso: Run, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.jsonl", "other.jsonl")]
    for file in files:
        assert nhipso(*SMALL, *START, "--out", str(file), "--events", "1500").code == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(files[0].read_bytes().splitlines()) == 1500


def test_a_file_without_a_limit_holds_the_filling(nhipso: Run, tmp_path: Path) -> None:
    file = tmp_path / "filling.jsonl"
    nhipso(*SMALL, *START, "--out", str(file))
    events = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert sum(event["type"].endswith("citizen-registered.v1") for event in events) == 40
    assert all(event["time"] <= "2026-11-22T10:00:00+07:00" for event in events)


def test_an_endless_file_is_refused(nhipso: Run, tmp_path: Path) -> None:
    assert nhipso(*SMALL, "--forever", "--out", str(tmp_path / "x")).code == 2


@pytest.mark.parametrize(
    "arguments",
    [["--started-at", "yesterday"], ["--started-at", "2020-01-01T00:00:00Z"], ["--citizens", "0"]],
)
def test_an_impossible_start_is_exit_code_2(
    nhipso: Run, stack: FakeStack, arguments: list[str]
) -> None:
    assert nhipso("simulate", "--out", "-", *arguments).code == 2


def test_filling_sends_what_a_file_would_hold(
    nhipso: Run, stack: FakeStack, tmp_path: Path
) -> None:
    file = tmp_path / "filling.jsonl"
    nhipso(*SMALL, *START, "--out", str(file))
    told = nhipso(*SMALL, *START, "--rate", "0")
    assert told.code == 0
    written = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    by_id = {event["id"]: event for event in written}
    assert {event["id"]: event for event in stack.received()} == by_id
    assert "0 refused" in told.err
    for request in stack.requests:
        names = {event["source"].rpartition(":")[2] for event in request.events()}
        assert names == {request.token.removeprefix("token-")}


def test_a_limit_goes_on_into_living(nhipso: Run, stack: FakeStack) -> None:
    told = nhipso(*SMALL, *START, "--rate", "0", "--live-rate", "0", "--events", "2000")
    assert told.code == 0
    assert len(stack.received()) == 2000


def test_refused_events_are_exit_code_1(nhipso: Run, stack: FakeStack) -> None:
    def refuse_first(request: Request) -> Answer:
        refused = {"index": 0, "id": None, "reason": "bad-data", "detail": "no"}
        return Answer(207, {"accepted": len(request.events()) - 1, "rejected": [refused]})

    stack.answers["/v1/events"] = refuse_first
    told = nhipso(*SMALL, *START, "--rate", "0")
    assert told.code == 1
    assert "bad-data" in told.err


def test_bad_events_on_purpose_are_no_failure(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/events"] = refuse_marked
    assert nhipso(*SMALL, *START, "--rate", "0", "--bad", "0.1").code == 0


def test_forever_goes_on_where_it_was_stopped(
    nhipso: Run, stack: FakeStack, tmp_path: Path
) -> None:
    arguments = (*SMALL, "--forever", "--rate", "0", "--live-rate", "0")
    nhipso(*arguments, "--events", "300")
    first = {event["id"]: event for event in stack.received()}
    kept = read_checkpoint(tmp_path / "simulator.json")
    assert kept is not None
    assert (kept.filled, kept.fill_done) == (300, False)
    stack.requests.clear()
    nhipso(*arguments, "--events", "1800")
    second = {event["id"]: event for event in stack.received()}
    assert first.keys().isdisjoint(second)
    kept = read_checkpoint(tmp_path / "simulator.json")
    assert kept is not None
    assert kept.fill_done
    assert kept.lived > 0
    stack.requests.clear()
    nhipso(*arguments, "--events", "50")
    third = {event["id"] for event in stack.received()}
    assert third.isdisjoint(first | second)


def test_another_seed_fills_anew(nhipso: Run, stack: FakeStack) -> None:
    arguments = ("simulate", "--citizens", "40", "--forever", "--rate", "0", "--events", "200")
    nhipso(*arguments, "--seed", "3")
    stack.requests.clear()
    nhipso(*arguments, "--seed", "4")
    assert len(stack.received()) == 200


def test_a_broker_that_comes_back_loses_nothing(nhipso: Run, stack: FakeStack) -> None:
    moods = [Answer(503, {}, {"Retry-After": "0"})] * 5

    def moody(request: Request) -> Answer:
        return moods.pop() if moods else accept_all(request)

    stack.answers["/v1/events"] = moody
    told = nhipso(*SMALL, *START, "--rate", "0", "--events", "200")
    assert told.code == 0
    assert "trying again" in told.err
    assert len({event["id"] for event in stack.received()}) == 200


def test_the_pace_is_kept_without_drift() -> None:
    now = 0.0
    pacer = Pacer(100.0, now)
    sent = 0
    while now < 60.0:
        now += pacer.grant(10, now)
        now += 0.013  # sending takes time, and it must not slow the stream down
        sent += 10
    assert sent == pytest.approx(6_000, abs=60)


def test_the_pace_is_not_made_up_for_after_a_pause() -> None:
    pacer = Pacer(100.0, 0.0)
    pacer.grant(10, 0.0)
    assert pacer.grant(10, 1_000.0) == 0.0
    waits = [pacer.grant(10, 1_000.0) for _ in range(10)]
    assert sum(wait > 0 for wait in waits) >= 5


def test_no_limit_never_waits() -> None:
    pacer = Pacer(0.0, 0.0)
    assert all(pacer.grant(1_000, 0.0) == 0.0 for _ in range(100))
