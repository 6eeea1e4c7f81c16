"""`nhipso alerts ack` and `nhipso silences`: what they send, and what they show."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.http_stack import Answer, FakeStack

Run = Callable[..., Any]

ID = "6f0f6d1a-5f0b-4d0e-9f39-0c4c4f1c2a11"
SILENCE = {
    "id": ID,
    "matchers": {"area": "2025:02647", "indicator": None, "set": None, "severity": "info"},
    "state": "active",
    "starts_at": "2026-11-22T01:30:00Z",
    "ends_at": "2026-12-05T17:00:00Z",
    "comment": "Bão số 12",
    "created_at": "2026-11-22T01:30:00Z",
    "created_by": "operator",
    "ended_at": None,
}


def test_an_alert_is_acknowledged(nhipso: Run, stack: FakeStack) -> None:
    stack.answers[f"/v1/alerts/{ID}/acknowledgement"] = lambda _: Answer(200, {"id": ID})
    told = nhipso("alerts", "ack", ID, "--note", "Mở lớp", "--by", "2026-12-31")
    assert (told.code, told.out) == (0, "")
    assert "quiet until 2026-12-31" in told.err
    (request,) = stack.requests
    assert (request.method, request.token) == ("POST", "token-operator")
    assert json.loads(request.body) == {"note": "Mở lớp", "promised_on": "2026-12-31"}

    nhipso("alerts", "ack", ID, "--note", "x", "--token", "mine")
    assert stack.requests[-1].token == "mine"
    assert json.loads(stack.requests[-1].body)["promised_on"] is None


def test_what_is_wrong_with_it_is_told(nhipso: Run, stack: FakeStack) -> None:
    problem = {"detail": "see errors", "errors": [{"where": "body.note", "detail": "too short"}]}
    stack.answers[f"/v1/alerts/{ID}/acknowledgement"] = lambda _: Answer(422, problem)
    told = nhipso("alerts", "ack", ID, "--note", " ")
    assert (told.code, "body.note: too short" in told.err) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("alerts", "ack", ID),  # no note
        ("alerts", "ack", "nonsense", "--note", "x"),
        ("alerts", "ack", ID, "--note", "x", "--by", "mai"),
        ("alerts", "ack", ID, "--note", "x"),  # not there: 404
        ("silences", "add", "--until", "2026-12-05", "--comment", "x"),  # of nothing
        ("silences", "add", "--area", "02647", "--comment", "x"),  # no end
        ("silences", "add", "--area", "02647", "--until", "soon", "--comment", "x"),
        ("silences", "end", "nonsense"),
        ("silences", "list", "--state", "sleeping"),
    ],
)
def test_called_wrongly(nhipso: Run, stack: FakeStack, arguments: tuple[str, ...]) -> None:
    assert nhipso(*arguments).code == 2


def test_a_silence_is_added(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/silences"] = lambda _: Answer(201, SILENCE)
    told = nhipso(
        *("silences", "add", "--area", "Phường Lào Cai", "--severity", "info"),
        *("--from", "2026-12-01T08:00", "--until", "2026-12-05", "--comment", "Bão số 12"),
    )
    assert (told.code, told.out) == (0, f"{ID}\n")
    # Local time; a day that it ends on is within it.
    assert json.loads(stack.requests[-1].body) == {
        "matchers": {"area": "2025:02647", "severity": "info"},
        "starts_at": "2026-12-01T01:00:00Z",
        "ends_at": "2026-12-05T17:00:00Z",
        "comment": "Bão số 12",
    }


def test_silences_are_listed(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/silences"] = lambda _: Answer(200, {"silences": [SILENCE]})
    told = nhipso("silences", "list")
    assert told.code == 0
    assert stack.requests[-1].query == {"state": "active"}
    for shown in ("Phường Lào Cai", "severity info", "Bão số 12", "2026-12-06 00:00", ID):
        assert shown in told.out
    assert json.loads(nhipso("silences", "list", "--json").out) == {"silences": [SILENCE]}
    stack.answers["/v1/silences"] = lambda _: Answer(200, {"silences": []})
    assert nhipso("silences", "list", "--state", "all").out == "no silences\n"
    assert stack.requests[-1].query == {}


def test_a_silence_is_ended(nhipso: Run, stack: FakeStack) -> None:
    stack.answers[f"/v1/silences/{ID}"] = lambda _: Answer(204, "")
    told = nhipso("silences", "end", ID)
    assert (told.code, "ended" in told.err) == (0, True)
    assert stack.requests[-1].method == "DELETE"
    stack.answers.clear()
    assert nhipso("silences", "end", ID).code == 2
