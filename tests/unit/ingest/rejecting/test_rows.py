"""Every record of rejected-events.v1 becomes a row that PostgreSQL takes, or none."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.rejected import RejectedEvent
from contracts.tokens import Principal, Role
from services.ingest.rejecting.filters import Cursor, CursorError, Filter
from services.ingest.rejecting.rows import LONGEST_TEXT, Row, row_of

FIT: dict[str, Any] = {
    "id": str(uuid4()),
    "reason": "bad-data",
    "detail": "data.level: missing",
    "rejected_at": "2026-11-22T03:00:00Z",
    "stage": "ingest",
    "caller": "vneid",
    "caller_sources": ["urn:nhipso:source:vneid"],
    "caller_domains": ["identity"],
    "source": "urn:nhipso:source:vneid",
    "event_id": "e-1",
    "event_type": "vn.nhipso.identity.eid-changed.v1",
    "origin": {"via": "http", "mode": "batch", "index": 3},
    "original_bytes": 10,
    "sealed": "a.b.c.d.e",
}
OPERATOR = Principal(sub="an operator", role=Role.OPERATOR)


def _row(**changes: Any) -> Row | None:
    return row_of(json.dumps(FIT | changes).encode())


def _texts(row: Row) -> list[str]:
    lists = [member for member in row if isinstance(member, list)]
    return [text for text in (*row, *(one for many in lists for one in many)) if type(text) is str]


@given(st.text(max_size=800), st.text(max_size=800))
def test_whatever_a_sender_wrote_fits_into_postgresql(one: str, other: str) -> None:
    # The contract's own model writes them, so these are the texts that come.
    rejected = RejectedEvent.model_validate(
        FIT | {"source": one, "event_id": other, "event_type": one, "detail": other}
    )
    row = row_of(rejected.model_dump_json().encode())
    assert row is not None
    for text in _texts(row):
        assert "\x00" not in text
        assert len(text) <= LONGEST_TEXT


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("urn:nhipso:source:000098765432", "urn:nhipso:source:000098765432"),
        ("urn:nhipso:source:000076543210", "urn:nhipso:source:***"),
        (None, None),
    ],
)
def test_only_a_source_of_the_callers_own_may_have_a_number_in_its_name(
    source: str | None, shown: str | None
) -> None:
    row = _row(source=source, caller_sources=["urn:nhipso:source:000098765432"])
    assert row is not None
    assert row[8] == shown


@given(st.one_of(st.none(), st.binary(max_size=200)))
def test_what_is_no_rejection_is_passed_over(value: bytes | None) -> None:
    assert row_of(value) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"original_bytes": 2**63},
        {"sealed": "a\x00b"},
        {"reason": "because"},
        {"rejected_at": "yesterday"},
        {"id": "1"},
        {"origin": {"via": "pigeon"}},
    ],
)
def test_a_record_that_postgresql_would_not_take_is_passed_over(changes: dict[str, Any]) -> None:
    assert _row(**changes) is None


def test_numbers_are_masked_also_where_the_writer_forgot_to() -> None:
    number = "000123456789"
    row = _row(
        detail=f"not {number}",
        event_id=f"row-{number}",
        source=f"urn:{number}",
        origin={"via": "file", "file": f"citizen {number}.csv", "line": 2},
    )
    assert row is not None
    assert number not in json.dumps(row, default=str)


def test_a_connector_is_found_by_its_name() -> None:
    row = _row(origin={"via": "connector", "connector": "outbox", "place": "row 7"})
    assert row is not None
    assert row[11:13] == ("connector", "outbox")


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_is_read_as_it_was_written(rejected_at: datetime, number: UUID) -> None:
    cursor = Cursor(rejected_at, number)
    assert Cursor.read(cursor.text()) == cursor


@given(st.text(max_size=80))
def test_what_is_no_cursor_is_refused_as_such(text: str) -> None:
    with pytest.raises(CursorError):
        Cursor.read(text)


def test_a_cursor_without_an_offset_is_none_of_ours() -> None:
    naive = Cursor(datetime(2026, 1, 1), uuid4())  # noqa: DTZ001 - what is refused
    with pytest.raises(CursorError):
        Cursor.read(naive.text())


def test_an_id_is_looked_for_as_it_is_kept() -> None:
    assert Filter(event_id="row-000123456789").arguments(OPERATOR)[9] == "row-***"


def test_a_source_asks_for_its_own_alone() -> None:
    source = Principal(sub="a", role=Role.SOURCE, sources=frozenset({"b", "a"}))
    assert Filter().arguments(source)[10] == ["a", "b"]
    assert Filter().arguments(OPERATOR)[10] is None


def test_moments_are_read_in_the_contracts_form() -> None:
    asked = Filter.model_validate({"from": "2026-11-22T10:00:00+07:00"})
    assert asked.since is not None
    assert asked.since.utcoffset() is not None
    assert asked.since - datetime(2026, 11, 22, 3, 0, tzinfo=UTC) == timedelta(0)
