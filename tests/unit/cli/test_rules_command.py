"""`nhipso rules check`: says what is wrong with rules, and what they would have done."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.times import local_day
from services.notifier import rules
from tests.fakes.http_stack import Answer, FakeStack

Run = Callable[..., Any]

HISTORY = "/v1/areas/2025:02647/indicators/ds.smartphone/history"


def points(first: date, last: date) -> list[dict[str, Any]]:
    """60 % on each day."""
    return [
        {
            "day": (first + timedelta(days=number)).isoformat(),
            "numerator": 600,
            "denominator": 1000,
            "value": 60.0,
            "restated_at": None,
            "carried": False,
        }
        for number in range((last - first).days + 1)
    ]


@pytest.fixture
def today() -> date:
    return local_day(datetime.now(UTC))


@pytest.fixture
def scoring(stack: FakeStack, today: date) -> FakeStack:
    lately = points(today - timedelta(days=9), today)
    stack.answers[HISTORY] = lambda _: Answer(200, {"basis": "events", "points": lately})
    return stack


def written(folder: Path, old: str = "", new: str = "") -> str:
    path = folder / "rules.yaml"
    text = rules.shipped().read_text(encoding="utf-8")
    path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return str(path)


def test_the_file_alone_needs_no_stack(nhipso: Run, tmp_path: Path) -> None:
    told = nhipso("rules", "check", written(tmp_path), "--no-history")
    assert (told.code, "holds" in told.out) == (0, True)


def test_a_mistake_names_the_rule_and_the_field(nhipso: Run, tmp_path: Path) -> None:
    file = written(tmp_path, "tolerance: 2", "tolerance: many")
    told = nhipso("rules", "check", file, "--no-history")
    assert told.code == 2
    assert "rules.tolerance" in told.err


def test_shows_what_would_have_fired(nhipso: Run, scoring: FakeStack, today: date) -> None:
    told = nhipso("rules", "check", "--area", "02647", "--indicator", "ds.smartphone")
    assert told.code == 0
    line = next(line for line in told.out.splitlines() if "2025:02647" in line)
    began = (today - timedelta(days=6)).isoformat()
    for part in ("ds.smartphone", began, "still fires", "warning", "target-missed"):
        assert part in line
    assert f"to {today}: 1, about 1 of 1 figures" in told.out
    first = today - timedelta(days=9)
    assert f"scoring knows their days from {first} on" in told.out
    assert [request.token for request in scoring.requests] == ["token-operator"]


ONE_FIGURE = ("--area", "02647", "--indicator", "ds.smartphone")


def test_another_file_says_what_changes(nhipso: Run, scoring: FakeStack, tmp_path: Path) -> None:
    file = written(tmp_path, "for: 3d", "for: 30d")
    told = nhipso("rules", "check", file, *ONE_FIGURE)
    assert ": 0, about 0 of 1 figures" in told.out
    assert "0 new, 0 changed, 1 gone, 0 the same" in told.out
    assert next(line for line in told.out.splitlines() if "2025:02647" in line).split()[0] == "gone"
    assert len(scoring.requests) == 1  # asked once for both
    back = nhipso("rules", "check", str(rules.shipped()), "--against", file, *ONE_FIGURE)
    assert "1 new, 0 changed, 0 gone, 0 the same" in back.out


def test_what_stays_the_same_is_counted_and_not_listed(
    nhipso: Run, scoring: FakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path)
    told = nhipso("rules", "check", file, *ONE_FIGURE)
    assert "0 new, 0 changed, 0 gone, 1 the same" in told.out
    assert "2025:02647" not in told.out
    monkeypatch.setenv("NHIPSO_NOTIFIER__RULES_FILE", file)
    in_force = nhipso("rules", "check", *ONE_FIGURE)
    assert ("the same" in in_force.out, "2025:02647" in in_force.out) == (False, True)
    assert file in in_force.out


def test_the_change_in_json(nhipso: Run, scoring: FakeStack, tmp_path: Path) -> None:
    own = 'units: {"2025:02647": {indicators: {ds.smartphone: {targets: {"2030": 30}}}}}'
    file = written(tmp_path, "freshness:", f"{own}\nfreshness:")
    said = json.loads(nhipso("rules", "check", file, *ONE_FIGURE, "--json").out)
    assert (said["fired"], [one["indicator"] for one in said["gone"]]) == ([], ["ds.smartphone"])
    graver = written(tmp_path, "critical: 15", "critical: 6")
    said = json.loads(nhipso("rules", "check", graver, *ONE_FIGURE, "--json").out)
    assert [(one["severity"], one["change"]) for one in said["fired"]] == [("critical", "changed")]
    assert said["against"] == str(rules.shipped())


def test_rules_of_a_unit_that_has_ended_are_remarked_on(nhipso: Run, tmp_path: Path) -> None:
    file = written(tmp_path, "freshness:", 'units: {"legacy:02647": {}}\nfreshness:')
    told = nhipso("rules", "check", file, "--no-history")
    assert told.code == 0
    said = " ".join(told.err.split())
    assert "units.legacy:02647: Phường Kim Tân does not exist today" in said


def test_a_year_without_holidays_is_remarked_on(nhipso: Run, tmp_path: Path, today: date) -> None:
    empty = tmp_path / "holidays.yaml"
    empty.write_text("{country: VN, years: {}}", encoding="utf-8")
    told = nhipso("rules", "check", "--no-history", "--holidays", str(empty), "--json")
    assert f"the public holidays of {today.year} are not known" in json.loads(told.out)["notes"][0]
    assert "are not known" in " ".join(told.err.split())
    broken = nhipso("rules", "check", "--no-history", "--holidays", str(tmp_path / "none.yaml"))
    assert (broken.code, "cannot be read" in " ".join(broken.err.split())) == (2, True)


def test_every_mistake_is_told_at_once_with_what_to_do(nhipso: Run, tmp_path: Path) -> None:
    file = written(tmp_path, "  tolerance: 2", "  tolerence: 2")
    told = nhipso("rules", "check", file, "--no-history", "--json")
    assert (told.code, told.out) == (2, "")
    assert "rules.tolerance: is missing" in told.err
    assert "rules.tolerence: there is no such key here; check how it is spelt" in told.err


def test_says_when_there_is_no_history(nhipso: Run, stack: FakeStack) -> None:
    stack.answers[HISTORY] = lambda _: Answer(200, {"basis": "events", "points": []})
    told = nhipso("rules", "check", "--area", "02647", "--indicator", "ds.smartphone")
    assert (told.code, "knows no day" in told.out) == (0, True)


def test_json_for_scripts(nhipso: Run, scoring: FakeStack, today: date) -> None:
    told = nhipso(
        "rules", "check", "--area", "02647", "--indicator", "ds.smartphone", "--days", "3", "--json"
    )
    said = json.loads(told.out)
    assert said["from"] == (today - timedelta(days=2)).isoformat()
    assert [(one["area"], one["severity"], one["to"]) for one in said["fired"]] == [
        ("2025:02647", "warning", None)
    ]


def test_an_unknown_indicator_is_refused(nhipso: Run, stack: FakeStack) -> None:
    told = nhipso("rules", "check", "--indicator", "ds.smart")
    assert (told.code, "there is no indicator ds.smart" in told.err) == (2, True)


def test_an_answer_that_is_none_is_exit_code_3(nhipso: Run, stack: FakeStack) -> None:
    stack.answers[HISTORY] = lambda _: Answer(200, {"days": []})
    told = nhipso("rules", "check", "--area", "02647", "--indicator", "ds.smartphone")
    assert (told.code, "wire contract" in told.err) == (3, True)
