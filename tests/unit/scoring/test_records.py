"""Reading records: what the fold needs of each, and every reason of a refusal."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts.events import EVENT_MODELS, domain_of
from contracts.examples import inside_example
from contracts.reasons import Reason
from contracts.subjects import SubjectKind
from contracts.times import epoch_microseconds
from services.scoring.core.reading import Batch, Heard, Reader
from services.scoring.core.records import UnreadableError, read_record
from services.scoring.core.rules import Rules
from services.scoring.core.state import ShardState
from services.scoring.core.texts import Ids
from tests.unit.scoring.catalogues import changed, no_households
from tests.unit.scoring.saying import (
    AREAS,
    CATALOGUE,
    READER,
    RULES,
    Facts,
    facts_of_all,
    take,
)

REGISTERED = "vn.nhipso.identity.citizen-registered.v1"
REPORTED = "vn.nhipso.report.figures-submitted.v1"


def in_a_batch(value: bytes | None) -> Batch:
    batch = READER.read([value], Ids())
    for place, error in batch.errors:
        assert place == 0
        raise error
    return batch


def told(event_type: str, **attributes: Any) -> bytes:
    return json.dumps({**inside_example(event_type), **attributes}).encode()


def read(event_type: str, **attributes: Any) -> Batch:
    return in_a_batch(told(event_type, **attributes))


def known(event_type: str, **attributes: Any) -> Facts:
    """What a shard knows of the subject of one event."""
    state = ShardState(RULES)
    take(state, [told(event_type, **attributes)])
    (found,) = (facts for one in state.subjects.values() for facts in facts_of_all(one).values())
    return found


def refused(value: bytes | None) -> UnreadableError:
    """The refusal of a record; one that the models give is the same in a batch."""
    with pytest.raises(UnreadableError) as caught:
        in_a_batch(value)
    error = caught.value
    # That a commune bore the code on the day is asked of a batch alone.
    if not error.detail.startswith("no commune had borne the code"):
        with pytest.raises(UnreadableError) as alone:
            read_record(value, AREAS, frozenset(CATALOGUE.by_id))
        assert (alone.value.reason, alone.value.detail) == (error.reason, error.detail)
    return error


@pytest.mark.parametrize("event_type", EVENT_MODELS)
def test_every_type_of_the_contract_is_read(event_type: str) -> None:
    batch = read(event_type)
    source = inside_example(event_type)["source"]
    occurred_at = epoch_microseconds(datetime(2026, 11, 20, 1, 30, tzinfo=UTC))
    assert batch.heard == {(source, domain_of(event_type)): Heard(occurred_at, 1)}
    if event_type == REPORTED:
        assert list(batch.writes) == []
        return
    (kind,) = batch.writes
    assert kind in EVENT_MODELS[event_type].subject_kinds
    assert set(batch.writes[kind].times.tolist()) == {occurred_at}


@pytest.mark.parametrize("event_type", sorted(set(EVENT_MODELS) - {REPORTED}))
def test_every_event_makes_a_fact_known(event_type: str) -> None:
    assert known(event_type)


def test_fields_that_the_contract_does_not_list_are_dropped() -> None:
    data = {"level": 2, "activated": True, "colour": "green"}
    found = known("vn.nhipso.identity.eid-changed.v1", data=data)
    assert [said for _, _, said in found.values()] == [{"level": 2, "activated": True}]


def test_the_order_of_a_senders_fields_does_not_matter() -> None:
    """Or else what is known would hang on it."""
    data = {"party_member": True, "area": "02647", "birth_date": "1990-05-17"}
    turned = dict(reversed(data.items()))
    assert known(REGISTERED, data=data) == known(REGISTERED, data=turned)


def test_sources_are_heard_by_their_domain() -> None:
    early, late = "2026-11-19T01:30:00Z", "2026-11-20T01:30:00.5Z"
    values = [told(REGISTERED, time=late), told(REGISTERED, time=early), told(REPORTED)]
    values += [told(REGISTERED, source="urn:other"), b"{"]
    heard = READER.read(values, Ids()).heard
    assert heard["urn:nhipso:source:vneid", "identity"] == Heard(
        epoch_microseconds(datetime.fromisoformat(late)), 2
    )
    assert heard["urn:other", "identity"].events == 1
    assert sum(one.events for one in heard.values()) == 4


def test_a_report_has_its_place_in_the_order_of_registers() -> None:
    data = {"indicator": "dt.eco.2", "period": "2026-H1", "value": 150.5}
    (report,) = read(REPORTED, data=data, subject="agency:so-vi-du").reports.values()
    assert report.key == ("agency:so-vi-du", "dt.eco.2", "2026-H1")
    assert (report.period_end, report.value) == (date(2026, 6, 30), Decimal("150.5"))
    assert report.order[1:] == (
        "example-report.figures-submitted.v1",
        '{"indicator":"dt.eco.2","period":"2026-H1","value":150.5}',
    )


def test_a_code_counts_from_when_it_was_borne_first() -> None:
    """04249 ended on 30 June 2025: what is said under it later still counts. 99999 never was one."""
    fibre = "vn.nhipso.telecom.fibre-changed.v1"
    data = {"area": "04249", "covered": True, "subscribed": True}
    moments = ("2025-06-30T23:59:59+07:00", "2025-07-01T00:00:00+07:00")
    for moment in moments:
        assert list(read(fibre, data=data, time=moment).writes) == [SubjectKind.HOUSEHOLD]
    error = refused(told(fibre, data=data | {"area": "99999"}, time=moments[1]))
    assert error.reason is Reason.UNKNOWN_AREA
    assert error.detail == "no commune had borne the code 99999 by 2025-07-01"


def test_a_code_of_nobody_is_refused_also_where_no_rule_asks_for_the_event() -> None:
    fibre = "vn.nhipso.telecom.fibre-changed.v1"
    data = {"area": "02647", "covered": True, "subscribed": True}
    values = [told(fibre, data=data), told(fibre, data=data | {"area": "99999"})]
    batch = Reader(Rules(changed(no_households), AREAS)).read(values, Ids())
    assert [(place, error.reason) for place, error in batch.errors] == [(1, Reason.UNKNOWN_AREA)]
    assert (batch.writes, [one.events for one in batch.heard.values()]) == ({}, [1])


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
    value = told(event_type, **attributes)
    assert refused(value).reason is reason


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff\xfe", b"[]", b"5", b"[" * 100_000])
def test_what_is_no_event_at_all_is_refused(value: bytes | None) -> None:
    assert refused(value).reason is Reason.BAD_ENVELOPE


def test_what_cannot_be_read_stands_beside_what_can() -> None:
    values = [told(REGISTERED), None, told(REPORTED), b"[]", told(REGISTERED, subject="x")]
    batch = READER.read(values, Ids())
    assert [(place, error.reason) for place, error in batch.errors] == [
        (1, Reason.BAD_ENVELOPE),
        (3, Reason.BAD_ENVELOPE),
        (4, Reason.BAD_SUBJECT),
    ]
    assert (len(batch.writes[SubjectKind.CITIZEN].slots), len(batch.reports)) == (1, 1)


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
