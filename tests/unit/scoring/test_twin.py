"""The quick way of reading says what the models say, of any batch, record by record.

Most records are read together, by a twin of the models; the rest alone, by the models themselves.
Here each record of a batch is held against the models, however good and bad ones are mixed.
"""

import json
from datetime import date
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import EVENT_MODELS, domain_of
from contracts.examples import inside_example
from contracts.subjects import PERSONAL_KINDS, SubjectKind
from contracts.times import local_ordinal
from services.scoring.core.coding import coding
from services.scoring.core.reading import Batch, Reader
from services.scoring.core.records import Report, Said, UnreadableError, read_record, unknown_area
from services.scoring.core.texts import Ids
from services.scoring.core.twin import TWINS, read_envelope
from tests.unit.scoring.saying import AREAS, CATALOGUE, READER, RULES, Key, Register, bearer

INDICATORS = frozenset(CATALOGUE.by_id)

#: Values that are nearly right somewhere.
CLOSE: list[Any] = [
    *(True, False, None, 0, 1, 2, 3, 4, 5, -1, 1.0, 2.5, 10**30, "", "true", "1", [], {}),
    *("02647", "02647\n", "2647", "٠٢٦٤٧", "national", "National", "bank", "micro", "primary"),
    *("1990-05-17", "1990-02-30", "0000-01-01", "1990-5-17", "1990-05-17T00:00:00Z", "1990-W20-4"),
    *("2026-11-20T01:30:00Z", "2026-11-20T01:30:00.123456Z", "2026-11-20T08:30:00+07:00"),
    *("2026-11-20t01:30:00z", "2026-11-20 01:30:00Z", "2026-11-20T01:30:00.1234567Z"),
    *("2026-11-20T24:00:00Z", "2026-11-20T01:30:60Z", "2026-13-20T01:30:00Z", "2026-11-20T01:30Z"),
    *("1999-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-20T01:30:00,123456Z"),
    *("1999-12-31T17:00:00Z", "1999-12-31T16:59:59Z", "9000-12-31T23:59:59.999999Z"),
    *("9001-01-01T00:00:00Z", "9001-01-01T00:00:00+07:00", "0001-01-01T00:00:00+07:00"),
    *("2025-06-30T23:59:59.999999+07:00", "2025-07-01T00:00:00+07:00", "2026-11-20T01:30:00-00:00"),
    *("2016-12-31T23:59:60Z", "2026-11-20T01:30:00.5-05:45", "2026-11-20T01:30:00.Z", "99999"),
    *(
        "1.0",
        "0.3",
        "application/json",
        "application/json; charset=utf-8",
        "x\x00y",
        "é",
        "😀" * 70,
        "a" * 128,
        "a" * 129,
    ),
    *("citizen:" + "0" * 32, "citizen:" + "a" * 31, "household:" + "0" * 32, "area:2025:15"),
    *("citizen:" + "A" * 32, "citizen:" + "0" * 31 + "g", "organisation:0000000001", "dossier:é"),
    *("02648", "04249", "04252", "00000", "c0ffee00-c0ff-ee00-c0ff-ee00c0ffee00", "C0FFEE" * 6),
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
#: What is no event at all.
GARBAGE: list[bytes | None] = [
    *(None, b"", b"{", b"{}", b"[]", b"null", b"5", b"\xff\xfe", b'"text"'),
    *(b'{"specversion":"1.0"', b"[" * 100_000, b'{"type":"\xff"}', "é".encode("utf-16")),
]


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


#: A write as it is said: kind and key of the subject, slot of the fact, what it becomes.
Write = tuple[SubjectKind, Key, int, Register]


class Expected:
    """What the models read in records, one by one, and what the catalogue makes of it."""

    def __init__(self, values: list[bytes | None]) -> None:
        self.writes: list[Write] = []
        self.errors: list[tuple[int, str, str]] = []
        self.heard: dict[tuple[str, str], tuple[int, int]] = {}
        self.reports: dict[tuple[str, str, str], Report] = {}
        for place, value in enumerate(values):
            try:
                said = read_record(value, AREAS, INDICATORS)
                self._check_area(said)
            except UnreadableError as error:
                self.errors.append((place, error.reason, error.detail))
            else:
                self._take(said)

    def _check_area(self, said: Said) -> None:
        code, day = said.data.get("area"), date.fromordinal(local_ordinal(said.time))
        if code is not None and bearer(AREAS, code, day) is None:
            raise unknown_area(int(code), day)

    def _take(self, said: Said) -> None:
        last, events = self.heard.get((said.source, domain_of(said.type)), (said.time, 0))
        self.heard[said.source, domain_of(said.type)] = (max(last, said.time), events + 1)
        if said.report is not None:
            known = self.reports.get(said.report.key)
            if known is None or said.report.order > known.order:
                self.reports[said.report.key] = said.report
        rules = CATALOGUE.by_kind.get(said.kind)
        for fact in () if rules is None else rules.facts:
            asked = all(said.data.get(name) == value for name, value in fact.where.items())
            if fact.event_type == said.type and asked:
                register: Register = (said.time, "", {})
                if fact.keeps == "latest":
                    kept = {place.name for place in coding(said.type).places}
                    data = {name: one for name, one in said.data.items() if name in kept}
                    register = (said.time, said.id, data)
                self.writes.append((said.kind, key(said), fact.slot, register))


def key(said: Said) -> Key:
    """The pseudonym itself, or 16 bytes of BLAKE2b of a subject's whole name."""
    identifier = said.subject.partition(":")[2]
    octets = blake2b(said.subject.encode(), digest_size=16).digest()
    if said.kind in PERSONAL_KINDS:
        octets = bytes.fromhex(identifier)
    return int.from_bytes(octets[:8]), int.from_bytes(octets[8:])


def writes_of(batch: Batch, ids: Ids) -> list[Write]:
    """The writes of a batch, one by one; none of a fact that the catalogue does not have."""
    found = []
    for kind, columns in batch.writes.items():
        facts = {fact.slot: fact for fact in CATALOGUE.by_kind[kind].facts}
        for (high, low), slot, moment, form, words, code in zip(*columns, strict=True):
            text = ids.text(int(form), *map(int, words))
            fact = facts[int(slot)]
            latest = fact.keeps == "latest"
            assert latest or code == 0
            data = coding(fact.event_type).decode(int(code)) if latest else {}
            register = (int(moment), text, data)
            found.append((kind, (int(high), int(low)), int(slot), register))
    return found


def in_order(writes: list[Write]) -> list[Write]:
    """By kind; within a kind records keep their order, and a record's facts that of the catalogue."""
    return sorted(writes, key=lambda write: list(CATALOGUE.by_kind).index(write[0]))


def check(values: list[bytes | None], reader: Reader = READER) -> Expected:
    """Hold a batch against what the models say of each record."""
    ids, expected = Ids(), Expected(values)
    batch = reader.read(values, ids)
    assert [(at, error.reason, error.detail) for at, error in batch.errors] == expected.errors
    assert in_order(writes_of(batch, ids)) == in_order(expected.writes)
    heard = {who: (one.last_time, one.events) for who, one in batch.heard.items()}
    assert heard == expected.heard
    assert batch.reports == expected.reports
    return expected


@settings(deadline=None, max_examples=300)
@given(st.lists(nearly_events() | st.sampled_from(GARBAGE), max_size=12))
def test_a_batch_is_read_as_the_models_read_its_records(values: list[bytes | None]) -> None:
    check(values)


@settings(deadline=None, max_examples=300)
@given(st.lists(nearly_events(), min_size=1, max_size=4), st.data())
def test_octets_that_are_wrong_are_refused_as_the_models_refuse_them(
    events: list[bytes], data: st.DataObject
) -> None:
    """Also where nobody would look: in fields that are not listed."""
    values: list[bytes | None] = []
    for event in events:
        place = data.draw(st.integers(0, len(event) - 1))
        octets = data.draw(st.sampled_from([b"", b"\xff", b"\xc3", b"\x00", b"\\", b'"', b"9"]))
        values.append(event[:place] + octets + event[place + 1 :])
    check(values)


@pytest.mark.parametrize("place", [*PLACES, *(f"data.{name}" for name in ("area", "unlisted"))])
def test_every_close_value_in_every_place(place: str) -> None:
    """All at once in one batch, so that each stands among good and bad ones."""
    values: list[bytes | None] = []
    for event_type in EVENT_MODELS:
        for value in CLOSE:
            event = inside_example(event_type)
            target, name = (event, place) if "." not in place else (event["data"], place[5:])
            if event_type == "vn.nhipso.telecom.fibre-changed.v1" or place != "data":
                values.append(json.dumps(event | {"data": dict(event["data"])}).encode())
            target[name] = value
            values.append(json.dumps(event, ensure_ascii=len(values) % 2 == 0).encode())
    expected = check(values)
    assert expected.writes


@pytest.mark.parametrize("event_type", sorted(TWINS))
def test_every_close_value_in_every_field(event_type: str) -> None:
    values: list[bytes | None] = []
    for name in fields(event_type):
        for value in CLOSE:
            event = inside_example(event_type)
            event["data"] = {**event["data"], name: value}
            values.append(json.dumps(event).encode())
        event = inside_example(event_type)
        event["data"] = {one: value for one, value in event["data"].items() if one != name}
        values.append(json.dumps(event).encode())
    check(values)


def test_what_data_mean_may_be_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.scoring.core.reading._MOST_MEANINGS", 3)
    reader = Reader(RULES)
    values: list[bytes | None] = [
        json.dumps(inside_example(event_type)).encode() for event_type in EVENT_MODELS
    ]
    for _ in range(3):
        check(values, reader)
        check(values[::-1], reader)


@pytest.mark.parametrize("event_type", sorted(TWINS))
def test_what_ingest_writes_is_read_by_the_twin(event_type: str) -> None:
    envelope = read_envelope(json.dumps(inside_example(event_type)).encode())
    assert TWINS[envelope.type].read(envelope.data) == inside_example(event_type)["data"]


def test_what_ingest_writes_is_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models are asked only for what has no twin."""
    asked: list[bytes | None] = []

    def noting(value: bytes | None, *known: Any) -> Said:
        asked.append(value)
        return read_record(value, *known)

    monkeypatch.setattr("services.scoring.core.reading.read_record", noting)
    values: list[bytes | None] = [
        json.dumps(inside_example(event_type)).encode() for event_type in EVENT_MODELS
    ]
    check(values)
    assert len(asked) == len(EVENT_MODELS) - len(TWINS)


def test_nearly_every_type_has_a_twin() -> None:
    without = {"vn.nhipso.report.figures-submitted.v1", "vn.nhipso.registry.subject-closed.v1"}
    assert set(EVENT_MODELS) - TWINS.keys() == without


def test_an_empty_batch_says_nothing() -> None:
    check([])
