"""Reading records: what the fold needs of each, and every reason of a refusal."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts.events import EVENT_MODELS
from contracts.examples import inside_example
from contracts.reasons import Reason
from contracts.subjects import SubjectKind
from contracts.times import epoch_microseconds
from services.scoring.core.facts import Change
from services.scoring.core.records import ReadEvent, Report, UnreadableError, reader
from tests.unit.scoring.saying import AREAS, CATALOGUE, EVALUATORS

READ = reader(AREAS, frozenset(CATALOGUE.by_id))
REGISTERED = "vn.nhipso.identity.citizen-registered.v1"
REPORTED = "vn.nhipso.report.figures-submitted.v1"


def read(event_type: str, **attributes: Any) -> ReadEvent:
    event = {**inside_example(event_type), **attributes}
    return READ(json.dumps(event).encode())


def refused(value: bytes | None) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        READ(value)
    return caught.value


@pytest.mark.parametrize("event_type", EVENT_MODELS)
def test_every_type_of_the_contract_is_read(event_type: str) -> None:
    event = READ(json.dumps(inside_example(event_type)).encode())
    assert event.kind in EVENT_MODELS[event_type].subject_kinds
    assert event.occurred_at == datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
    if isinstance(event.body, Change):
        assert event.body.time == epoch_microseconds(event.occurred_at)
        table = EVALUATORS[event.kind].table
        assert table.fold(table.empty(), event.body)


def test_fields_that_the_contract_does_not_list_are_dropped() -> None:
    data = {"level": 2, "activated": True, "colour": "green"}
    body = read("vn.nhipso.identity.eid-changed.v1", data=data).body
    assert isinstance(body, Change)
    assert body.data == {"level": 2, "activated": True}


def test_fields_come_in_the_contracts_order() -> None:
    """Or else the packed state would hang on the sender's."""
    data = {"party_member": True, "area": "02647", "birth_date": "1990-05-17"}
    body = read(REGISTERED, data=data).body
    assert isinstance(body, Change)
    assert list(body.data) == ["birth_date", "area", "party_member"]


def test_a_report_has_its_place_in_the_order_of_registers() -> None:
    data = {"indicator": "dt.eco.2", "period": "2026-H1", "value": 150.5}
    body = read(REPORTED, data=data, subject="agency:so-vi-du").body
    assert isinstance(body, Report)
    assert body.key == ("agency:so-vi-du", "dt.eco.2", "2026-H1")
    assert (body.period_end, body.value) == (date(2026, 6, 30), Decimal("150.5"))
    assert body.order[1:] == (
        "example-report.figures-submitted.v1",
        '{"indicator":"dt.eco.2","period":"2026-H1","value":150.5}',
    )


def test_a_code_is_read_as_of_the_events_day() -> None:
    """03181 or any other code ends with a reform; here one that ended on 30 June 2025."""
    fibre = "vn.nhipso.telecom.fibre-changed.v1"
    data = {"area": "04249", "covered": True, "subscribed": True}
    assert read(fibre, data=data, time="2025-06-30T23:59:59+07:00").kind is SubjectKind.HOUSEHOLD
    event = {**inside_example(fibre), "data": data, "time": "2025-07-01T00:00:00+07:00"}
    assert refused(json.dumps(event).encode()).reason is Reason.UNKNOWN_AREA


REFUSALS: list[tuple[str, str, dict[str, Any], Reason]] = [
    ("no specversion", REGISTERED, {"specversion": None}, Reason.BAD_ENVELOPE),
    ("an empty id", REGISTERED, {"id": ""}, Reason.BAD_ENVELOPE),
    ("a NUL in the id", REPORTED, {"id": "a\0b"}, Reason.BAD_ENVELOPE),
    ("a NUL in the source", REGISTERED, {"source": "urn:\0"}, Reason.BAD_ENVELOPE),
    ("a type of nobody", REGISTERED, {"type": "vn.nhipso.x.v1"}, Reason.UNKNOWN_TYPE),
    ("a type that is no text", REGISTERED, {"type": 5}, Reason.UNKNOWN_TYPE),
    ("an edge form", REGISTERED, {"subject": "citizen:000000000001"}, Reason.BAD_SUBJECT),
    ("another kind", REGISTERED, {"subject": "agency:so-vi-du"}, Reason.BAD_SUBJECT),
    ("a subject of no kind", REGISTERED, {"subject": "x"}, Reason.BAD_SUBJECT),
    ("a missing field", REGISTERED, {"data": {"area": "02647"}}, Reason.BAD_DATA),
    ("data that are no object", REGISTERED, {"data": 5}, Reason.BAD_DATA),
    (
        "an indicator of nobody",
        REPORTED,
        {"data": {"indicator": "x.y", "period": "2026", "value": 1}},
        Reason.BAD_DATA,
    ),
    ("a time without offset", REGISTERED, {"time": "2026-11-20T08:30:00"}, Reason.BAD_TIME),
    ("the end of the calendar", REGISTERED, {"time": "9999-12-31T23:59:59Z"}, Reason.BAD_TIME),
    ("days beyond the calendar", REGISTERED, {"time": "9999-06-01T00:00:00Z"}, Reason.BAD_TIME),
    ("before 2000", REPORTED, {"time": "1999-12-31T23:59:59+07:00"}, Reason.BAD_TIME),
    (
        "a code of nobody",
        REGISTERED,
        {"data": {"birth_date": "1990-05-17", "area": "99999"}},
        Reason.UNKNOWN_AREA,
    ),
    ("a unit of nobody", REPORTED, {"subject": "area:2025:99999"}, Reason.UNKNOWN_AREA),
]


@pytest.mark.parametrize(
    ("event_type", "attributes", "reason"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_what_cannot_be_read_is_refused(
    event_type: str, attributes: dict[str, Any], reason: Reason
) -> None:
    event = {**inside_example(event_type), **attributes}
    assert refused(json.dumps(event).encode()).reason is reason


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff\xfe", b"[]", b"5", b"[" * 100_000])
def test_what_is_no_event_at_all_is_refused(value: bytes | None) -> None:
    assert refused(value).reason is Reason.BAD_ENVELOPE


def test_a_refusal_repeats_nothing_that_the_sender_wrote() -> None:
    number = "012345678901"
    for attributes in (
        {"subject": f"citizen:{number}"},
        {"data": {"indicator": number, "period": "2026", "value": 1}},
        {"data": {"indicator": "dt.eco.2", "period": number, "value": 1}},
        {"time": number},
        {"type": number},
        {"subject": f"area:{number}"},
    ):
        event = {**inside_example(REPORTED), **attributes}
        assert number not in refused(json.dumps(event).encode()).detail
