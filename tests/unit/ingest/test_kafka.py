"""The pure parts of the kafka connector: records, positions, and events in edge form."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reasons import Reason
from services.ingest.connectors.connector import RecordMapping, UnmappableError
from services.ingest.connectors.kafka.config import KafkaConfig
from services.ingest.connectors.kafka.mapping import mapping_of
from services.ingest.connectors.kafka.positions import start
from services.ingest.connectors.kafka.records import UNREADABLE, Headers, original

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "urn:nhipso:source:invented",
    "type": "vn.nhipso.identity.eid-changed.v1",
    "subject": "citizen:001099000001",
    "time": "2026-03-01T08:30:00+07:00",
}
DATA = {"level": 2, "activated": True}


def edge() -> RecordMapping:
    return mapping_of(None, "urn:nhipso:source:invented", lambda _: "id")


def binary(**more: bytes | None) -> list[tuple[str, bytes | None]]:
    return [
        *((f"ce_{name}", text.encode()) for name, text in EVENT.items()),
        ("content-type", b"application/json; charset=utf-8"),
        *more.items(),
    ]


def test_a_structured_record_is_kept_byte_for_byte() -> None:
    value = json.dumps(EVENT, indent=3).encode()
    headers: Headers = [("content-type", b"application/cloudevents+json"), ("ce_id", b"other")]
    assert original(value, headers) == value
    assert original(value, []) == value
    assert original(value, [("traceparent", b"\xff")]) == value


def test_a_binary_record_is_written_in_structured_form() -> None:
    text = original(json.dumps(DATA).encode(), binary())
    assert json.loads(text) == EVENT | {
        "datacontenttype": "application/json; charset=utf-8",
        "data": DATA,
    }
    assert edge()(text) == [json.loads(text)]


def test_data_that_is_no_json_is_named_as_what_it_is() -> None:
    assert json.loads(original(b"\xff{", binary()))["data_base64"] == "/3s="
    assert "data" not in json.loads(original(None, binary()))


def test_a_header_that_is_no_text_is_no_text_in_the_event_either() -> None:
    found = json.loads(original(b"{}", binary(ce_id=b"\xff", ce_time=None)))
    assert found["id"] == {"base64": "/w=="}
    assert found["time"] is None


def test_data_of_the_value_cannot_be_replaced_by_a_header() -> None:
    assert json.loads(original(b"{}", binary(ce_data=b"x")))["data"] == {}


@given(st.binary(max_size=60), st.lists(st.tuples(st.text(max_size=8), st.none() | st.binary())))
def test_any_record_has_a_text_that_is_mapped_or_objected_to(
    value: bytes, headers: list[tuple[str, bytes | None]]
) -> None:
    text = original(value, headers)
    try:
        found: object = edge()(text)
    except UnmappableError as error:
        found = error.reason
    assert found in (Reason.BAD_ENVELOPE, [_json(text)])


def _json(text: bytes) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "has no value"),
        (b"[]", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (UNREADABLE, "cannot decode"),
    ],
)
def test_what_is_no_event_is_objected_to(text: bytes, why: str) -> None:
    with pytest.raises(UnmappableError, match=why) as caught:
        edge()(text)
    assert caught.value.reason is Reason.BAD_ENVELOPE


def test_an_objection_repeats_nothing_of_the_record() -> None:
    with pytest.raises(UnmappableError) as caught:
        edge()(b'{"subject": "citizen:001099000001" oops')
    assert "001099000001" not in caught.value.detail


def test_a_first_reading_begins_at_the_earliest_offset() -> None:
    found = start(None, {0: 5, 1: 0}, {0: 9, 1: 0})
    assert (found.positions, found.gone, found.again) == ({0: 5, 1: 0}, {}, [])


def test_a_cursor_is_gone_on_from_and_new_partitions_begin_at_their_earliest() -> None:
    found = start({"0": 7}, {0: 5, 1: 3}, {0: 9, 1: 4})
    assert (found.positions, found.gone, found.again) == ({0: 7, 1: 3}, {}, [])
    assert start({"0": 9}, {0: 9}, {0: 9}).positions == {0: 9}


def test_what_retention_removed_is_counted() -> None:
    found = start({"0": 7, "1": 2}, {0: 12, 1: 2}, {0: 20, 1: 2})
    assert (found.positions, found.gone, found.again) == ({0: 12, 1: 2}, {0: 5}, [])


def test_a_partition_that_ends_before_the_cursor_is_read_anew() -> None:
    found = start({"0": 7}, {0: 0}, {0: 3})
    assert (found.positions, found.gone, found.again) == ({0: 0}, {}, [0])


@pytest.mark.parametrize(
    "config",
    [
        {"topic": "a/b"},
        {"topic": ""},
        {"page_records": 0},
        {"page_bytes": 9 * 1024 * 1024},
        {"debezium": {}},
        {"debezium": {"events": []}},
        {"unknown": 1},
    ],
)
def test_a_config_that_means_nothing_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        KafkaConfig.model_validate(config)
