"""The quick way and the long way give the same: every acceptance, record and count."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import areas, catalogue
from contracts.events import EVENT_MODELS
from contracts.examples import edge_example
from contracts.tokens import Principal, Role
from services.ingest.core.check import DOMAINS, Knowledge, check
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.quick import quick_check
from services.ingest.core.verdicts import Accepted
from services.simulator.disturbance import disturb, spoil
from services.simulator.simulation import Simulation
from tests.e2e.hard.stream import hard_stream

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
KNOWLEDGE = Knowledge(
    areas.load(), frozenset(catalogue.load().by_id), Pseudonymiser(bytes(range(32)))
)
NUMBER = "000123456789"
#: As long as an identifier, and a fit source: what it names may not be a citizen.
LONG_SOURCE = f"urn:{NUMBER}"
NASTY: list[Any] = [
    None, True, False, 0, 1, 2, 3, -1, 2.0, 1e0, 2**53, 10**20, "", "true", "2", NUMBER,
    f"x-{NUMBER}", "0001-2345-6789", "0001 2345 6789", "%30%30%30123456789", "０００１２３４５６７８９",
    "02647", "02647\n", "99999", "1990-05-17", "1990-02-30", "1990-5-17", "1990-05-17\n", "a\x00b",
    "a\x85b", "a\u2028b", "ố-1", "\U0001f4c7", "x" * 128, "x" * 129, [], {}, ["a"], {"a": 1},
    "citizen:000123456789", "citizen:000123456789\n", "citizen:12", "Citizen:000123456789",
    "household:medium", "household:A7", "household:HK-204.7731", "household:2", "organisation:0100000001",
    "dossier:a", "institution:a", "area:2025:15", "agency:a", "2026-03-01T08:30:00+07:00",
    "2026-03-01t08:30:00z", "2026-03-01 08:30:00Z", "2026-03-01T08:30:00.1234567Z", "2026-03-01",
    "2026-03-01T08:30:00.5+07:00", "2016-12-31T23:59:60Z", "1999-12-31T23:59:59Z", "20260301T083000Z",
    "2000-01-01T00:00:00+08:00", "2000-01-01T00:00:00+07:00", "2000-01-02T12:00:00Z", "9999-12-31T23:00:00Z",
    "2026-11-22T03:05:00Z", "2026-11-22T03:05:01Z", "2026-03-01T24:00:00Z", "0001-01-01T00:00:00+07:00",
    "urn:nhipso:source:vneid", "urn:a b", "urn:a%zz", LONG_SOURCE, "application/json", "text/plain",
    "application/json; charset=utf-8", "1.0", "0.3", "died", "bank", "yenbai-s", "dx.documents",
]  # fmt: skip
SOURCES = frozenset(
    {value for value in NASTY if isinstance(value, str)}
    | {str(edge_example(event_type)["source"]) for event_type in EVENT_MODELS}
    | {f"urn:nhipso:source:{name}" for name in ("vneid", "dvc", "payments", "ehr", "telecom")}
    | {f"urn:nhipso:source:{name}" for name in ("community", "registry", "report")}
)
CALLER = Principal(sub="all", role=Role.SOURCE, sources=SOURCES, domains=DOMAINS)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(float_hook=float).decode


def agree(raw: dict[str, Any], caller: Principal = CALLER, now: datetime = NOW) -> bool:
    """Whether the quick way accepted; it must not accept but as the long way does."""
    quick = quick_check(raw, caller, now, KNOWLEDGE)
    if quick is None:
        return False
    long = check(raw, caller, now, KNOWLEDGE)
    assert isinstance(long, Accepted), (raw, long)
    assert quick == long
    assert _encode(quick.record) == _encode(long.record)
    assert quick.subject == long.subject
    return True


def example(event_type: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(json.dumps(edge_example(event_type)))
    return decoded


FIELDS = sorted({name for event_type in EVENT_MODELS for name in example(event_type)["data"]})
examples = st.sampled_from(list(EVENT_MODELS)).map(example)
values = st.sampled_from(NASTY) | st.text(max_size=16) | st.integers() | st.floats(allow_nan=False)
times = st.sampled_from(["1999-12-25", "2026-11-20"]).flatmap(
    lambda day: st.integers(0, 12 * 86_400_000_000).map(
        lambda after: datetime.fromisoformat(f"{day}T00:00") + timedelta(microseconds=after)
    )
)
offsets = st.sampled_from(["Z", "+07:00", "-23:59", "+23:59", "-00:00", "+07", "", "+24:00"])


@settings(max_examples=600, deadline=None)
@given(
    raw=examples,
    attributes=st.dictionaries(
        st.sampled_from(["specversion", "id", "source", "type", "subject", "time", "data"])
        | st.sampled_from(["datacontenttype", "dataschema", "ext", NUMBER, "data_base64"]),
        values,
        max_size=2,
    ),
    drop=st.sets(st.sampled_from(["id", "source", "type", "time", "data", "datacontenttype"])),
    dropped=st.booleans(),
)
def test_they_agree_on_envelopes(
    raw: dict[str, Any], attributes: dict[str, Any], drop: set[str], dropped: bool
) -> None:
    raw |= attributes
    agree({name: value for name, value in raw.items() if not (dropped and name in drop)})


@settings(max_examples=600, deadline=None)
@given(
    raw=examples,
    data=st.dictionaries(
        st.sampled_from(FIELDS) | st.sampled_from(["unlisted", NUMBER]),
        values,
        max_size=3,
    ),
    gone=st.integers(0, 3),
)
def test_they_agree_on_data(raw: dict[str, Any], data: dict[str, Any], gone: int) -> None:
    kept = list(raw["data"].items())[: len(raw["data"]) - gone if gone < 3 else None]
    agree(raw | {"data": dict(kept) | data})


@settings(max_examples=400, deadline=None)
@given(raw=examples, moment=times, offset=offsets, digits=st.integers(0, 9), fine=st.booleans())
def test_they_agree_on_times(
    raw: dict[str, Any], moment: datetime, offset: str, digits: int, fine: bool
) -> None:
    fraction = f".{moment.microsecond:06d}999"[: digits + 1] if fine and digits else ""
    agree(raw | {"time": moment.replace(microsecond=0).isoformat() + fraction + offset})


@settings(max_examples=400, deadline=None)
@given(
    raw=examples,
    subject=st.from_regex(r"(citizen:[0-9]{12}|household:[A-Za-z0-9._-]{1,12})", fullmatch=True),
    place=st.sampled_from(["id", "source"]),
    around=st.tuples(*[st.text("aZ0 -_.%٣", max_size=4)] * 2),
    spread=st.sampled_from(["", "-", " ", ".", "%"]),
)
def test_they_agree_on_identifiers(
    raw: dict[str, Any], subject: str, place: str, around: tuple[str, str], spread: str
) -> None:
    text = spread.join(subject.partition(":")[2]).join(around)
    caller = CALLER.model_copy(update={"sources": CALLER.sources | {text}})
    agree(raw | {"subject": subject, place: text}, caller)


@settings(max_examples=300, deadline=None)
@given(raw=examples, sources=st.booleans(), domains=st.sets(st.sampled_from(sorted(DOMAINS))))
def test_they_agree_on_permissions(raw: dict[str, Any], sources: bool, domains: set[str]) -> None:
    allowed = frozenset({raw["source"]} if sources else {"urn:another"})
    agree(raw, Principal(sub="s", role=Role.SOURCE, sources=allowed, domains=frozenset(domains)))


@pytest.mark.parametrize("event_type", sorted(EVENT_MODELS))
def test_they_agree_on_each_nasty_value_in_each_place(event_type: str) -> None:
    fit = example(event_type)
    for value in NASTY:
        for name in (*fit, "dataschema", "ext"):
            agree(fit | {name: value})
        for name in (*fit["data"], "unlisted"):
            agree(fit | {"data": fit["data"] | {name: value}})


@pytest.mark.parametrize("code", ["HK-204.7731", "a7", "vneid", "medium", "02647", "1"])
def test_they_agree_on_households_in_ids_and_sources(code: str) -> None:
    fit = example("vn.nhipso.telecom.fibre-changed.v1") | {"subject": f"household:{code}"}
    assert agree(fit | {"id": "row-x"})
    for text in (code, code.upper(), f"row-{code}", f"row{code}", f"urn:{code}:x", f"urn:x{code}"):
        caller = CALLER.model_copy(update={"sources": CALLER.sources | {text}})
        agree(fit | {"id": text}, caller)
        agree(fit | {"id": "row-x", "source": text}, caller)


def test_they_agree_on_a_hard_stream_and_its_faults() -> None:
    quick: Counter[bool] = Counter()
    for item in hard_stream(7, 4_000, NOW, faults=800):
        decoded = _decode(json.dumps(item.event))
        caller = CALLER.model_copy(update={"sources": frozenset({item.sender})})
        quick[agree(decoded, caller)] += 1
    assert quick[True] > 1_000


def test_they_agree_on_a_disturbed_province() -> None:
    simulation = Simulation(seed=3, citizens=120, started_at=NOW - timedelta(days=1))
    rng = Random(9)
    for event in disturb(simulation.fill(), rng, duplicates=0.05, lateness=20, bad=0.2):
        agree(event)
    event = next(iter(simulation.fill()))
    for _ in range(200):
        agree(spoil(event, rng)[1])


@pytest.mark.parametrize("event_type", sorted(EVENT_MODELS))
def test_plain_events_take_the_quick_way(event_type: str) -> None:
    # A long one has free text or rules between fields.
    long = {"vn.nhipso.registry.subject-closed.v1", "vn.nhipso.report.figures-submitted.v1"}
    assert agree(example(event_type)) is (event_type not in long)


def test_a_field_nobody_listed_is_dropped_and_counted() -> None:
    raw = example("vn.nhipso.identity.eid-changed.v1")
    raw["data"] = {"name": "x"} | raw["data"]
    assert agree(raw)
    accepted = quick_check(raw, CALLER, NOW, KNOWLEDGE)
    assert accepted is not None
    assert accepted.unlisted == 1
    assert "name" not in accepted.record["data"]


def test_an_extension_takes_the_long_way() -> None:
    assert not agree(example("vn.nhipso.identity.eid-changed.v1") | {"traceid": "a"})
