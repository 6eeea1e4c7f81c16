"""Declared mappings: held against the contract when read, and pure and speaking when used."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import contracts
from contracts import areas
from contracts.reasons import Reason
from contracts.times import format_rfc3339, parse_rfc3339
from contracts.tokens import Principal, Role
from services.ingest.core.check import Knowledge, check
from services.ingest.core.declared import DeclaredMapping, map_row
from services.ingest.core.declared_values import moment
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import Accepted, ObjectionError

KEY = bytes(range(32))
SOURCE = "urn:nhipso:source:vneid"
CITIZEN = "010099000001"
EID = "vn.nhipso.identity.eid-changed.v1"

EXAMPLE = """
events:
  - type: vn.nhipso.identity.eid-changed.v1
    when: {op: [c, u, r], status: [ACTIVE, LOCKED]}
    id: "{account_id}-{version}"
    subject: "citizen:{cccd}"
    time: {field: updated_at, form: rfc3339}
    data:
      level: {field: level, as: integer}
      activated: {field: status, values: {ACTIVE: true, LOCKED: false}}
  - type: vn.nhipso.identity.party-membership-changed.v1
    when: {op: [c]}
    subject: "citizen:{cccd}"
    time: {field: updated_at, form: rfc3339}
    data:
      member: {constant: false}
"""

ROW = {
    "op": "c",
    "status": "ACTIVE",
    "account_id": 7,
    "version": 3,
    "cccd": CITIZEN,
    "updated_at": "2026-11-20T08:30:00+07:00",
    "level": "2",
}


def rules(text: str = EXAMPLE) -> DeclaredMapping:
    return DeclaredMapping.model_validate(yaml.safe_load(text))


def mapped(row: dict[str, Any], mapping: DeclaredMapping | None = None) -> list[dict[str, Any]]:
    return map_row(
        row,
        (mapping or rules()).events,
        source=SOURCE,
        event_id=Pseudonymiser(KEY).event_id,
    )


def one_rule(**changes: Any) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "type": EID,
        "subject": "citizen:{cccd}",
        "time": {"field": "at", "form": "rfc3339"},
        "data": {"level": {"field": "level"}, "activated": {"constant": True}},
    }
    return {"events": [{**rule, **changes}]}


def objection_to(row: dict[str, Any], **changes: Any) -> ObjectionError:
    with pytest.raises(ObjectionError) as caught:
        mapped(row, DeclaredMapping.model_validate(one_rule(**changes)))
    return caught.value


def fault_of(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        DeclaredMapping.model_validate(one_rule(**changes))
    return str(caught.value.errors()[0]["msg"])


def test_a_row_becomes_an_event_for_every_rule_that_fits() -> None:
    eid, member = mapped(ROW)
    assert eid == {
        "specversion": "1.0",
        "id": "7-3",
        "source": SOURCE,
        "type": EID,
        "subject": f"citizen:{CITIZEN}",
        "time": "2026-11-20T01:30:00Z",
        "data": {"level": 2, "activated": True},
    }
    assert member["data"] == {"member": False}
    assert len(member["id"]) == 32


def test_the_contract_accepts_what_was_mapped() -> None:
    caller = Principal(
        sub="connector:vneid",
        role=Role.SOURCE,
        sources=frozenset({SOURCE}),
        domains=frozenset({"identity"}),
    )
    known = Knowledge(areas.load(), frozenset(), Pseudonymiser(KEY))
    for event in mapped(ROW):
        assert isinstance(check(event, caller, datetime(2026, 11, 22, tzinfo=UTC), known), Accepted)


def test_rules_that_do_not_fit_are_silent() -> None:
    assert [event["type"] for event in mapped({**ROW, "op": "u"})] == [EID]
    assert mapped({**ROW, "op": "d"}) == []


@given(st.permutations(list(ROW.items())))
def test_the_same_row_in_any_order_gives_the_same_events(items: list[tuple[str, Any]]) -> None:
    assert json.dumps(mapped(dict(items))) == json.dumps(mapped(ROW))


def test_a_keyed_id_changes_with_what_is_said_and_with_the_key() -> None:
    ids = {mapped(ROW)[1]["id"], mapped({**ROW, "updated_at": "2026-11-21T00:00:00Z"})[1]["id"]}
    other = map_row(ROW, rules().events, source=SOURCE, event_id=Pseudonymiser(bytes(32)).event_id)
    assert len(ids | {other[1]["id"]}) == 3
    # What the event does not say does not count, so that a repeat is the same event.
    assert mapped({**ROW, "seen_at": 5})[1]["id"] == mapped(ROW)[1]["id"]


def test_nested_fields_are_named_by_json_pointers() -> None:
    mapping = DeclaredMapping.model_validate(
        one_rule(
            subject="citizen:{/person/ids/0}",
            time={"field": "/meta/a~1t", "form": "epoch-s"},
            data={"level": {"field": "/e~0id/level"}, "activated": {"constant": True}},
        )
    )
    row = {"person": {"ids": [CITIZEN]}, "meta": {"a/t": 0}, "e~id": {"level": 1}}
    (event,) = mapped(row, mapping)
    assert (event["subject"], event["time"]) == (f"citizen:{CITIZEN}", "1970-01-01T00:00:00Z")
    assert event["data"]["level"] == 1
    with pytest.raises(ObjectionError, match="field /person/ids/0 is missing"):
        mapped({**row, "person": {"ids": []}}, mapping)


@pytest.mark.parametrize(
    ("how", "value", "read"),
    [
        ("text", 7, "7"),
        ("text", True, "true"),
        ("text", Decimal("1.50"), "1.5"),
        ("integer", "2", 2),
        ("integer", 2.0, 2),
        ("integer", Decimal("2.00"), 2),
        ("number", "2.5", 2.5),
        ("number", 3, 3),
        ("boolean", "TRUE", True),
        ("boolean", 0, False),
        ("date", "1990-05-17", "1990-05-17"),
        ("date", "1990-05-17T00:00:00.000", "1990-05-17"),
        ("date", 0, "1970-01-01"),
        (None, Decimal("2.0"), 2),
        (None, "as it is", "as it is"),
    ],
)
def test_a_value_is_read_as_the_mapping_says(how: str | None, value: Any, read: Any) -> None:
    mapping = DeclaredMapping.model_validate(
        one_rule(
            data={
                "level": {"field": "level", **({"as": how} if how else {})},
                "activated": {"constant": True},
            }
        )
    )
    (event,) = mapped({"cccd": CITIZEN, "at": "2026-11-20T01:30:00Z", "level": value}, mapping)
    assert event["data"]["level"] == read
    assert type(event["data"]["level"]) is type(read)


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ("integer", "2.5"),
        ("integer", True),
        ("integer", 2.5),
        ("integer", "٢"),
        ("number", float("nan")),
        ("number", Decimal("1e999999")),
        ("number", Decimal("sNaN")),
        (None, Decimal("sNaN")),
        ("number", "1" * 31),
        ("boolean", 2),
        ("boolean", "yes"),
        ("boolean", None),
        ("date", "17/05/1990"),
        ("date", "1990-02-30"),
        ("date", "1990-05-17T08:00:00"),
        ("date", 10**12),
        ("date", True),
        (None, {"deep": CITIZEN}),
        (None, [CITIZEN]),
    ],
)
def test_a_value_that_is_something_else_is_refused_and_not_shown(
    how: str | None, value: Any
) -> None:
    data = {"level": {"field": "level", **({"as": how} if how else {})}}
    objection = objection_to(
        {"cccd": CITIZEN, "at": "2026-11-20T01:30:00Z", "level": value},
        data={**data, "activated": {"constant": True}},
    )
    assert objection.reason is Reason.BAD_DATA
    assert f"mapping events.0 ({EID}): data.level: field level " in objection.detail
    assert CITIZEN not in objection.detail


def test_values_not_listed_are_refused_and_null_can_be_listed() -> None:
    mapping = DeclaredMapping.model_validate(
        one_rule(
            data={
                "level": {"constant": 1},
                "activated": {"field": "s", "values": {"A": True, None: False, 1: True}},
            }
        )
    )
    row = {"cccd": CITIZEN, "at": "2026-11-20T01:30:00Z"}
    assert mapped({**row, "s": "A"}, mapping)[0]["data"]["activated"] is True
    assert mapped({**row, "s": None}, mapping)[0]["data"]["activated"] is False
    assert mapped(row, mapping)[0]["data"]["activated"] is False
    for unlisted in ("B", True, "1"):
        with pytest.raises(ObjectionError, match="holds a value that values does not list"):
            mapped({**row, "s": unlisted}, mapping)


def test_null_is_sent_left_out_or_refused_as_the_contract_wants_it() -> None:
    dossier = {
        "type": "vn.nhipso.public-service.dossier-changed.v1",
        "subject": "dossier:{code}",
        "time": {"field": "at", "form": "rfc3339"},
        "data": {name: {"field": name} for name in ("area", "level", "authenticated", "satisfied")},
    }
    citizen = {
        "type": "vn.nhipso.identity.citizen-registered.v1",
        "subject": "citizen:{cccd}",
        "time": {"field": "at", "form": "rfc3339"},
        "data": {name: {"field": name} for name in ("birth_date", "area", "party_member")},
    }
    row = {
        "code": "H-1",
        "cccd": CITIZEN,
        "at": "2026-11-20T01:30:00Z",
        "area": "02647",
        "birth_date": "1990-05-17",
        "level": 4,
        "authenticated": True,
        "satisfied": None,
        "party_member": None,
    }
    mapping = DeclaredMapping.model_validate({"events": [dossier, citizen]})
    first, second = mapped(row, mapping)
    assert first["data"]["satisfied"] is None
    assert second["data"] == {"birth_date": "1990-05-17", "area": "02647"}
    with pytest.raises(ObjectionError, match="field level is empty"):
        mapped({**row, "level": None}, mapping)
    without = {name: value for name, value in row.items() if name != "satisfied"}
    with pytest.raises(ObjectionError, match="field satisfied is missing"):
        mapped(without, mapping)


def test_a_missing_field_matches_null_and_kinds_are_not_confused() -> None:
    row = {"cccd": CITIZEN, "at": "2026-11-20T01:30:00Z", "level": 1}
    alive = DeclaredMapping.model_validate(one_rule(when={"deleted_at": [None]}))
    assert len(mapped(row, alive)) == 1
    assert mapped({**row, "deleted_at": "2026-11-21"}, alive) == []
    numbered = DeclaredMapping.model_validate(one_rule(when={"state": [1]}))
    assert len(mapped({**row, "state": 1.0}, numbered)) == 1
    assert mapped({**row, "state": None}, numbered) == []
    assert mapped({**row, "state": Decimal("sNaN")}, numbered) == []
    for other in ("1", True, [1]):
        with pytest.raises(ObjectionError, match=r"events\.0 .*when: field state is a"):
            mapped({**row, "state": other}, numbered)


def test_a_template_needs_its_fields() -> None:
    row = {"cccd": CITIZEN, "at": "2026-11-20T01:30:00Z", "level": 1}
    assert objection_to({**row, "cccd": None}).reason is Reason.BAD_SUBJECT
    assert "subject: field cccd is missing or empty" in objection_to({**row, "cccd": ""}).detail
    nameless = objection_to(row, id="{n}")
    assert (nameless.reason, "id: field n is" in nameless.detail) == (Reason.BAD_ENVELOPE, True)
    assert "field cccd is no number" in objection_to({**row, "cccd": [CITIZEN]}).detail


@pytest.mark.parametrize(
    ("value", "form", "zone", "expected"),
    [
        ("2026-11-20T08:30:00.123456789+07:00", "rfc3339", None, "2026-11-20T01:30:00.123456Z"),
        (1_763_600_000, "epoch-s", None, "2025-11-20T00:53:20Z"),
        ("1763600000.25", "epoch-s", None, "2025-11-20T00:53:20.250000Z"),
        (1_763_600_000_123, "epoch-ms", None, "2025-11-20T00:53:20.123000Z"),
        (1_763_600_000_123_456, "epoch-us", None, "2025-11-20T00:53:20.123456Z"),
        (-0.5, "epoch-us", None, "1969-12-31T23:59:59.999999Z"),
        ("2026-11-20 08:30", "local", None, "2026-11-20T01:30:00Z"),
        ("2026-11-20T08:30:00.5", "local", "Asia/Ho_Chi_Minh", "2026-11-20T01:30:00.500000Z"),
        ("2026-11-20", "date", None, "2026-11-19T17:00:00Z"),
        (0, "date", "UTC", "1970-01-01T00:00:00Z"),
        # What Debezium makes of a column without a time zone: the wall's time, as if it were UTC.
        (1_795_163_400_000, "epoch-ms", "Asia/Ho_Chi_Minh", "2026-11-20T01:30:00Z"),
        # Put back: 02:30 came twice, and the first counts. Put forward: there was no 02:30.
        ("2026-10-25T02:30:00", "local", "Europe/Berlin", "2026-10-25T00:30:00Z"),
        ("2026-03-29T02:30:00", "local", "Europe/Berlin", "2026-03-29T01:30:00Z"),
    ],
)
def test_times_of_every_form(value: Any, form: Any, zone: str | None, expected: str) -> None:
    assert moment(value, form, ZoneInfo(zone) if zone else None) == expected


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("rfc3339", "2026-11-20T08:30:00"),
        ("rfc3339", 5),
        ("rfc3339", "2026-02-30T08:30:00Z"),
        ("local", "2026-11-20T08:30:00+07:00"),
        ("local", "2026-11-20T25:00:00"),
        ("local", "0001-01-01T00:00:00"),
        ("epoch-s", 10**30),
        ("epoch-ms", "yesterday"),
        ("epoch-us", True),
        ("date", "20/11/2026"),
        ("date", None),
        ("rfc3339", CITIZEN),
        ("local", CITIZEN),
    ],
)
def test_a_time_of_another_form_is_refused_and_not_shown(form: str, value: Any) -> None:
    row = {"cccd": CITIZEN, "at": value, "level": 1}
    objection = objection_to(row, time={"field": "at", "form": form})
    assert objection.reason is Reason.BAD_TIME
    assert f"time: field at ({form}) " in objection.detail
    assert "2026-02" not in objection.detail
    assert CITIZEN not in objection.detail


_MOMENTS = st.datetimes(
    datetime(2000, 1, 2),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(_MOMENTS)
def test_every_form_names_the_same_moment(when: datetime) -> None:
    written = format_rfc3339(when)
    microseconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    wall = when.astimezone(zone).replace(tzinfo=None)
    assert moment(written, "rfc3339", None) == written
    assert moment(microseconds, "epoch-us", None) == written
    assert moment(Decimal(microseconds) / 1_000_000, "epoch-s", None) == written
    assert moment(wall.isoformat(), "local", zone) == written
    on_the_wall = (wall.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )
    assert moment(on_the_wall, "epoch-us", zone) == written


@given(st.dates(date(2000, 1, 2), date(2100, 1, 1)), st.sampled_from(["Europe/Berlin", "UTC"]))
def test_a_day_is_its_first_moment_there(day: date, zone: str) -> None:
    began = parse_rfc3339(moment(day.isoformat(), "date", ZoneInfo(zone)))
    assert began.astimezone(ZoneInfo(zone)).date() == day
    before = began - timedelta(microseconds=1)
    assert before.astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals()
    | st.just(CITIZEN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(ROW, _JSON)))
def test_whatever_a_row_holds_it_is_mapped_or_refused(row: dict[str, Any]) -> None:
    try:
        events = mapped(row)
    except ObjectionError as objection:
        said = objection.detail
    else:
        said = ""
        json.dumps(events, allow_nan=False)
    assert CITIZEN not in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "vn.nhipso.identity.nothing.v1"}, "type is none of the contract's"),
        ({"subject": "dossier:{cccd}"}, "subject must begin with citizen:"),
        ({"subject": "{kind}:{cccd}"}, "subject must begin with citizen:"),
        ({"subject": "citizen:{cccd"}, "a brace that encloses no field"),
        ({"subject": 5}, "must be a text with fields in braces"),
        ({"id": "{cccd}-1"}, "id uses the field cccd, which identifies the citizen"),
        ({"data": {"level": {"constant": 1}}}, "data.activated is required by the type"),
        (
            {
                "data": {
                    "level": {"constant": 1},
                    "activated": {"constant": True},
                    "x": {"field": "x"},
                }
            },
            "data.x: the type has no such field; it has activated, level",
        ),
        (
            {"data": {"level": {"constant": 9}, "activated": {"constant": True}}},
            "data.level.constant: the contract does not take this value",
        ),
        (
            {"data": {"level": {"constant": 1}, "activated": {"field": "s", "values": {"A": 1}}}},
            "data.activated.values: the contract does not take one of them",
        ),
        ({"data": {"level": {}, "activated": {"constant": True}}}, "either field or constant"),
        (
            {"data": {"level": {"field": "a", "as": "text", "values": {"A": 1}}}},
            "give either as or values",
        ),
        ({"data": {"level": {"constant": 1, "as": "text"}}}, "a constant needs neither"),
        ({"data": {"level": {"field": "a", "values": {}}}}, "values is empty"),
        (
            {"time": {"field": "at", "form": "rfc3339", "zone": "UTC"}},
            "a time in RFC 3339 has its own offset",
        ),
        ({"time": {"field": "at", "form": "local", "zone": "Asia/Hanoi"}}, "invalid timezone"),
        ({"when": {"op": []}}, "at least 1 item"),
        ({"extra": 1}, "Extra inputs are not permitted"),
    ],
)
def test_a_mapping_that_does_not_fit_the_contract_is_refused_at_the_start(
    changes: dict[str, Any], said: str
) -> None:
    assert said in fault_of(**changes)


def test_two_events_of_one_row_do_not_share_an_id() -> None:
    (first,) = one_rule(id="{n}")["events"]
    with pytest.raises(ValidationError, match=r"events\.1\.id is the same"):
        DeclaredMapping.model_validate({"events": [first, first]})
    apart = [{**first, "when": {"op": [value]}} for value in ("c", "u")]
    assert len(DeclaredMapping.model_validate({"events": apart}).events) == 2


def test_the_example_of_the_page_can_be_used() -> None:
    page = Path(contracts.__file__).parents[1] / "docs" / "declared-mapping.md"
    example = page.read_text(encoding="utf-8").split("```yaml\n")[1].partition("```")[0]
    mapping = DeclaredMapping.model_validate(yaml.safe_load(example)["mapping"])
    row = {**ROW, "updated_at": "2026-11-20 08:30:00", "joined_on": "2026-11-20"}
    first, second = mapped(row, mapping)
    assert (first["time"], second["time"]) == ("2026-11-20T01:30:00Z", "2026-11-19T17:00:00Z")
