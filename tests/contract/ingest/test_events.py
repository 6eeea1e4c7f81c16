"""``POST /v1/events`` as the wire contract has it: what is answered, and what is on the topics."""

import gzip
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from aiokafka.partitioner import murmur2

from contracts.events import SUBJECT_EVENT
from contracts.rejected import RejectedEvent, unseal
from tests.contract.ingest.service import BATCH, STRUCTURED, Ingest, Topic

CITIZEN = "000123456789"
MakeEvent = Callable[..., dict[str, Any]]


def pseudonym(ingest: Ingest, subject: str) -> str:
    digest = hmac.new(ingest.keys.pseudonym, subject.encode(), hashlib.sha256).hexdigest()
    return f"{subject.partition(':')[0]}:{digest[:32]}"


async def test_an_accepted_event_is_on_the_topic_in_inside_form(
    ingest: Ingest, event: MakeEvent, subject_events: Topic
) -> None:
    sent = event(traceparent="00-ab-01")
    status, answer, _ = await ingest.post(sent)
    assert (status, answer) == (202, {"accepted": 1, "rejected": []})

    [record] = await subject_events.take(1)
    inside = pseudonym(ingest, f"citizen:{CITIZEN}")
    assert record.key == inside.encode()
    assert record.headers == (("content-type", b"application/cloudevents+json"),)
    assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % subject_events.partitions
    value = json.loads(record.value)
    assert value == sent | {"subject": inside, "time": "2026-03-01T01:30:00Z"}
    SUBJECT_EVENT.validate_json(record.value)


async def test_events_of_one_subject_keep_their_order(
    ingest: Ingest, event: MakeEvent, subject_events: Topic
) -> None:
    sent = [event() for _ in range(40)]
    assert (await ingest.post(sent, content_type=BATCH))[0] == 202
    records = await subject_events.take(40)
    assert [json.loads(record.value)["id"] for record in records] == [one["id"] for one in sent]
    assert len({record.partition for record in records}) == 1


async def test_binary_mode(ingest: Ingest, event: MakeEvent, subject_events: Topic) -> None:
    sent = event(ext="đ")
    data = sent.pop("data")
    sent.pop("datacontenttype")
    headers = {f"ce-{name}": quote(value, safe=":") for name, value in sent.items()}
    status, answer, _ = await ingest.post(data, content_type="application/json", headers=headers)
    assert (status, answer["accepted"]) == (202, 1)
    [record] = await subject_events.take(1)
    value = json.loads(record.value)
    assert (value["id"], value["ext"], value["data"]) == (sent["id"], "đ", data)


async def test_valid_events_of_a_mixed_batch_are_accepted_and_the_others_kept(
    ingest: Ingest, event: MakeEvent, subject_events: Topic, rejected_events: Topic
) -> None:
    batch: list[Any] = [
        event(),
        event(time="yesterday"),
        event(id=f"row-{CITIZEN}"),
        7,
        event(data={"level": 2, "activated": True, "note": CITIZEN}),
        event(type="vn.nhipso.payment.account-changed.v1", data={"kind": "bank", "active": True}),
        event(source="urn:nhipso:source:ehr"),
        event(data={"level": 2, "activated": True, "padding": "x" * 20_000}),
    ]
    status, answer, _ = await ingest.post(batch, content_type=BATCH)
    assert status == 207
    assert answer["accepted"] == 2
    assert [(one["index"], one["id"], one["reason"]) for one in answer["rejected"]] == [
        (1, batch[1]["id"], "bad-time"),
        (2, "row-***", "personal-data"),
        (3, None, "bad-envelope"),
        (5, batch[5]["id"], "source-not-allowed"),
        (6, batch[6]["id"], "source-not-allowed"),
        (7, batch[7]["id"], "too-large"),
    ]
    assert all(one["detail"] for one in answer["rejected"])
    assert CITIZEN not in json.dumps(answer)

    accepted = await subject_events.take(2)
    assert [json.loads(record.value)["id"] for record in accepted] == [
        batch[0]["id"],
        batch[4]["id"],
    ]
    kept = await rejected_events.take(6)
    by_index: dict[int, RejectedEvent] = {}
    for record in kept:
        assert record.value is not None
        assert CITIZEN.encode() not in record.value
        rejected = RejectedEvent.model_validate_json(record.value)
        assert rejected.origin.via == "http"
        by_index[rejected.origin.index] = rejected
        assert record.key == (rejected.source or "unknown").encode()
        original = unseal(ingest.keys.rejections, rejected.sealed)
        assert json.loads(original) == batch[rejected.origin.index]
    assert {index: one.reason for index, one in by_index.items()} == {
        one["index"]: one["reason"] for one in answer["rejected"]
    }
    assert {(one.stage, one.caller) for one in by_index.values()} == {("ingest", "vneid")}


async def test_when_none_is_accepted_the_answer_is_422(ingest: Ingest, event: MakeEvent) -> None:
    status, answer, _ = await ingest.post(event(subject="citizen:1"))
    assert status == 422
    assert answer["accepted"] == 0
    assert [one["reason"] for one in answer["rejected"]] == ["bad-subject"]


async def test_a_refused_event_in_binary_mode_is_kept_in_structured_form(
    ingest: Ingest, rejected_events: Topic
) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "urn:nhipso:source:vneid"}
    status, answer, _ = await ingest.post(
        {"level": 2}, content_type="application/json", headers=headers
    )
    assert (status, answer["rejected"][0]["reason"]) == (422, "bad-envelope")
    [record] = await rejected_events.take(1)
    rejected = RejectedEvent.model_validate_json(record.value or b"")
    assert json.loads(unseal(ingest.keys.rejections, rejected.sealed)) == {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:nhipso:source:vneid",
        "datacontenttype": "application/json",
        "data": {"level": 2},
    }


async def test_an_empty_batch_is_accepted(ingest: Ingest) -> None:
    status, answer, _ = await ingest.post([], content_type=BATCH)
    assert (status, answer) == (202, {"accepted": 0, "rejected": []})


async def test_gzip(ingest: Ingest, event: MakeEvent) -> None:
    body = json.dumps([event() for _ in range(100)]).encode()
    packed = gzip.compress(body[:5000]) + gzip.compress(body[5000:])
    encoded = {"Content-Encoding": "gzip"}
    status, answer, _ = await ingest.post(packed, content_type=BATCH, headers=encoded)
    assert (status, answer["accepted"]) == (202, 100)


Case = tuple[bytes, str | None, dict[str, str], int]
PROBLEMS: dict[str, Case] = {
    "no JSON": (b"no json", STRUCTURED, {}, 400),
    "a list in structured mode": (b"[]", STRUCTURED, {}, 400),
    "an object in batch mode": (b'{"id":"1"}', BATCH, {}, 400),
    "an object that is no event": (b'{"a":1}', STRUCTURED, {}, 400),
    "plain JSON": (b'{"id":"1"}', "application/json", {}, 400),
    "damaged gzip": (b"no gzip", STRUCTURED, {"Content-Encoding": "gzip"}, 400),
    "gzip cut off": (
        gzip.compress(b'{"id":"1"}')[:-9],
        STRUCTURED,
        {"Content-Encoding": "gzip"},
        400,
    ),
    "a body too large": (b" " * 300_001, BATCH, {}, 413),
    "too many events": (b"[" + b"1," * 1000 + b"1]", BATCH, {}, 413),
    "a gzip bomb": (gzip.compress(b" " * 50_000_000), BATCH, {"Content-Encoding": "gzip"}, 413),
    "no media type": (b"{}", None, {}, 415),
    "another media type": (b"{}", "text/plain", {}, 415),
    "another format": (b"<e/>", "application/cloudevents+xml", {}, 415),
    "another coding": (b"{}", STRUCTURED, {"Content-Encoding": "br"}, 415),
}


@pytest.mark.parametrize("name", PROBLEMS)
async def test_problems(ingest: Ingest, name: str) -> None:
    body, content_type, headers, expected = PROBLEMS[name]
    status, problem, answered = await ingest.post(body, content_type=content_type, headers=headers)
    assert (status, problem["status"]) == (expected, expected), problem
    assert answered["Content-Type"] == "application/problem+json"
    assert problem["title"]
    assert problem["detail"]


async def test_a_body_without_declared_length_is_bounded_too(ingest: Ingest) -> None:
    async def endless() -> Any:
        for _ in range(400):
            yield b" " * 1000

    headers = {"Authorization": f"Bearer {ingest.keys.token()}", "Content-Type": BATCH}
    async with ingest.http.post(
        f"{ingest.url}/v1/events", data=endless(), headers=headers
    ) as answer:
        assert answer.status == 413


async def test_no_or_bad_credentials(ingest: Ingest, event: MakeEvent) -> None:
    async with ingest.http.post(f"{ingest.url}/v1/events", json=event()) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert (await ingest.post(event(), token="x.y.z"))[0] == 401
    assert (await ingest.post(event(), token=ingest.keys.token(exp=1_000_000_000)))[0] == 401


@pytest.mark.parametrize("role", ["unit", "operator", "leader", "nobody"])
async def test_a_token_that_may_not_send_at_all(
    ingest: Ingest, event: MakeEvent, role: str
) -> None:
    status, problem, _ = await ingest.post(event(), token=ingest.keys.token(role=role))
    assert (status, problem["status"]) == (403, 403)


async def test_credentials_come_before_the_body(ingest: Ingest) -> None:
    assert (await ingest.post(b"no json", content_type="text/plain", token="x.y.z"))[0] == 401
