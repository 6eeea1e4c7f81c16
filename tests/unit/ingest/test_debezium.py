"""Change records become rows. The records are those of Debezium 3.6, with invented people."""

import base64
import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reasons import Reason
from services.ingest.connectors.connector import UnmappableError
from services.ingest.connectors.kafka.config import DebeziumConfig
from services.ingest.connectors.kafka.debezium import row_of
from services.ingest.connectors.kafka.mapping import mapping_of
from services.ingest.core.verdicts import ObjectionError

ROW = {
    "id": 1,
    "cccd": "001099000001",
    "born": 7306,
    "changed_at": 1795337569474999,
    "seen_at": "2026-11-22T08:52:49.474999Z",
    "rate": "BOI=",
    "score": {"scale": 2, "value": "fQ=="},
    "note": None,
}
SOURCE = {
    "version": "3.6.1.Final",
    "connector": "postgresql",
    "name": "src",
    "ts_ms": 1795337581721,
    "snapshot": "false",
    "db": "registry",
    "schema": "public",
    "table": "citizens",
    "txId": 757,
    "lsn": 28501584,
}
COLUMNS = [
    {"type": "int64", "optional": False, "field": "id"},
    {"type": "string", "optional": True, "field": "cccd"},
    {"type": "int32", "optional": True, "name": "io.debezium.time.Date", "field": "born"},
    {
        "type": "int64",
        "optional": True,
        "name": "io.debezium.time.MicroTimestamp",
        "field": "changed_at",
    },
    {
        "type": "string",
        "optional": True,
        "name": "io.debezium.time.ZonedTimestamp",
        "field": "seen_at",
    },
    {
        "type": "bytes",
        "optional": True,
        "name": "org.apache.kafka.connect.data.Decimal",
        "parameters": {"scale": "2", "connect.decimal.precision": "10"},
        "field": "rate",
    },
]
SCHEMA = {
    "type": "struct",
    "fields": [
        {"type": "struct", "fields": COLUMNS, "optional": True, "field": "before"},
        {"type": "struct", "fields": COLUMNS, "optional": True, "field": "after"},
    ],
    "name": "src.public.citizens.Envelope",
}


def change(op: str, *, before: Any = None, after: Any = None) -> dict[str, Any]:
    return {
        "before": before,
        "after": after,
        "source": SOURCE,
        "transaction": None,
        "op": op,
        "ts_ms": 1795337582224,
    }


def row(decoded: Any, *, unwrapped: bool = False) -> dict[str, Any]:
    found = row_of(decoded, unwrapped=unwrapped)
    assert found is not None
    return found


@pytest.mark.parametrize("op", ["r", "c", "u"])
def test_a_row_is_what_it_is_after_the_change(op: str) -> None:
    found = row(change(op, before={"cccd": "old"}, after=ROW))
    assert found["cccd"] == "001099000001"
    assert (found["op"], found["schema"], found["table"]) == (op, "public", "citizens")
    assert (found["lsn"], found["ts_ms"]) == (28501584, 1795337581721)
    assert found["before"] == {"cccd": "old"}


def test_a_deleted_row_is_what_it_was_before() -> None:
    found = row(change("d", before=ROW))
    assert (found["op"], found["cccd"]) == ("d", "001099000001")


def test_a_deletion_without_an_image_has_no_columns() -> None:
    assert "cccd" not in row(change("d"))


def test_with_and_without_schema_the_row_is_the_same_but_for_decimals_in_bytes() -> None:
    plain = row(change("c", after=ROW))
    described = row({"schema": SCHEMA, "payload": change("c", after=ROW)})
    assert described["rate"] == Decimal("12.50")
    assert plain["rate"] == "BOI="
    assert described["score"] == plain["score"] == Decimal("1.25")
    for found in (plain, described):
        assert (found["born"], found["changed_at"]) == (7306, 1795337569474999)
        assert found["seen_at"] == "2026-11-22T08:52:49.474999Z"


@given(st.integers(-(2**200), 2**200), st.integers(0, 12))
def test_a_decimal_in_bytes_is_exact(unscaled: int, scale: int) -> None:
    length = unscaled.bit_length() // 8 + 1
    text = base64.b64encode(unscaled.to_bytes(length, "big", signed=True)).decode()
    found = row(change("c", after={"rate": {"scale": scale, "value": text}}))["rate"]
    assert found.as_integer_ratio() == Decimal(f"{unscaled}E-{scale}").as_integer_ratio()


@pytest.mark.parametrize(
    "value",
    [
        {"scale": 2, "value": "no base 64"},
        {"scale": -1_000_000_000, "value": "fQ=="},
        {"scale": "x", "value": "fQ=="},
        {"scale": 2, "value": None},
        {"scale": 2, "value": base64.b64encode(bytes(100)).decode()},
    ],
)
def test_what_is_no_decimal_is_objected_to_by_its_column(value: Any) -> None:
    with pytest.raises(UnmappableError, match=r"column rate is no decimal in bytes"):
        row_of(change("c", after={"rate": value}), unwrapped=False)


def test_columns_of_the_same_names_are_found_in_the_images() -> None:
    found = row(change("u", before={"op": 1, "table": "x"}, after={"op": 2, "table": "y"}))
    assert (found["op"], found["table"]) == ("u", "citizens")
    assert (found["before"]["op"], found["after"]["table"]) == (1, "y")


def test_a_value_that_the_database_did_not_log_is_left_out() -> None:
    found = row(change("u", after={"id": 1, "note": "__debezium_unavailable_value"}))
    assert "note" not in found
    assert found["id"] == 1


@pytest.mark.parametrize(
    "notice",
    [
        {"ts_ms": 1795337571456},
        {"status": "BEGIN", "id": "757:28501584", "event_count": None, "ts_ms": 1795337581721},
        {"status": "END", "id": "757:28501864", "event_count": 1, "ts_ms": 1795337581721},
        {"op": "m", "ts_ms": 1, "source": SOURCE, "message": {"prefix": "p", "content": "fQ=="}},
        {"schema": {"type": "struct"}, "payload": {"ts_ms": 1795337571456}},
        {"schema": None, "payload": None},
        None,
    ],
)
def test_what_says_nothing_of_a_row_is_no_row(notice: Any) -> None:
    assert row_of(notice, unwrapped=False) is None


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (change("t"), "TRUNCATE"),
        (change("x", after=ROW), "none of r, c, u"),
        (change("u"), "has no after"),
        (change("c", after="text"), "has no after"),
        (ROW, "unwrapped"),
        ([], "no JSON object"),
        ({"op": "c", "after": ROW, "source": "text"}, "unwrapped"),
        ({"schema": SCHEMA, "payload": "text"}, "no JSON object"),
    ],
)
def test_what_is_no_change_of_one_row_is_objected_to(record: Any, why: str) -> None:
    with pytest.raises(UnmappableError, match=why):
        row_of(record, unwrapped=False)


def test_an_unwrapped_record_is_the_row_itself() -> None:
    flat = ROW | {"__op": "d", "__deleted": "true", "__table": "citizens"}
    found = row(flat, unwrapped=True)
    assert (found["__op"], found["cccd"]) == ("d", "001099000001")
    schema = {"type": "struct", "fields": COLUMNS}
    assert row({"schema": schema, "payload": flat}, unwrapped=True)["rate"] == Decimal("12.50")


CONFIG = DebeziumConfig.model_validate(
    {
        "events": [
            {
                "type": "vn.nhipso.identity.citizen-departed.v1",
                "when": {"table": ["citizens"], "op": ["d"]},
                "subject": "citizen:{cccd}",
                "time": {"field": "ts_ms", "form": "epoch-ms"},
                "data": {"reason": {"constant": "moved-away"}},
            }
        ]
    }
)


def events(record: Any) -> Any:
    mapping = mapping_of(CONFIG, "urn:nhipso:source:invented", lambda said: f"{len(said)}")
    return mapping(b"" if record is None else json.dumps(record).encode())


def test_rules_make_events_of_rows_and_leave_others_alone() -> None:
    [event] = events(change("d", before=ROW))
    assert event["subject"] == "citizen:001099000001"
    assert event["time"].startswith("2026-11-22T08:53:01.721")
    assert events(change("u", before=ROW, after=ROW)) == []
    other = copy.deepcopy(change("d", before=ROW))
    other["source"]["table"] = "others"
    assert events(other) == []


def test_a_tombstone_makes_no_event() -> None:
    assert events(None) == []


def test_a_deletion_of_a_table_without_full_identity_is_objected_to_by_the_field() -> None:
    short = {name: value if name == "id" else None for name, value in ROW.items()}
    with pytest.raises(ObjectionError, match="cccd") as caught:
        events(change("d", before=short))
    assert caught.value.reason is Reason.BAD_SUBJECT


def test_garbage_on_a_topic_of_changes_is_objected_to() -> None:
    mapping = mapping_of(CONFIG, "urn:nhipso:source:invented", lambda _: "id")
    for text in (b"\xff", b"{", b"no change"):
        with pytest.raises(UnmappableError, match="not JSON"):
            mapping(text)
