"""What the benches load is what ingest would have written, to the byte."""

import json
import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from contracts import areas, catalogue
from contracts.areas import Areas, read
from contracts.events import domain_of
from contracts.subjects import SubjectKind
from contracts.tokens import Principal
from services.ingest.core import partition
from services.ingest.core.check import Knowledge, check
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import Accepted
from tests.bench.ground import COMMUNES, PROVINCES, Country, Ground, province
from tests.bench.invented_events import Records, Sizes, invent
from tests.bench.templates import murmur2

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Known(Pseudonymiser):
    """Knows one subject alone, in inside form."""

    def __init__(self, subject: str) -> None:
        super().__init__(bytes(32))
        self._subject = subject

    def inside(self, kind: SubjectKind, identifier: str) -> str:
        assert self._subject.startswith(f"{kind}:")
        assert identifier
        return self._subject


def invented(citizens: int, events: int, ground: Ground) -> list[Records]:
    return list(invent(Sizes(citizens, events), ground=ground, seed=7, today=TODAY))


def as_ingest_writes(value: bytes, units: Areas) -> bytes:
    event = json.loads(value)
    knowledge = Knowledge(units, frozenset(catalogue.load().by_id), Known(event["subject"]))
    edge = {"citizen": "012345678901", "household": "HGD-1"}
    kind = event["subject"].partition(":")[0]
    if kind in edge:
        event["subject"] = f"{kind}:{edge[kind]}"
    caller = Principal.model_validate(
        {
            "sub": "source",
            "role": "source",
            "sources": [event["source"]],
            "domains": [domain_of(event["type"])],
        }
    )
    verdict = check(event, caller, NOW, knowledge)
    assert isinstance(verdict, Accepted), verdict
    return msgspec.json.encode(verdict.record)


def test_records_are_to_the_byte_what_ingest_writes() -> None:
    units = areas.load()
    kinds = set()
    for records in invented(500, 4_000, province()):
        for key, value in zip(records.keys, records.values, strict=True):
            assert as_ingest_writes(value, units) == value
            event = json.loads(value)
            assert event["subject"].encode() == key
            assert uuid.UUID(event["id"]).version == 4
            kinds.add(event["type"])
    assert len(kinds) == 20


def test_a_country_is_invented_and_its_communes_are_valid(tmp_path: Path) -> None:
    country = Country()
    units = read(*country.write(tmp_path))
    assert sum(unit.level == "commune" for unit in units) == COMMUNES
    assert sum(unit.level == "province" for unit in units) == PROVINCES
    assert {unit.area_id.partition(":")[0] for unit in units} == {"sim"}
    for records in invented(300, 600, country.ground()):
        for value in records.values:
            assert as_ingest_writes(value, units) == value


def test_the_same_seed_gives_the_same_records() -> None:
    first, second = (invented(100, 300, province()) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.values.tolist() == other.values.tolist()


def test_every_citizen_is_registered_once_and_first() -> None:
    registrations, happenings = invented(200, 500, province())
    assert len(set(registrations.keys.tolist())) == 200
    assert all(b"citizen-registered" in value for value in registrations.values)
    about = {key for key in happenings.keys if key.startswith(b"citizen:")}
    assert about <= set(registrations.keys.tolist())


@pytest.mark.parametrize("width", [8, 20, 23, 40, 41])
def test_keys_are_placed_as_ingest_places_them(width: int) -> None:
    rows = np.random.PCG64(width).random_raw(100 * width).astype(np.uint8).reshape(100, width)
    assert murmur2(rows).tolist() == [partition.murmur2(row.tobytes()) for row in rows]


def test_fewer_events_than_citizens_are_refused() -> None:
    with pytest.raises(ValueError, match="each is registered by one"):
        Sizes(citizens=2, events=1)
