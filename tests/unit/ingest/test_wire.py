"""The three modes of CloudEvents over HTTP, mapped to what was sent, nothing invented."""

import json
from functools import partial
from typing import Any

import pytest

from services.ingest.wire import (
    NotCloudEventsError,
    TooManyEventsError,
    UnsupportedMediaTypeError,
    mode_of,
    read_events,
)

read = partial(read_events, max_events=3)

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
EVENT = {"specversion": "1.0", "id": "1", "source": "urn:a", "type": "t", "time": "no time"}


@pytest.mark.parametrize(
    ("content_type", "mode"),
    [
        (STRUCTURED, "structured"),
        (f"{STRUCTURED}; charset=UTF-8", "structured"),
        ("Application/CloudEvents+JSON", "structured"),
        (BATCH, "batch"),
        (f'{BATCH};charset="utf-8"', "batch"),
    ],
)
def test_the_media_type_tells_the_mode(content_type: str, mode: str) -> None:
    assert mode_of({"content-type": content_type, "ce-id": "1"}) == mode


def test_headers_tell_binary_mode() -> None:
    assert mode_of({"content-type": "application/json", "ce-id": "1"}) == "binary"
    assert mode_of({"ce-id": "1"}) == "binary"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/cloudevents+xml",
        "application/cloudevents+avro",
        f"{STRUCTURED}; charset=utf-16",
    ],
)
def test_other_media_types_are_not_taken(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        mode_of({"content-type": content_type})


def test_plain_json_is_no_cloudevent() -> None:
    with pytest.raises(NotCloudEventsError, match="ce-"):
        mode_of({"content-type": "application/json"})


def test_structured_mode_keeps_attributes_as_sent() -> None:
    body = json.dumps(EVENT | {"data": {"a": 1}, "ext": True}).encode()
    [received] = read("structured", {}, body)
    assert received.decoded == EVENT | {"data": {"a": 1}, "ext": True}
    assert received.original == body


def test_nothing_is_invented() -> None:
    [received] = read("structured", {}, b'{"specversion":"1.0"}')
    assert received.decoded == {"specversion": "1.0", "data": None}


def test_base64_data_stays_for_the_verdict() -> None:
    [received] = read("structured", {}, b'{"id":"1","data_base64":"e30="}')
    assert received.decoded["data_base64"] == "e30="


def test_batch_mode_keeps_the_bytes_of_each_event() -> None:
    body = b'[ {"id":"1"} , 7,\n{"id": "2", "data":{"x":"\xc3\xa1"}}]'
    received = read("batch", {}, body)
    assert [event.original for event in received] == [
        b'{"id":"1"}',
        b"7",
        b'{"id": "2", "data":{"x":"\xc3\xa1"}}',
    ]
    assert received[1].decoded == 7
    assert received[2].decoded == {"id": "2", "data": {"x": "á"}}
    assert [event.index for event in received] == [0, 1, 2]


def test_an_empty_batch_is_a_batch() -> None:
    assert read("batch", {}, b"[]") == []


def test_of_a_repeated_name_the_last_counts() -> None:
    [received] = read("structured", {}, b'{"id":"1","id":"2"}')
    assert received.decoded["id"] == "2"


def test_a_number_beyond_a_float_concerns_its_own_event_alone() -> None:
    received = read("batch", {}, b'[{"id":"1","data":{"value":1e999}},{"id":"2"}]')
    assert received[0].decoded["data"]["value"] == float("inf")


def test_binary_mode_takes_attributes_from_headers() -> None:
    headers = {
        "content-type": "application/json; charset=utf-8",
        "ce-specversion": "1.0",
        "ce-id": "r%C3%A9",
        "ce-time": "2026-03-01T08:30:00%2B07:00",
        "ce-ext": "x",
        "ce-data": "no attribute",
        "ce-datacontenttype": "text/plain",
        "user-agent": "test",
    }
    [received] = read("binary", headers, b'{"a":1}')
    assert received.decoded == {
        "specversion": "1.0",
        "id": "ré",
        "time": "2026-03-01T08:30:00+07:00",
        "ext": "x",
        "datacontenttype": "application/json; charset=utf-8",
        "data": {"a": 1},
    }
    assert json.loads(received.original) == received.decoded


def test_binary_mode_leaves_a_bad_time_to_the_verdict() -> None:
    [received] = read("binary", {"ce-id": "1", "ce-time": "yesterday"}, b"{}")
    assert received.decoded["time"] == "yesterday"


def test_binary_mode_with_other_data_is_left_to_the_verdict() -> None:
    headers = {"ce-id": "1", "content-type": "application/octet-stream"}
    [received] = read("binary", headers, b"\xff\x00")
    assert received.decoded["datacontenttype"] == "application/octet-stream"
    assert json.loads(received.original)["data_base64"] == "/wA="


@pytest.mark.parametrize(
    ("mode", "body"),
    [
        ("structured", b""),
        ("structured", b"no json"),
        ("structured", b'{"id": NaN}'),
        ("structured", b'\xef\xbb\xbf{"id":"1"}'),
        ("structured", b'{"id":"\xff"}'),
        ("structured", b'{"id":"\\ud800"}'),
        ("structured", b"[]"),
        ("structured", b'"text"'),
        ("structured", b"null"),
        ("structured", b'{"hello":"world"}'),
        ("structured", b"[" * 5000 + b"]" * 5000),
        ("batch", b""),
        ("batch", b'{"id":"1"}'),
        ("batch", b'[{"id":"1"}'),
        ("batch", b'[{"id":"1"},{"id":"\xff"}]'),
        ("batch", b'[{"id":"1"}] more'),
        ("batch", b"[" * 5000 + b"]" * 5000),
        ("binary", b"no json"),
    ],
)
def test_what_is_not_json_or_no_cloudevent_is_said_so(mode: Any, body: bytes) -> None:
    with pytest.raises(NotCloudEventsError):
        read(mode, {"ce-id": "1", "content-type": "application/json"}, body)


def test_the_reason_never_repeats_the_body() -> None:
    with pytest.raises(NotCloudEventsError) as caught:
        read("structured", {}, b'{"subject":"citizen:000123456789",')
    assert "000123456789" not in str(caught.value)


def test_a_batch_has_no_more_events_than_are_taken_at_once() -> None:
    assert len(read("batch", {}, b"[1,2,3]")) == 3
    with pytest.raises(TooManyEventsError, match="3 events"):
        read("batch", {}, b"[1,2,3,4]")
