"""The verdict on one event: every rule of the wire contract and the reason it gives."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import areas
from contracts.events import EVENT_MODELS
from contracts.examples import edge_example
from contracts.reasons import Reason
from contracts.subjects import parse_edge
from contracts.tokens import Principal, Role
from services.ingest.core.check import DOMAINS, Knowledge, check, refuse
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import Accepted, Refused

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SOURCE = "urn:nhipso:source:vneid"
CITIZEN = "000123456789"
KEY = bytes(range(32))
KNOWLEDGE = Knowledge(areas.load(), frozenset({"dx.documents"}), Pseudonymiser(KEY))
CALLER = Principal(sub="vneid", role=Role.SOURCE, sources=frozenset({SOURCE}), domains=DOMAINS)

REGISTERED = "vn.nhipso.identity.citizen-registered.v1"
EID = "vn.nhipso.identity.eid-changed.v1"
FIBRE = "vn.nhipso.telecom.fibre-changed.v1"
DEPARTED = "vn.nhipso.identity.citizen-departed.v1"
CLOSED = "vn.nhipso.registry.subject-closed.v1"
FIGURES = "vn.nhipso.report.figures-submitted.v1"


def event(**changes: Any) -> dict[str, Any]:
    """A fit event with changes; `...` takes an attribute out."""
    fit = {
        "specversion": "1.0",
        "id": "e-1",
        "source": SOURCE,
        "type": EID,
        "subject": f"citizen:{CITIZEN}",
        "time": "2026-03-01T08:30:00+07:00",
        "datacontenttype": "application/json",
        "data": {"level": 2, "activated": True},
    } | changes
    return {name: value for name, value in fit.items() if value is not ...}


def registered(**changes: Any) -> dict[str, Any]:
    data = {"birth_date": "1990-05-17", "area": "02647", "party_member": False}
    return event(**({"type": REGISTERED, "data": data} | changes))


def figures(subject: str = "area:2025:15", **data: Any) -> dict[str, Any]:
    figure = {"indicator": "dx.documents", "period": "2026-Q3", "value": 12.5} | data
    return event(type=FIGURES, subject=subject, data=figure)


def fibre(code: str, **changes: Any) -> dict[str, Any]:
    data = {"area": "02647", "covered": True, "subscribed": False}
    return event(**({"type": FIBRE, "subject": f"household:{code}", "data": data} | changes))


def accepted(raw: dict[str, Any]) -> Accepted:
    verdict = check(raw, CALLER, NOW, KNOWLEDGE)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def refused(raw: dict[str, Any], caller: Principal = CALLER) -> Refused:
    verdict = check(raw, caller, NOW, KNOWLEDGE)
    assert isinstance(verdict, Refused), verdict
    return verdict


REFUSALS: list[tuple[str, dict[str, Any], Reason]] = [
    ("no specversion", event(specversion=...), Reason.BAD_ENVELOPE),
    ("another specversion", event(specversion="0.3"), Reason.BAD_ENVELOPE),
    ("specversion as number", event(specversion=1.0), Reason.BAD_ENVELOPE),
    ("no id", event(id=...), Reason.BAD_ENVELOPE),
    ("null id", event(id=None), Reason.BAD_ENVELOPE),
    ("empty id", event(id=""), Reason.BAD_ENVELOPE),
    ("id as number", event(id=7), Reason.BAD_ENVELOPE),
    ("id of 129 characters", event(id="x" * 129), Reason.BAD_ENVELOPE),
    ("id with NUL", event(id="a\x00b"), Reason.BAD_ENVELOPE),
    ("no source", event(source=...), Reason.BAD_ENVELOPE),
    ("source with a blank", event(source="urn:a b"), Reason.BAD_ENVELOPE),
    ("source with a bad escape", event(source="urn:a%zz"), Reason.BAD_ENVELOPE),
    ("source with a bad scheme", event(source="1a:b"), Reason.BAD_ENVELOPE),
    ("source of 257 characters", event(source="u" * 257), Reason.BAD_ENVELOPE),
    ("no type", event(type=...), Reason.BAD_ENVELOPE),
    ("type as number", event(type=1), Reason.BAD_ENVELOPE),
    ("another content type", event(datacontenttype="text/plain"), Reason.BAD_ENVELOPE),
    ("a JSON-like content type", event(datacontenttype="application/jsonx"), Reason.BAD_ENVELOPE),
    ("extension in capitals", event(traceParent="x"), Reason.BAD_ENVELOPE),
    ("extension as object", event(ext={"a": 1}), Reason.BAD_ENVELOPE),
    ("extension as fraction", event(ext=1.5), Reason.BAD_ENVELOPE),
    ("extension beyond 32 bits", event(ext=2**31), Reason.BAD_ENVELOPE),
    ("extension with control characters", event(ext="a\x1bb"), Reason.BAD_ENVELOPE),
    ("unknown type", event(type="vn.nhipso.identity.nonsense.v1"), Reason.UNKNOWN_TYPE),
    ("another version", event(type=EID.replace(".v1", ".v2")), Reason.UNKNOWN_TYPE),
    ("type without prefix", event(type="identity.eid-changed.v1"), Reason.UNKNOWN_TYPE),
    ("no subject", event(subject=...), Reason.BAD_SUBJECT),
    ("subject as number", event(subject=1), Reason.BAD_SUBJECT),
    ("subject of unknown kind", event(subject="person:1"), Reason.BAD_SUBJECT),
    ("subject without kind", event(subject=CITIZEN), Reason.BAD_SUBJECT),
    ("citizen of 11 digits", event(subject="citizen:00012345678"), Reason.BAD_SUBJECT),
    ("citizen in other digits", event(subject="citizen:٠٠٠١٢٣٤٥٦٧٨٩"), Reason.BAD_SUBJECT),
    ("citizen as pseudonym", event(subject="citizen:" + "0af1" * 8), Reason.BAD_SUBJECT),
    ("household of 65 characters", fibre("h" * 65), Reason.BAD_SUBJECT),
    ("kind that the type does not take", event(subject="household:HK-1"), Reason.BAD_SUBJECT),
    (
        "citizen closed by the registry",
        event(type=CLOSED, data={"reason": "x"}),
        Reason.BAD_SUBJECT,
    ),
    ("no time", event(time=...), Reason.BAD_TIME),
    ("time as number", event(time=1772328600), Reason.BAD_TIME),
    ("time without offset", event(time="2026-03-01T08:30:00"), Reason.BAD_TIME),
    ("day only", event(time="2026-03-01"), Reason.BAD_TIME),
    ("no such day", event(time="2026-02-30T08:30:00Z"), Reason.BAD_TIME),
    ("before 2000", event(time="1999-12-31T23:59:59+07:00"), Reason.BAD_TIME),
    ("before 2000 in UTC, as written", event(time="1999-12-31T23:59:59Z"), Reason.BAD_TIME),
    (
        "before 2000 in Viet Nam, not as written",
        event(time="2000-01-01T00:00:00+08:00"),
        Reason.BAD_TIME,
    ),
    (
        "free text with somebody's number",
        event(
            type=CLOSED,
            subject="organisation:0100000001",
            data={"reason": "theo đơn của công dân 000 987 654 321"},
        ),
        Reason.PERSONAL_DATA,
    ),
    ("too far ahead", event(time="2026-11-22T03:05:01Z"), Reason.BAD_TIME),
    ("no data", event(data=...), Reason.BAD_DATA),
    ("null data", event(data=None), Reason.BAD_DATA),
    ("data as list", event(data=[]), Reason.BAD_DATA),
    ("base64 data", event(data=..., data_base64="e30="), Reason.BAD_DATA),
    ("missing field", event(data={"level": 2}), Reason.BAD_DATA),
    ("level out of range", event(data={"level": 3, "activated": True}), Reason.BAD_DATA),
    ("level as bool", event(data={"level": True, "activated": True}), Reason.BAD_DATA),
    ("level as text", event(data={"level": "2", "activated": True}), Reason.BAD_DATA),
    ("level as fraction", event(data={"level": 2.0, "activated": True}), Reason.BAD_DATA),
    ("bool as number", event(data={"level": 2, "activated": 1}), Reason.BAD_DATA),
    (
        "date of another form",
        registered(data={"birth_date": "17/5/1990", "area": "02647"}),
        Reason.BAD_DATA,
    ),
    (
        "area as number",
        registered(data={"birth_date": "1990-05-17", "area": 2647}),
        Reason.BAD_DATA,
    ),
    ("NUL in a text", fibre("HK-1", type=CLOSED, data={"reason": "a\x00"}), Reason.BAD_DATA),
    ("indicator not in the catalogue", figures(indicator="dx.nothing"), Reason.BAD_DATA),
    ("value beyond measure", figures(value=10**30), Reason.BAD_DATA),
    ("infinite value", figures(value=float("inf")), Reason.BAD_DATA),
    ("ratio and value", figures(numerator=1, denominator=2), Reason.BAD_DATA),
    (
        "area nobody bore",
        registered(data={"birth_date": "1990-05-17", "area": "99999"}),
        Reason.UNKNOWN_AREA,
    ),
    ("report of an unknown area", figures("area:2025:99999"), Reason.UNKNOWN_AREA),
    ("number in id", event(id=f"vneid-{CITIZEN}-1"), Reason.PERSONAL_DATA),
    ("number broken up in id", event(id="0001 2345-67.89"), Reason.PERSONAL_DATA),
    ("number in an extension", event(traceid=CITIZEN), Reason.PERSONAL_DATA),
    ("number as an extension's name", event(**{CITIZEN: "x"}), Reason.PERSONAL_DATA),
    ("number in dataschema", event(dataschema=f"urn:{CITIZEN}"), Reason.PERSONAL_DATA),
    ("number encoded in an extension", event(ext="%30%30%30123456789"), Reason.PERSONAL_DATA),
    ("number after a percent sign", event(id=f"row%{CITIZEN}"), Reason.PERSONAL_DATA),
    ("number after a cut escape", event(ext=f"%2{CITIZEN}"), Reason.PERSONAL_DATA),
    ("number in full-width digits", event(id="０００１２３４５６７８９"), Reason.PERSONAL_DATA),
    (
        "number in the content type",
        event(datacontenttype=f"application/json; x={CITIZEN}"),
        Reason.PERSONAL_DATA,
    ),
    ("household code in id", fibre("HK-204.7731", id="row-hk-204.7731"), Reason.PERSONAL_DATA),
    (
        "household code in other form",
        fibre("HK-204.7731", id="row-HK2047731"),
        Reason.PERSONAL_DATA,
    ),
    ("short household code as token", fibre("A7", id="row-a7"), Reason.PERSONAL_DATA),
    (
        "household code in data",
        fibre("HK-204.7731", type=CLOSED, data={"reason": "Hộ HK-204.7731 đã giải thể"}),
        Reason.PERSONAL_DATA,
    ),
    (
        "number in place of a listed choice",
        event(type=DEPARTED, data={"reason": CITIZEN}),
        Reason.PERSONAL_DATA,
    ),
    (
        "number in place of an area",
        registered(data={"birth_date": "1990-05-17", "area": CITIZEN}),
        Reason.PERSONAL_DATA,
    ),
    (
        "number in place of a whole number",
        event(subject="citizen:100123456789", data={"level": 100123456789, "activated": True}),
        Reason.PERSONAL_DATA,
    ),
    (
        "number in id beside another fault",
        event(id=CITIZEN, time="2030-01-01T00:00:00Z"),
        Reason.PERSONAL_DATA,
    ),
]


@pytest.mark.parametrize(
    ("raw", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_is_refused(raw: dict[str, Any], reason: Reason) -> None:
    verdict = refused(raw)
    assert verdict.reason is reason, verdict.detail
    assert verdict.detail


def test_every_reason_but_those_of_the_edge_stands_in_the_table() -> None:
    at_the_edge = {Reason.TOO_LARGE, Reason.SOURCE_NOT_ALLOWED}
    assert {row[2] for row in REFUSALS} == set(Reason) - at_the_edge


def test_the_number_in_a_source_that_the_caller_may_use_is_refused() -> None:
    source = f"urn:nhipso:{CITIZEN}"
    caller = CALLER.model_copy(update={"sources": frozenset({source})})
    verdict = refused(event(source=source), caller)
    assert verdict.reason is Reason.PERSONAL_DATA
    assert verdict.source == "urn:nhipso:***"


def test_the_number_in_a_source_of_somebody_else_is_told_as_personal() -> None:
    verdict = refused(event(source=f"urn:nhipso:source:{CITIZEN}"))
    assert verdict.reason is Reason.PERSONAL_DATA
    assert verdict.source == "urn:nhipso:source:***"


def test_a_source_of_somebody_else_is_refused() -> None:
    assert refused(event(source="urn:nhipso:source:ehr")).reason is Reason.SOURCE_NOT_ALLOWED


def test_a_domain_of_somebody_else_is_refused() -> None:
    caller = CALLER.model_copy(update={"domains": frozenset({"payment"})})
    verdict = refused(event(), caller)
    assert verdict.reason is Reason.SOURCE_NOT_ALLOWED
    assert "identity" in verdict.detail


FIT: list[tuple[str, dict[str, Any]]] = [
    ("content type left out", event(datacontenttype=...)),
    ("null content type", event(datacontenttype=None)),
    ("content type with parameter", event(datacontenttype="application/json; charset=utf-8")),
    ("id of 128 characters", event(id="ă" * 128)),
    ("five minutes ahead", event(time="2026-11-22T03:05:00Z")),
    ("first local moment of 2000", event(time="2000-01-01T00:00:00+07:00")),
    ("another number in id", event(id="000123456780")),
    ("a time that reads like a number", event(id="2026-03-01T08:30:00")),
    ("short household code within a word", fibre("A7", id="rowa7")),
    ("household code that is its area", fibre("02647")),
    ("null base64 data", event(data_base64=None)),
    ("report of an agency", figures("agency:so-khcn")),
    ("report of a former area", figures("area:legacy:02647")),
]


@pytest.mark.parametrize("raw", [row[1] for row in FIT], ids=[row[0] for row in FIT])
def test_is_accepted(raw: dict[str, Any]) -> None:
    accepted(raw)


@pytest.mark.parametrize("event_type", EVENT_MODELS)
def test_every_type_of_the_contract_is_accepted(event_type: str) -> None:
    raw = edge_example(event_type)
    knowledge = Knowledge(
        KNOWLEDGE.areas,
        frozenset({raw["data"].get("indicator", "")}),
        KNOWLEDGE.pseudonymiser,
    )
    caller = CALLER.model_copy(update={"sources": frozenset({raw["source"]})})
    assert isinstance(check(raw, caller, NOW, knowledge), Accepted)


def test_an_accepted_event_is_in_inside_form() -> None:
    verdict = accepted(registered(traceparent="00-ab-01", sampled=True, attempt=3))
    assert verdict.record == {
        "specversion": "1.0",
        "id": "e-1",
        "source": SOURCE,
        "type": REGISTERED,
        "subject": Pseudonymiser(KEY).inside(*parse_edge(f"citizen:{CITIZEN}")),
        "time": "2026-03-01T01:30:00Z",
        "datacontenttype": "application/json",
        "traceparent": "00-ab-01",
        "sampled": True,
        "attempt": 3,
        "data": {"birth_date": "1990-05-17", "area": "02647", "party_member": False},
    }
    assert verdict.domain == "identity"
    assert verdict.occurred_at == datetime(2026, 3, 1, 1, 30, tzinfo=UTC)


def test_fields_that_are_not_listed_are_dropped_and_counted() -> None:
    data = {"level": 1, "activated": False, "note": CITIZEN, "officer": {"id": 1}}
    verdict = accepted(event(data=data))
    assert verdict.record["data"] == {"level": 1, "activated": False}
    assert verdict.unlisted == 2


def test_defaults_are_not_written_into_what_was_sent() -> None:
    verdict = accepted(registered(data={"birth_date": "1990-05-17", "area": "02647"}))
    assert "party_member" not in verdict.record["data"]


@pytest.mark.parametrize(
    ("code", "day", "known"),
    [
        ("02647", "2025-06-30T23:59:59+07:00", True),
        ("02647", "2025-07-01T00:00:00+07:00", True),
        ("02635", "2025-06-30T17:00:00Z", False),
        ("02635", "2025-06-30T16:59:59Z", True),
    ],
)
def test_a_code_is_read_as_of_the_local_day_of_the_event(code: str, day: str, known: bool) -> None:
    raw = event(type="vn.nhipso.identity.residence-changed.v1", time=day, data={"area": code})
    verdict = check(raw, CALLER, NOW, KNOWLEDGE)
    assert isinstance(verdict, Accepted) is known


def test_the_time_bound_moves_with_now() -> None:
    raw = event(time="2026-11-22T04:00:00Z")
    assert isinstance(check(raw, CALLER, NOW, KNOWLEDGE), Refused)
    assert isinstance(check(raw, CALLER, NOW + timedelta(hours=1), KNOWLEDGE), Accepted)


def test_the_answer_masks_the_subjects_number_alone() -> None:
    verdict = refused(event(id=f"{CITIZEN}:20261122083012", data=None))
    assert verdict.answer_id == "***:20261122083012"
    assert verdict.event_id == "***:***"


def test_a_source_of_the_callers_own_is_told_by_its_whole_name() -> None:
    """By it the source is paused and its rejections are found, whatever digits it was given."""
    own, foreign = "urn:nhipso:source:000098765432", "urn:nhipso:source:000076543210"
    caller = CALLER.model_copy(update={"sources": frozenset({own})})
    verdicts = {
        source: check(event(source=source, data=None), caller, NOW, KNOWLEDGE)
        for source in (own, foreign)
    }
    told = [one.source for one in verdicts.values() if isinstance(one, Refused)]
    assert told == [own, "urn:nhipso:source:***"]


def test_a_source_of_the_callers_own_does_not_show_the_subjects_number() -> None:
    own = f"urn:nhipso:source:{CITIZEN}"
    caller = CALLER.model_copy(update={"sources": frozenset({own})})
    verdict = check(event(source=own), caller, NOW, KNOWLEDGE)
    assert isinstance(verdict, Refused)
    assert verdict.source == "urn:nhipso:source:***"


@pytest.mark.parametrize("raw", [None, 7, "x", [], {"id": 5}])
def test_what_is_no_event_is_refused_without_id(raw: Any) -> None:
    verdict = refuse(raw, Reason.BAD_ENVELOPE, "an event must be a JSON object", CALLER.sources)
    assert (verdict.answer_id, verdict.source, verdict.event_type) == (None, None, None)


def test_what_is_repeated_of_a_sender_is_bounded() -> None:
    huge = "x" * 200_000
    verdict = refused(event(id=huge, source=huge, type=huge, **{huge: CITIZEN}))
    for text in (verdict.answer_id, verdict.event_id, verdict.source, verdict.event_type):
        assert text is not None
        assert len(text) == 512
    assert len(verdict.detail) <= 512
