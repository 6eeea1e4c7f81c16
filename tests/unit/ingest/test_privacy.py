"""Nothing that leaves ingest shows whose event it was, wherever the sender wrote the number."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from contracts import areas
from contracts.reasons import Reason
from contracts.rejected import HttpOrigin, RejectedEvent, unseal
from contracts.tokens import Principal, Role
from services.ingest.core.check import DOMAINS, Knowledge, check, refuse
from services.ingest.core.identifiers import claimed_identifier, redact
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import Accepted, Refused
from services.ingest.rejections import Refusal, records

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CALLER = Principal(sub="vneid", role=Role.SOURCE)
SOURCE = "urn:nhipso:source:vneid"
PRIVATE_KEY = ECKey.generate_key("P-256")
KNOWLEDGE = Knowledge(areas.load(), frozenset(), Pseudonymiser(bytes(32)))

numbers = st.text("0123456789", min_size=12, max_size=12)
disguises = st.sampled_from(
    [
        lambda number: number,
        lambda number: f"x{number}y",
        lambda number: "-".join((number[:4], number[4:8], number[8:])),
        " ".join,
        lambda number: quote(number).replace("0", "%30"),
        lambda number: number.translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
    ]
)
codes = st.from_regex(r"[A-Za-z0-9._-]{6,20}", fullmatch=True).filter(
    lambda code: len(re.sub(r"[^A-Za-z0-9]", "", code)) >= 6
)
texts = st.text(max_size=12)
places = st.lists(
    st.sampled_from(
        ["id", "source", "type", "time", "datacontenttype", "dataschema", "ext", "data", "reason"]
    ),
    unique=True,
)


def _event(subject: str, texts_in: dict[str, str]) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "specversion": "1.0",
        "id": "e-1",
        "source": SOURCE,
        "type": "vn.nhipso.registry.subject-closed.v1",
        "subject": subject,
        "time": "2026-03-01T08:30:00+07:00",
        "data": {"reason": "moved", "note": "x"},
    }
    for place, text in texts_in.items():
        if place == "reason":
            raw["data"] = {"reason": text}
        elif place == "data":
            raw["data"] = text
        else:
            raw[place] = text
    return raw


def _shown(verdict: Refused, original: bytes) -> str:
    """Everything that is answered and kept of a refusal, but the sealed original."""
    refusal = Refusal(verdict, 0, HttpOrigin(mode="structured", index=0), original)
    [(key, value)] = records([refusal], caller=CALLER, rejected_at=NOW, public_key=PRIVATE_KEY)
    record = RejectedEvent.model_validate_json(value)
    assert unseal(PRIVATE_KEY, record.sealed) == original
    kept = record.model_copy(update={"sealed": ""}).model_dump_json()
    return "\n".join((kept, key.decode(), verdict.detail, verdict.answer_id or ""))


def _digits(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


@settings(max_examples=200, deadline=None)
@given(number=numbers, where=places, disguise=disguises, around=texts, known=st.booleans())
def test_no_answer_or_record_shows_a_citizens_number(
    number: str, where: list[str], disguise: Any, around: str, known: bool
) -> None:
    raw = _event(f"citizen:{number}", {place: around + disguise(number) for place in where})
    if known and "type" not in where:
        raw |= {"type": "vn.nhipso.identity.citizen-departed.v1"}
        raw["data"] = raw["data"] if "data" in where else {"reason": "died"}
    sources = frozenset({raw["source"]})
    caller = Principal(sub="vneid", role=Role.SOURCE, sources=sources, domains=DOMAINS)
    verdict = check(raw, caller, NOW, KNOWLEDGE)
    original = json.dumps(raw).encode()
    if isinstance(verdict, Accepted):
        shown = json.dumps(verdict.record, ensure_ascii=False)
    else:
        shown = _shown(verdict, original)
    assert number not in shown
    assert disguise(number) not in shown
    assert number not in _digits(shown)


@settings(max_examples=200, deadline=None)
@given(code=codes, where=places, around=texts, upper=st.booleans())
def test_no_answer_or_record_shows_a_households_code(
    code: str, where: list[str], around: str, upper: bool
) -> None:
    written = code.upper() if upper else code
    raw = _event(f"household:{code}", dict.fromkeys(where, f"{around} {written}"))
    sources = frozenset({raw["source"]})
    caller = Principal(sub="vneid", role=Role.SOURCE, sources=sources, domains=DOMAINS)
    verdict = check(raw, caller, NOW, KNOWLEDGE)
    hidden = {place for place in where if place not in ("data", "time", "type")}
    if isinstance(verdict, Accepted):
        assert not hidden
        return
    for text in (verdict.answer_id, verdict.event_id, verdict.source, verdict.event_type):
        assert code.casefold() not in (text or "").casefold()


@settings(max_examples=100, deadline=None)
@given(number=numbers, broken=st.sampled_from(["citizen: {}", "Citizen:{}", "person:{}", "{}"]))
def test_a_number_is_masked_also_when_the_subject_is_malformed(number: str, broken: str) -> None:
    raw = _event(broken.format(number), {"id": f"row-{number}", "source": f"urn:{number}"})
    verdict = refuse(raw, Reason.BAD_SUBJECT, "no such subject", sources=())
    kept = "\n".join(filter(None, (verdict.event_id, verdict.source, verdict.detail)))
    assert number not in kept


def test_a_malformed_number_is_masked_as_it_was_written() -> None:
    identifier = claimed_identifier("citizen:00012345678X")
    assert identifier is not None
    assert identifier.mask("row-00012345678x-1") == "row-***-1"


def test_a_short_code_counts_only_as_a_whole_token() -> None:
    identifier = claimed_identifier("household:A7")
    assert identifier is not None
    assert not identifier.appears_in("BA7, A70 and 3a7")
    assert identifier.appears_in("BA7 and (a7)")
    assert identifier.mask("at a7") == "at ***"


def test_long_numbers_are_masked_whosever_they_are() -> None:
    assert redact("row 0001 2345 6789, 42") == "row ***, 42"
    assert redact("urn:%30%30%30123456789") == "***"
    assert redact("urn:nhipso:source:vneid") == "urn:nhipso:source:vneid"
    assert redact("2026-11-22") == "2026-11-22"
