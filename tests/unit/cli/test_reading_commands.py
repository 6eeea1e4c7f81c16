"""What the reading commands show, and what they say when a service does not answer."""

import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.areas import load
from services.cli.area_argument import find_area
from services.cli.bar import pace_bar
from services.cli.exits import CommandError
from tests.fakes.http_stack import Answer, FakeStack

Run = Callable[..., Any]


def row(indicator: str, value: float | None, **more: Any) -> dict[str, Any]:
    return {
        "id": indicator,
        "numerator": 1204,
        "denominator": 2000,
        "value": value,
        "basis": "events",
        "target": 70,
        "pace": 65.5,
        "gap_people": 106,
        "projected_on": "2027-03-01",
        "updated_at": "2026-11-22T03:00:00Z",
        **more,
    }


INDICATORS = {
    "area": "2025:04252",
    "as_of": "2026-11-22T03:00:00Z",
    "indicators": [
        row("nf.eid", 69.67, target=None, pace=None, gap_people=None, projected_on=None),
        row("ds.smartphone", 60.2),
        row("dt.eco.2", 118.4, pace=None, target=None, basis="reported", denominator=None),
        row("dc.1.1", None),
        row("ds.fibre", 60.2, projected_on=None, projection={"state": "not-at-this-pace"}),
        row("ds.schools", 60.2, projected_on=None, projection={"state": "too-short"}),
    ],
}


@pytest.fixture
def scoring(stack: FakeStack) -> FakeStack:
    """Scoring tells the figures of a commune, and the notifier judges by the province's targets."""
    stack.answers["/v1/areas/2025:04252/indicators"] = lambda _: Answer(200, INDICATORS)
    stack.answers["/v1/targets"] = lambda _: Answer(200, {"on": "2026-11-22", "targets": []})
    return stack


def test_indicators_are_shown_against_their_pace(nhipso: Run, scoring: FakeStack) -> None:
    told = nhipso("indicators", "2025:04252")
    assert told.code == 0
    assert "Phường Yên Bái (2025:04252)" in told.out
    line = next(line for line in told.out.splitlines() if "ds.smartphone" in line)
    for part in ("60.20 %", "┃", "65.50 %", "70.00 %", "106", "2027-03-01", "events"):
        assert part in line
    assert {request.token for request in scoring.requests} == {"token-operator"}


def test_what_a_unit_reported_stands_beside_with_the_difference(
    nhipso: Run, stack: FakeStack
) -> None:
    said = {"period": "2026-Q3", "value": 62.5, "difference": -2.3}
    shown = [row("ds.smartphone", 60.2, reported=said), row("ds.fibre", 60.2, reported=None)]
    stack.answers["/v1/areas/2025:04252/indicators"] = lambda _: Answer(
        200, INDICATORS | {"indicators": shown}
    )
    out = nhipso("indicators", "2025:04252").out
    assert "Reported" in out
    assert "2026-Q3: 62.50 % (-2.30)" in next(
        line for line in out.splitlines() if "ds.smartphone" in line
    )


@pytest.mark.parametrize(
    ("indicator", "said"), [("ds.fibre", "not at this pace"), ("ds.schools", "too early")]
)
def test_what_no_day_can_be_told_of_says_why(
    nhipso: Run, scoring: FakeStack, indicator: str, said: str
) -> None:
    out = nhipso("indicators", "2025:04252").out
    assert said in next(line for line in out.splitlines() if indicator in line)


def test_indicators_stand_in_the_order_of_the_catalogue(nhipso: Run, scoring: FakeStack) -> None:
    out = nhipso("indicators", "04252").out
    places = [out.index(name) for name in ("dc.1.1", "ds.smartphone", "dt.eco.2", "nf.eid")]
    assert places == sorted(places)
    assert "no data" in out
    assert "a quantity" in out


def test_names_come_in_english_on_request(nhipso: Run, scoring: FakeStack) -> None:
    assert "Adults with a smartphone" in nhipso("indicators", "04252", "--lang", "en").out


def test_json_is_the_answer_as_it_is_and_what_it_is_judged_by(
    nhipso: Run, scoring: FakeStack
) -> None:
    said = json.loads(nhipso("indicators", "04252", "--json").out)
    assert said.pop("measured_by") == "notifier"
    judged = {one["id"]: one.pop("measured") for one in said["indicators"]}
    assert said == INDICATORS
    assert judged["nf.eid"] is None
    assert judged["ds.fibre"] == {
        "aim": "provincial",
        "target": 70,
        "pace": 65.5,
        "gap_people": 106,
        "projected_on": None,
        "projection": {"state": "not-at-this-pace"},
    }


def test_a_service_that_refuses_is_quoted(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/areas/2025:15/indicators"] = lambda _: Answer(
        403, {"title": "Forbidden", "detail": "this token may not read that unit"}
    )
    told = nhipso("indicators")
    assert told.code == 2
    assert "this token may not read that unit" in told.err


def test_a_service_that_fails_is_exit_code_3(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/areas/2025:15/indicators"] = lambda _: Answer(500, "oops")
    assert nhipso("indicators").code == 3


@pytest.mark.parametrize(
    ("text", "area_id"),
    [
        ("2025:15", "2025:15"),
        ("legacy:04252", "legacy:04252"),
        ("04252", "2025:04252"),
        ("phường yên bái", "2025:04252"),
        ("Mu Cang Chai", "2025:04456"),
        ("Sa Pa", "2025:03006"),
    ],
)
def test_a_unit_is_found(text: str, area_id: str) -> None:
    today = load()["2025:15"].valid_from
    assert today is not None
    assert find_area(text, load(), today).area_id == area_id


@pytest.mark.parametrize(("text", "said"), [("99999", "no unit"), ("lao cai", "2025:02647")])
def test_a_unit_that_is_not_clear_is_asked_for(text: str, said: str) -> None:
    today = load()["2025:15"].valid_from
    assert today is not None
    with pytest.raises(CommandError, match=said):
        find_area(text, load(), today)


def test_the_bar_shows_value_and_pace() -> None:
    assert pace_bar(Decimal(50), Decimal(80), 10).plain == "█████···┃·"
    assert pace_bar(Decimal(50), None, 10).plain == "█████·····"
    assert pace_bar(Decimal(100), Decimal(100), 10).plain == "█████████┃"
    assert pace_bar(None, Decimal(80), 10).plain == "no data"


ALERTS = {
    "alerts": [
        {
            "id": "a-1",
            "area": "2025:04456",
            "indicator": "ds.e-signature",
            "state": "firing",
            "severity": "warning",
            "value": 21.4,
            "pace": 48.2,
            "gap_people": 312,
            "opened_at": "2026-11-20T01:00:00Z",
        }
    ]
}


def test_alerts_are_listed(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/alerts"] = lambda _: Answer(200, ALERTS)
    told = nhipso("alerts", "--area", "04456", "--severity", "warning")
    assert told.code == 0
    for part in (
        "Xã Mù Cang Chải",
        "ds.e-signature",
        "21.40 %",
        "48.20 %",
        "312",
        "20 08:00",
        "a-1",
    ):
        assert part in told.out
    assert stack.requests[0].query == {
        "state": "firing",
        "area": "2025:04456",
        "severity": "warning",
    }


def test_a_severity_that_does_not_exist_is_a_wrong_call(nhipso: Run, stack: FakeStack) -> None:
    assert nhipso("alerts", "--severity", "grave").code == 2
    assert stack.requests == []


def test_the_id_of_an_alert_can_be_copied(nhipso: Run, stack: FakeStack) -> None:
    name = "94e2f1a2-c7b3-5d88-89d3-2f7bd4668e8f"
    alert = ALERTS["alerts"][0] | {"id": name}
    stack.answers["/v1/alerts"] = lambda _: Answer(200, {"alerts": [alert]})
    assert name in nhipso("alerts").out


def test_no_alerts_is_good_news(nhipso: Run, stack: FakeStack) -> None:
    stack.answers["/v1/alerts"] = lambda _: Answer(200, {"alerts": []})
    told = nhipso("alerts", "--state", "all")
    assert (told.code, told.out) == (0, "no alerts\n")
    assert stack.requests[0].query == {}


def ready(_: Any) -> Answer:
    return Answer(200, {"status": "ready", "checks": {"kafka": "ok"}})


def metrics(_: Any) -> Answer:
    now = time.time()
    return Answer(
        200,
        "# TYPE scoring_consumer_lag gauge\n"
        'scoring_consumer_lag{partition="0"} 40\n'
        'scoring_consumer_lag{partition="1"} 2\n'
        "# TYPE scoring_source_last_event_timestamp_seconds gauge\n"
        f'scoring_source_last_event_timestamp_seconds{{source="urn:nhipso:source:ehr"}} {now}\n'
        "# TYPE scoring_event_to_state_seconds histogram\n"
        'scoring_event_to_state_seconds_bucket{le="+Inf"} 4\n'
        "scoring_event_to_state_seconds_sum 2.0\n"
        "scoring_event_to_state_seconds_count 4\n",
    )


def test_status_of_a_healthy_stack_is_exit_code_0(nhipso: Run, stack: FakeStack) -> None:
    stack.answers |= {"/readyz": ready, "/metrics": metrics}
    told = nhipso("status")
    assert told.code == 0
    assert told.out.count("ready") >= 4
    assert "42" in told.out
    assert "0.500 s" in told.out
    assert "s ago" in told.out


def test_status_names_what_is_not_ready(nhipso: Run, stack: FakeStack) -> None:
    checks = {"kafka": "no broker answers"}
    stack.answers["/readyz"] = lambda _: Answer(503, {"status": "not ready", "checks": checks})
    told = nhipso("status")
    assert told.code == 1
    assert "no broker answers" in told.out


def test_status_of_no_stack_is_exit_code_3(nhipso: Run, stack: FakeStack, tmp_path: Path) -> None:
    stack.url = "http://127.0.0.1:9"
    file = stack.write_endpoints(tmp_path / "gone.json")
    told = nhipso("status", "--endpoints", str(file))
    assert told.code == 3
    assert "no answer" in told.out
