"""`nhipso rejections`: what it asks of ingest, what it shows, and how it ends."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.http_stack import Answer, FakeStack, Request

Run = Callable[..., Any]

ID = "6f0f6d1a-5f0b-4d0e-9f39-0c4c4f1c2a11"
ORIGINS = [
    ({"via": "http", "mode": "batch", "index": 3}, "HTTP, batch, place 3"),
    ({"via": "connector", "connector": "outbox", "place": "row 7"}, "connector outbox, row 7"),
    ({"via": "file", "file": "march.csv", "line": 2}, "march.csv, line 2"),
    (
        {"via": "topic", "topic": "subject-events.v1", "partition": 1, "offset": 17},
        "subject-events.v1, partition 1, offset 17",
    ),
]


def rejection(**changes: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "rejected_at": "2026-11-22T03:00:00Z",
        "stage": "ingest",
        "state": "open",
        "reason": "bad-data",
        "detail": "data.level: must be at most 2",
        "first_reason": "bad-data",
        "caller": "vneid",
        "source": "urn:nhipso:source:vneid",
        "event_id": "row-***",
        "event_type": "vn.nhipso.identity.eid-changed.v1",
        "origin": ORIGINS[0][0],
        "original_bytes": 210,
        "attempts": 1,
    } | changes


def result(outcome: str, **more: Any) -> dict[str, Any]:
    reason = "bad-data" if outcome == "refused" else None
    return {"id": ID, "outcome": outcome, "reason": reason, "detail": ""} | more


@pytest.fixture
def listed(stack: FakeStack) -> FakeStack:
    def answer(request: Request) -> Answer:
        page = int(request.query["limit"])
        if "cursor" in request.query:
            return Answer(200, {"rejections": [rejection(event_id="last")], "next": None})
        return Answer(200, {"rejections": [rejection()] * min(page, 2), "next": "more"})

    stack.answers["/v1/rejections"] = answer
    return stack


@pytest.mark.parametrize(("origin", "told"), ORIGINS)
def test_a_rejection_is_listed_with_where_it_came_from(
    nhipso: Run, stack: FakeStack, origin: dict[str, Any], told: str
) -> None:
    page = {"rejections": [rejection(origin=origin)], "next": None}
    stack.answers["/v1/rejections"] = lambda _: Answer(200, page)
    shown = nhipso("rejections", "list")
    assert shown.code == 0
    assert ID in shown.out
    # Long cells are folded, so words of other cells may stand between.
    assert set(told.split()) <= set(shown.out.split())
    assert stack.requests[0].query["state"] == "open"
    assert stack.requests[0].token == "token-operator"


def test_pages_are_read_until_there_are_enough(nhipso: Run, listed: FakeStack) -> None:
    shown = nhipso("rejections", "list", "--json")
    assert shown.code == 0
    assert len(json.loads(shown.out)["rejections"]) == 3
    assert [request.query["limit"] for request in listed.requests] == ["50", "48"]
    nhipso("rejections", "list", "--limit", "2")
    assert len(listed.requests) == 3


def test_filters_are_told_to_ingest(nhipso: Run, listed: FakeStack) -> None:
    options = {
        "--source": "vneid",
        "--reason": "bad-time",
        "--state": "all",
        "--type": "vn.nhipso.x.v1",
        "--stage": "ingest",
        "--via": "connector",
        "--connector": "outbox",
        "--event-id": "e-1",
        "--from": "2026-11-01",
        "--to": "2026-11-02T10:00:00",
        "--limit": "1",
    }
    shown = nhipso("rejections", "list", *(part for pair in options.items() for part in pair))
    assert shown.code == 0
    query = listed.requests[0].query
    assert query["source"] == "urn:nhipso:source:vneid"
    assert query["from"].startswith("2026-11-01T00:00:00")
    assert query["to"].startswith("2026-11-02T10:00:00")
    names = {"source", "reason", "type", "stage", "via", "connector", "event_id", "from", "to"}
    assert query.keys() == names | {"limit"}


def test_nothing_refused_is_said_so(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/rejections"] = lambda _: Answer(200, {"rejections": [], "next": None})
    assert "no open rejections" in nhipso("rejections", "list").out
    assert "no rejections" in nhipso("rejections", "list", "--state", "all").out


def test_counts_are_shown_by_source_and_reason(nhipso: Run, stack: FakeStack) -> None:
    one = {"source": "other", "reason": "bad-data", "state": "open", "count": 1_204}
    stack.answers["/v1/rejections/counts"] = lambda _: Answer(
        200, {"counts": [one], "total": 1_204}
    )
    shown = nhipso("rejections", "counts", "--source", "other")
    assert shown.code == 0
    assert "bad-data" in shown.out
    assert "1,204 rejections" in shown.out
    assert stack.requests[0].query == {"source": "other", "state": "open"}


def test_one_is_shown_with_its_original_and_its_history(nhipso: Run, stack: FakeStack) -> None:
    work = {
        "done_at": "2026-11-22T04:00:00Z",
        "done_by": "an operator",
        "outcome": "refused",
        "reason": "bad-data",
        "note": "data.level: must be at most 2",
    }
    whole = rejection(first_reason="bad-time") | {
        "original": {"subject": "citizen:***"},
        "original_hidden": "",
        "works": [work],
    }
    stack.answers[f"/v1/rejections/{ID}"] = lambda _: Answer(200, whole)
    shown = nhipso("rejections", "show", ID)
    assert shown.code == 0
    for text in ('"subject": "citizen:***"', "refused (an operator)", "bad-time", "210 bytes"):
        assert text in shown.out
    hidden = whole | {"original": None, "original_hidden": "it is no JSON"}
    stack.answers[f"/v1/rejections/{ID}"] = lambda _: Answer(200, hidden)
    assert "not shown: it is no JSON" in nhipso("rejections", "show", ID).out


def test_one_that_is_not_there_is_called_wrongly(nhipso: Run, stack: FakeStack) -> None:
    stack.answers[f"/v1/rejections/{ID}"] = lambda _: Answer(404, {"detail": "no such rejection"})
    told = nhipso("rejections", "show", ID)
    assert told.code == 2
    assert "no such rejection" in told.err
    assert nhipso("rejections", "show", "../events").code == 2
    assert len(stack.requests) == 1


def test_named_ones_are_retried(nhipso: Run, stack: FakeStack) -> None:
    stack.answers[f"/v1/rejections/{ID}/retry"] = lambda _: Answer(200, result("accepted"))
    told = nhipso("rejections", "retry", ID)
    assert told.code == 0
    assert "1 accepted, 0 refused again, 0 cannot be retried" in told.out


def test_matching_ones_are_retried_until_there_are_no_more(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/rejections/counts"] = lambda _: Answer(200, {"counts": [], "total": 3})

    def answer(request: Request) -> Answer:
        asked = json.loads(request.body)
        assert asked["filter"] == {"connector": "outbox"}
        if "cursor" not in asked:
            return Answer(200, {"results": [result("accepted")] * 2, "next": "more"})
        refused = result("refused", detail="data.level: must be at most 2")
        return Answer(200, {"results": [refused], "next": None})

    stack.answers["/v1/rejections/retry"] = answer
    told = nhipso("rejections", "retry", "--connector", "outbox")
    assert told.code == 1
    assert "must be at most 2" in told.out
    assert "2 accepted, 1 refused again" in told.out
    told = nhipso("rejections", "retry", "--connector", "outbox", "--json")
    assert [one["outcome"] for one in json.loads(told.out)["results"]] == [
        "accepted",
        "accepted",
        "refused",
    ]


@pytest.mark.parametrize("arguments", [[], [ID, "--all"], ["--all", "--source", "vneid"]])
def test_what_is_retried_must_be_said_in_one_way(
    nhipso: Run, stack: FakeStack, arguments: list[str]
) -> None:
    told = nhipso("rejections", "retry", *arguments)
    assert told.code == 2
    assert "--all" in told.err
    assert stack.requests == []


def test_all_open_ones_are_retried_when_asked_for(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/rejections/counts"] = lambda _: Answer(200, {"counts": [], "total": 0})
    stack.answers["/v1/rejections/retry"] = lambda _: Answer(200, {"results": [], "next": None})
    assert nhipso("rejections", "retry", "--all").code == 0
    assert json.loads(stack.requests[-1].body)["filter"] == {}


def test_what_cannot_be_retried_says_why(nhipso: Run, stack: FakeStack) -> None:
    problem = {"title": "Cannot be retried", "detail": "scoring could not read it"}
    stack.answers[f"/v1/rejections/{ID}/retry"] = lambda _: Answer(409, problem)
    told = nhipso("rejections", "retry", ID)
    assert told.code == 2
    assert "scoring could not read it" in told.err


def test_a_dismissal_says_why(nhipso: Run, stack: FakeStack) -> None:
    stack.answers[f"/v1/rejections/{ID}/dismissal"] = lambda _: Answer(200, rejection())
    assert nhipso("rejections", "dismiss", ID).code == 2
    told = nhipso("rejections", "dismiss", ID, "--note", "test data")
    assert told.code == 0
    assert json.loads(stack.requests[-1].body) == {"note": "test data"}
