"""`nhipso indicators` of a unit that is not judged by the province's targets."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.cli import terminal
from tests.fakes.http_stack import Answer, FakeStack

Run = Callable[..., Any]

AREA = "2025:04252"
OWN = {"aim": "own", "target": 85.0, "target_on": "2030-12-31", "pace": 64.46}
COUNTRYS = {"aim": "national", "target": 95.0, "target_on": "2030-12-31", "pace": 82.68}
PROVINCES = {"aim": "provincial", "target": 70.0, "target_on": "2030-12-31", "pace": 65.5}


def row(indicator: str, **more: Any) -> dict[str, Any]:
    """A figure that has gained half a point a day over the last 80 days."""
    return {
        "id": indicator,
        "numerator": 1204,
        "denominator": 2000,
        "value": 60.2,
        "basis": "events",
        "target": 70,
        "pace": 65.5,
        "gap_people": 106,
        "projected_on": "2026-12-12",
        "projection": {
            "slope_per_day": 0.5,
            "state": "on-the-way",
            "based_on": {"from": "2026-09-03", "to": "2026-11-22"},
        },
        "updated_at": "2026-11-22T03:00:00Z",
        **more,
    }


def say(stack: FakeStack, *lines: dict[str, Any], of: dict[str, Any] | None = None) -> None:
    """Let the notifier judge ds.smartphone by these lines."""
    shown = [of or row("ds.smartphone"), row("ds.fibre")]
    answer = {"area": AREA, "as_of": "2026-11-22T03:00:00Z", "indicators": shown}
    target = {"area": AREA, "indicator": "ds.smartphone", "minimum_denominator": 30}
    told = {"on": "2026-11-22", "targets": [target | {"lines": list(lines)}]}
    stack.answers[f"/v1/areas/{AREA}/indicators"] = lambda _: Answer(200, answer)
    stack.answers["/v1/targets"] = lambda _: Answer(200, told)


def line_of(out: str, start: str) -> str:
    return next(line for line in out.splitlines() if line.strip().startswith(start))


def test_a_unit_stands_against_its_own_target(nhipso: Run, stack: FakeStack) -> None:
    say(stack, OWN)
    told = nhipso("indicators", AREA)
    assert (told.code, told.err) == (0, "")
    shown = line_of(told.out, "ds.smartphone ")
    # 64.46 % of 2,000 are 1,290: 86 are missing; 24.8 points take 50 days.
    for part in ("60.20 %", "64.46 %", "own 85.00 %", " 86 ", "2027-01-11"):
        assert part in shown
    assert "65.50 %" not in shown
    assert (
        "ds.smartphone: judged by the unit's own target 85.00 % (pace 64.46 %); "
        "the province's target 70.00 % (pace 65.50 %)"
    ) in told.out
    fibre = line_of(told.out, "ds.fibre ")
    assert "own" not in fibre
    assert "70.00 %" in fibre
    assert "ds.fibre:" not in told.out
    asked = {request.path: request for request in stack.requests}["/v1/targets"]
    assert (asked.query, asked.token) == ({"area": AREA}, "token-operator")


def test_a_narrow_terminal_says_it_below_alone(
    nhipso: Run, stack: FakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(stack, OWN)
    monkeypatch.setattr(terminal, "_PLAIN_WIDTH", 110)
    told = nhipso("indicators", AREA)
    shown = line_of(told.out, "ds.smartphone ")
    assert "85.00 %" in shown
    assert "own" not in shown
    assert "judged by the unit's own target 85.00 %" in told.out


def test_the_line_that_counts_is_the_first(nhipso: Run, stack: FakeStack) -> None:
    say(stack, COUNTRYS, OWN)
    told = nhipso("indicators", AREA)
    assert "national 95.00 %" in line_of(told.out, "ds.smartphone ")
    assert (
        "judged by the country's target 95.00 % (pace 82.68 %); "
        "the unit's own target 85.00 % (pace 64.46 %); "
        "the province's target 70.00 % (pace 65.50 %)"
    ) in " ".join(told.out.split())


def test_the_countrys_target_is_told_where_the_provinces_counts(
    nhipso: Run, stack: FakeStack
) -> None:
    say(stack, PROVINCES, COUNTRYS)
    told = nhipso("indicators", AREA)
    assert "  70.00 %" in line_of(told.out, "ds.smartphone ")
    assert told.out.count("the province's target 70.00 % (pace 65.50 %)") == 1
    assert "the country's target 95.00 %" in told.out


def test_what_the_province_says_needs_no_remark(nhipso: Run, stack: FakeStack) -> None:
    say(stack, PROVINCES)
    told = nhipso("indicators", AREA)
    assert "judged" not in told.out
    assert "own" not in told.out


def test_a_target_where_the_province_has_none(nhipso: Run, stack: FakeStack) -> None:
    none = dict.fromkeys(("target", "pace", "gap_people", "projected_on"))
    say(stack, OWN, of=row("ds.smartphone", **none))
    told = nhipso("indicators", AREA)
    assert "own 85.00 %" in line_of(told.out, "ds.smartphone ")
    assert "province's target" not in told.out


@pytest.mark.parametrize(
    "more",
    [
        {"projection": None},
        {"projection": {"state": "too-short", "slope_per_day": None, "based_on": None}},
        {"value": None, "numerator": 0, "denominator": 0, "projection": None},
        {"numerator": None, "denominator": None},
    ],
)
def test_what_is_not_known_is_not_told(nhipso: Run, stack: FakeStack, more: dict[str, Any]) -> None:
    say(stack, OWN, of=row("ds.smartphone", **more))
    told = nhipso("indicators", AREA)
    assert told.code == 0
    assert "own 85.00 %" in line_of(told.out, "ds.smartphone ")


def test_json_tells_it_beside_the_figure(nhipso: Run, stack: FakeStack) -> None:
    say(stack, OWN)
    told = nhipso("indicators", AREA, "--json")
    said = json.loads(told.out)
    assert said["measured_by"] == "notifier"
    (smartphone, fibre) = said["indicators"]
    assert (smartphone["target"], smartphone["gap_people"]) == (70, 106)  # scoring's, as it is
    assert smartphone["measured"] == {
        "aim": "own",
        "target": 85,
        "pace": 64.46,
        "gap_people": 86,
        "projected_on": "2027-01-11",
        "projection": {"state": "on-the-way"},
    }
    assert (fibre["measured"]["aim"], fibre["measured"]["target"]) == ("provincial", 70)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(503, {"title": "not ready"}), "answered 503: not ready"),
        (Answer(200, {"targets": [{"indicator": 5}]}), "/v1/targets did not answer as agreed"),
        (Answer(200, "oops"), "did not answer with JSON"),
    ],
)
def test_while_the_notifier_does_not_answer_the_provinces_targets_stand_and_a_line_says_so(
    nhipso: Run, stack: FakeStack, answer: Answer, why: str
) -> None:
    say(stack, OWN)
    stack.answers["/v1/targets"] = lambda _: answer
    told = nhipso("indicators", AREA)
    assert told.code == 0
    said = " ".join(told.out.split())
    assert "targets are the province's: what the unit is judged by is not known" in said
    assert why in said
    assert "  70.00 %" in line_of(told.out, "ds.smartphone ")
    told = nhipso("indicators", AREA, "--json")
    assert "targets are the province's" in told.err
    said = json.loads(told.out)
    assert said["measured_by"] == "scoring"
    assert {one["measured"]["aim"] for one in said["indicators"]} == {"provincial"}
