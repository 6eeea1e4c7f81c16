"""The quick twin says what the models say, or nothing."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import areas, catalogue
from contracts.events import EVENT_MODELS
from contracts.examples import inside_example
from services.scoring.core import records
from services.scoring.core.records import ReadEvent, UnreadableError, reader
from services.scoring.core.twin import QUICK_TYPES, read_quickly

READ = reader(areas.load(), frozenset(catalogue.load().by_id))

#: Values that are nearly right somewhere.
CLOSE: list[Any] = [
    *(True, False, None, 0, 1, 2, 3, 4, 5, -1, 1.0, 2.5, 10**30, "", "true", "1", [], {}),
    *("02647", "02647\n", "2647", "٠٢٦٤٧", "national", "National", "bank", "micro", "primary"),
    *("1990-05-17", "1990-02-30", "0000-01-01", "1990-5-17", "1990-05-17T00:00:00Z", "1990-W20-4"),
    *("2026-11-20T01:30:00Z", "2026-11-20T01:30:00.123456Z", "2026-11-20T08:30:00+07:00"),
    *("2026-11-20t01:30:00z", "2026-11-20 01:30:00Z", "2026-11-20T01:30:00.1234567Z"),
    *("2026-11-20T24:00:00Z", "2026-11-20T01:30:60Z", "2026-13-20T01:30:00Z", "2026-11-20T01:30Z"),
    *("1999-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-20T01:30:00,123456Z"),
    *(
        "1.0",
        "0.3",
        "application/json",
        "application/json; charset=utf-8",
        "x\x00y",
        "é",
        "😀" * 70,
    ),
    *("citizen:" + "0" * 32, "citizen:" + "a" * 31, "household:" + "0" * 32, "area:2025:15"),
]
PLACES = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "data",
    "new",
)


def fields(event_type: str) -> list[str]:
    data = EVENT_MODELS[event_type].model_fields["data"].annotation
    return [*getattr(data, "model_fields", {}), "unlisted"]


@st.composite
def nearly_events(draw: st.DrawFn) -> bytes:
    event_type = draw(st.sampled_from(sorted(EVENT_MODELS)))
    event = inside_example(event_type)
    event["data"] = dict(event["data"])
    for _ in range(draw(st.integers(0, 2))):
        if draw(st.booleans()):
            target, name = event, draw(st.sampled_from(PLACES))
        elif isinstance(event.get("data"), dict):
            target, name = event["data"], draw(st.sampled_from(fields(event_type)))
        else:
            continue
        if draw(st.booleans()):
            target[name] = draw(st.sampled_from(CLOSE) | st.text(max_size=140))
        else:
            target.pop(name, None)
    pairs = draw(st.permutations(list(event.items())))
    return json.dumps(dict(pairs), ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")


def outcome(value: bytes) -> ReadEvent | tuple[str, str]:
    try:
        return READ(value)
    except UnreadableError as error:
        return error.reason, error.detail


@given(nearly_events())
def test_the_twin_and_the_models_read_the_same(value: bytes) -> None:
    quickly = outcome(value)
    with patch.object(records, "read_quickly", lambda _: None):
        slowly = outcome(value)
    assert quickly == slowly
    if isinstance(quickly, ReadEvent) and isinstance(slowly, ReadEvent):
        assert list(getattr(quickly.body, "data", ())) == list(getattr(slowly.body, "data", ()))


@pytest.mark.parametrize("event_type", sorted(QUICK_TYPES))
def test_what_ingest_writes_is_read_by_the_twin(event_type: str) -> None:
    assert read_quickly(json.dumps(inside_example(event_type)).encode()) is not None


def test_nearly_every_type_has_a_twin() -> None:
    without = {"vn.nhipso.report.figures-submitted.v1", "vn.nhipso.registry.subject-closed.v1"}
    assert set(EVENT_MODELS) - QUICK_TYPES == without


GARBAGE = (b"", b"{}", b"[]", b"null", b"\xff", b'{"specversion":"1.0"', b'"text"')


@pytest.mark.parametrize("value", GARBAGE)
def test_garbage_is_left_to_the_models(value: bytes) -> None:
    assert read_quickly(value) is None
