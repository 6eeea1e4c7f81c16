import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import BaseModel, ValidationError

from contracts.examples import UPDATE_EXAMPLES
from contracts.report_events import ReportEvent
from contracts.topics import TOPIC_CONFIGS
from contracts.updates import (
    AlertChanged,
    IndicatorUpdated,
    IndicatorUpdatedData,
    indicator_updated,
)

MOMENT = datetime(2026, 11, 20, 1, 30, 1, tzinfo=UTC)
DATA = IndicatorUpdatedData(
    area="2025:02647",
    indicator="ds.smartphone",
    basis="events",
    numerator=1204,
    denominator=1800,
    value=Decimal("66.89"),
    version=7,
    updated_at=MOMENT,
    fresh_at=None,
)


def test_the_event_of_a_figure_has_an_id_that_follows_from_what_it_says() -> None:
    event = indicator_updated(DATA)
    assert event == indicator_updated(DATA)
    assert event.id == "2025:02647/ds.smartphone/events/7"
    assert event.id != indicator_updated(DATA.model_copy(update={"version": 8})).id
    assert event.subject == "area:2025:02647"
    assert event.time == MOMENT


def test_a_figure_is_written_with_numbers_and_read_again_without_loss() -> None:
    event = indicator_updated(DATA)
    text = event.model_dump_json()
    assert json.loads(text)["data"]["value"] == 66.89
    assert json.loads(text)["time"] == "2026-11-20T01:30:01Z"
    assert IndicatorUpdated.model_validate_json(text) == event


def test_a_share_of_nobody_has_no_value() -> None:
    nobody = DATA.model_copy(update={"numerator": 0, "denominator": 0, "value": None})
    text = indicator_updated(nobody).model_dump_json()
    assert json.loads(text)["data"]["value"] is None


@pytest.mark.parametrize("event_type", list(UPDATE_EXAMPLES))
def test_the_examples_are_what_the_models_write(event_type: str) -> None:
    models = {"indicator": IndicatorUpdated, "alert": AlertChanged, "report": ReportEvent}
    model: type[BaseModel] = models[event_type.split(".")[2]]
    example = dict(UPDATE_EXAMPLES[event_type])
    assert json.loads(model.model_validate(example).model_dump_json()) == example


def test_an_alert_is_opened_changed_or_resolved() -> None:
    example = dict(UPDATE_EXAMPLES["vn.nhipso.alert.opened.v1"])
    with pytest.raises(ValidationError, match="type"):
        AlertChanged.model_validate({**example, "type": "vn.nhipso.alert.closed.v1"})


def test_the_topics_are_those_of_the_contract_and_accepted_events_are_kept_for_ever() -> None:
    assert set(TOPIC_CONFIGS) == {
        "subject-events.v1",
        "rejected-events.v1",
        "indicator-events.v1",
        "alert-events.v1",
        "report-events.v1",
    }
    assert TOPIC_CONFIGS["subject-events.v1"]["retention.ms"] == "-1"
