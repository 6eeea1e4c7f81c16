"""Records that are not of the usual form: each is refused or taken, and none stops the shard."""

import json

import pytest

from contracts.subjects import SubjectKind
from services.scoring.core.texts import Ids
from tests.unit.scoring.saying import READER, event, record

USUAL = record(
    SubjectKind.CITIZEN, event("identity.eid-changed.v1", {"level": 1, "activated": True})
)
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "value",
    [
        USUAL[:-1] + f', "extension": {DEEP}}}'.encode(),
        USUAL.replace(b'"data": {', f'"data": {{"unlisted": {DEEP}, '.encode()),
        DEEP.encode(),
    ],
    ids=["in an extension", "in the data", "everywhere"],
)
def test_what_is_nested_too_deep_is_refused(value: bytes) -> None:
    batch = READER.read([USUAL, value, USUAL], Ids())
    assert [(place, str(error.reason)) for place, error in batch.errors] == [(1, "bad-envelope")]
    assert len(batch.writes[SubjectKind.CITIZEN].slots) == 2


@pytest.mark.parametrize("name", ["id", "source", "subject", "time", "extension"])
def test_half_a_surrogate_pair_is_refused(name: str) -> None:
    broken = json.dumps(json.loads(USUAL) | {name: "\ud800"}).encode()
    batch = READER.read([broken], Ids())
    assert [str(error.reason) for _, error in batch.errors] == ["bad-envelope"]
