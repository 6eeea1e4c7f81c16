"""`nhipso digests`: what it asks of notifier, what it shows, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.http_stack import Answer, FakeStack

Run = Callable[..., Any]

ID = "6f2778df-d8c2-5f3b-b686-71ef66dc7d9b"
SUMMARY = {
    "id": ID,
    "form": "leaders",
    "cadence": "monthly",
    "period": "2026-10",
    "since": "2026-10-01",
    "until": "2026-10-31",
    "area": "2025:15",
    "area_name": "Tỉnh Lào Cai",
    "subject": "[Nhịp Số] Bản tin tháng 10/2026",
    "written_at": "2026-11-02T01:00:00Z",
    "asked_by": None,
    "deliveries": [
        {"receiver": "digest-email:a@example.vn", "state": "delivered", "attempts": 1},
        {"receiver": "digest-email:b@example.vn", "state": "waiting", "attempts": 0},
    ],
}


def test_digests_are_listed(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/digests"] = lambda _: Answer(200, {"digests": [SUMMARY]})
    told = nhipso("digests", "list", "--cadence", "monthly", "--area", "2025:15")
    assert told.code == 0
    assert "1 delivered" in told.out
    assert "2026-10" in told.out
    (asked,) = stack.requests
    assert asked.query == {"cadence": "monthly", "area": "2025:15", "limit": "50"}
    assert asked.token == "token-operator"


def test_an_agency_is_named(nhipso: Run, stack: FakeStack) -> None:
    told = SUMMARY | {"form": "agency", "audience": "agency:so-y-te"}
    stack.answers["/v1/digests"] = lambda _: Answer(200, {"digests": [told]})
    assert "so-y-te" in nhipso("digests", "list").out


def test_no_digests_are_no_error(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/digests"] = lambda _: Answer(200, {"digests": []})
    told = nhipso("digests", "list")
    assert (told.code, told.out) == (0, "no digests\n")
    assert json.loads(nhipso("digests", "list", "--json").out) == {"digests": []}


def test_one_is_shown_with_its_files(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    one = SUMMARY | {"text": "Kính gửi: Lãnh đạo\n", "digest": {}}
    stack.answers[f"/v1/digests/{ID}"] = lambda _: Answer(200, one)
    stack.answers[f"/v1/digests/{ID}/workbook"] = lambda _: Answer(200, "PK invented")
    stack.answers[f"/v1/digests/{ID}/pdf"] = lambda _: Answer(200, "%PDF invented")
    book, page = tmp_path / "month.xlsx", tmp_path / "month.pdf"
    told = nhipso(
        "digests", "show", ID, "--workbook", str(book), "--pdf", str(page), "--language", "en"
    )
    assert (told.code, book.read_bytes(), page.read_bytes()) == (
        0,
        b"PK invented",
        b"%PDF invented",
    )
    assert [asked.query for asked in stack.requests] == [{"language": "en"}] * 3
    assert told.out == "[Nhịp Số] Bản tin tháng 10/2026\n\nKính gửi: Lãnh đạo\n"


@pytest.mark.parametrize("arguments", [("show", "../x"), ("send",), ("list", "--cadence", "daily")])
def test_a_mistake_asks_nobody(nhipso: Run, stack: FakeStack, arguments: tuple[str, ...]) -> None:
    assert nhipso("digests", *arguments).code == 2
    assert stack.requests == []


@pytest.mark.parametrize(
    ("path", "arguments"),
    [("", ("list",)), (f"/{ID}", ("show", ID)), ("", ("send", "--now"))],
)
def test_what_is_no_answer_is_said(
    nhipso: Run, stack: FakeStack, path: str, arguments: tuple[str, ...]
) -> None:
    stack.answers[f"/v1/digests{path}"] = lambda _: Answer(200, [])
    told = nhipso("digests", *arguments)
    assert told.code != 0
    assert "did not answer with" in told.err


def test_one_more_is_sent(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/digests"] = lambda _: Answer(201, {"written": [ID]})
    told = nhipso("digests", "send", "--now", "--area", "2025:02647")
    assert told.code == 0
    assert ID in told.out
    assert json.loads(stack.requests[0].body) == {"cadence": "weekly", "area": "2025:02647"}
    stack.answers["/v1/digests"] = lambda _: Answer(201, {"written": [ID] * 101})
    told = nhipso("digests", "send", "--now")
    assert "101 digests are on their way" in told.out
    assert ID not in told.out
    assert json.loads(nhipso("digests", "send", "--now", "--json").out) == {"written": [ID] * 101}
    stack.answers["/v1/digests"] = lambda _: Answer(201, {"written": []})
    assert "nothing is written" in nhipso("digests", "send", "--now").out
