"""`nhipso receivers`: how receivers are shown, enabled and tried."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.http_stack import Answer, FakeStack

Run = Callable[..., Any]

ID = "6f0f6d1a-5f0b-4d0e-9f39-0c4c4f1c2a11"
MAILBOX = "email:ubnd@laocai.example.vn"
HOOK = "webhook:example.vn#1f2e3d4c"
WELL = {
    "name": MAILBOX,
    "kind": "email",
    "audiences": ["unit:2025:15"],
    "waiting": 0,
    "failures": 0,
    "failing_since": None,
    "last_error": None,
    "resting_until": None,
    "served_at": "2026-11-22T01:30:00Z",
    "disabled_at": None,
    "disabled_reason": None,
    "enabled_at": None,
    "enabled_by": None,
}
GONE = WELL | {
    "name": HOOK,
    "kind": "webhook",
    "audiences": [],
    "waiting": 3,
    "disabled_at": "2026-11-22T01:31:00Z",
    "disabled_reason": "HTTP 410: the receiver wants no more",
}
FAILING = WELL | {
    "name": "slack:hooks.example#00000000",
    "failing_since": "2026-11-21T20:00:00Z",
    "last_error": "HTTP 500",
}
ASKED = {"delivery": ID, "asked_at": "2026-11-22T01:30:00Z"}
DELIVERY = {
    "id": ID,
    "state": "waiting",
    "attempts": 1,
    "next_attempt_at": "2026-11-22T01:30:05Z",
    "last_error": "HTTP 404",
}


def test_receivers_are_listed(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/receivers"] = lambda _: Answer(200, {"receivers": [GONE, FAILING, WELL]})
    told = nhipso("receivers", "list")
    assert (told.code, stack.requests[-1].token) == (0, "token-operator")
    for shown in (MAILBOX, HOOK, "unit:2025:15", "disabled", "failing", "well", "410", "HTTP 500"):
        assert shown in told.out
    assert "2026-11-22 08:31" in told.out  # local time
    assert "3 receivers" in told.out
    answer = json.loads(nhipso("receivers", "list", "--json").out)
    assert answer == {"receivers": [GONE, FAILING, WELL]}
    stack.answers["/v1/receivers"] = lambda _: Answer(200, {"receivers": []})
    assert nhipso("receivers", "list").out == "no receivers\n"
    stack.answers["/v1/receivers"] = lambda _: Answer(200, {"other": 1})
    assert nhipso("receivers", "list").code == 3


def test_the_name_of_a_receiver_can_be_copied(nhipso: Run, stack: FakeStack) -> None:
    name = "digest-email:" + "van-phong." * 4 + "laocai@example.vn"
    fails = FAILING | {"name": name, "last_error": "no answer: " + "ClientConnectorError " * 9}
    stack.answers["/v1/receivers"] = lambda _: Answer(200, {"receivers": [fails]})
    assert name in nhipso("receivers", "list").out


def test_one_is_enabled(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/receivers/enable"] = lambda _: Answer(204, "")
    told = nhipso("receivers", "enable", HOOK)
    assert told.code == 0
    assert json.loads(stack.requests[-1].body) == {"name": HOOK}
    assert nhipso("receivers", "enable").code == 2


def test_a_test_that_is_taken(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/receivers/test"] = lambda _: Answer(202, ASKED)
    taken = DELIVERY | {"state": "delivered", "next_attempt_at": None, "last_error": None}
    stack.answers[f"/v1/deliveries/{ID}"] = lambda _: Answer(200, taken)
    told = nhipso("receivers", "test", MAILBOX)
    assert told.code == 0
    assert MAILBOX in told.out
    assert json.loads(stack.requests[0].body) == {"name": MAILBOX}
    assert json.loads(nhipso("receivers", "test", MAILBOX, "--json").out) == taken


@pytest.mark.parametrize(
    ("delivery", "said"),
    [
        (DELIVERY, "still waits"),
        (DELIVERY | {"state": "failed", "next_attempt_at": None}, "was refused"),
    ],
)
def test_a_test_that_is_not_taken(
    nhipso: Run, stack: FakeStack, delivery: dict[str, Any], said: str
) -> None:
    stack.answers["/v1/receivers/test"] = lambda _: Answer(202, ASKED)
    stack.answers[f"/v1/deliveries/{ID}"] = lambda _: Answer(200, delivery)
    told = nhipso("receivers", "test", MAILBOX)
    assert told.code == 3
    assert said in told.err
    assert "HTTP 404" in told.err


def test_a_test_that_nobody_tries_in_time(nhipso: Run, stack: FakeStack) -> None:
    waits = DELIVERY | {"next_attempt_at": ASKED["asked_at"], "last_error": None, "attempts": 0}
    stack.answers["/v1/receivers/test"] = lambda _: Answer(202, ASKED)
    stack.answers[f"/v1/deliveries/{ID}"] = lambda _: Answer(200, waits)
    told = nhipso("receivers", "test", MAILBOX, "--wait", "0")
    assert told.code == 3
    assert "not been tried yet" in told.err
    stack.answers["/v1/receivers/test"] = lambda _: Answer(202, {})
    assert nhipso("receivers", "test", MAILBOX).code == 3


def test_a_receiver_that_is_not_there(nhipso: Run, stack: FakeStack) -> None:
    told = nhipso("receivers", "test", "email:nobody@example.vn")
    assert told.code == 2
