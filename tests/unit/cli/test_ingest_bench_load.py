"""What the bench of ingest sends is fit, and its records are what ingest would publish."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts import areas, catalogue
from contracts.tokens import Principal, Role
from services.cli.exits import CommandError
from services.cli.ingest_bench_load import MARK, Batch, claims_of, read_batches, write_batches
from services.ingest.core.check import DOMAINS, Knowledge, check
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import Accepted

SOURCE = "urn:nhipso:source:vneid"


def token(**claims: Any) -> str:
    held = {"sub": "a", "role": "source", "sources": [SOURCE], "domains": sorted(DOMAINS)} | claims
    payload = base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


@pytest.fixture
def batches(tmp_path: Path) -> list[Batch]:
    write_batches(tmp_path / "batches", [token()], size=200, events=3_000)
    return read_batches(tmp_path / "batches")


def test_each_event_is_fit_and_its_record_is_ingests(batches: list[Batch]) -> None:
    knowledge = Knowledge(
        areas.load(), frozenset(catalogue.load().by_id), Pseudonymiser(bytes(range(32)))
    )
    caller = Principal(sub="a", role=Role.SOURCE, sources=frozenset({SOURCE}), domains=DOMAINS)
    now = datetime.now(UTC)
    assert len(batches) == 15
    for batch in batches:
        events = json.loads(batch.body)
        assert len(events) == len(batch.records) == batch.events == 200
        for event, (key, value) in zip(events, batch.records, strict=True):
            verdict = check(event, caller, now, knowledge)
            assert isinstance(verdict, Accepted), verdict
            record = json.loads(value)
            assert record["subject"] == key.decode()
            assert len(key) == len(verdict.subject)
            assert len(value) == len(msgspec.json.encode(verdict.record))
            assert record | {"subject": ""} == verdict.record | {"subject": ""}


def test_no_number_of_a_citizen_is_in_a_record(batches: list[Batch]) -> None:
    for batch in batches:
        for event, (_, value) in zip(json.loads(batch.body), batch.records, strict=True):
            kind, _, identifier = event["subject"].partition(":")
            assert kind != "citizen" or identifier.encode() not in value


def test_another_mark_makes_other_ids(batches: list[Batch]) -> None:
    ids = set()
    for mark in (b"0" * 16, b"1" * 16):
        body = batches[0].body.replace(MARK, mark)
        assert len(body) == len(batches[0].body)
        ids |= {event["id"] for event in json.loads(body)}
    assert len(ids) == 2 * batches[0].events


@pytest.mark.parametrize(
    "bad", ["", "a.b", "a.!.c", token(role="none"), token(sources=[]), token(domains=[])]
)
def test_a_token_that_cannot_send_is_refused(bad: str) -> None:
    with pytest.raises(CommandError):
        claims_of(bad)


def test_too_few_events_for_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no batch of 10000"):
        write_batches(tmp_path / "batches", [token(domains=["report"])], size=10_000, events=10_000)
