"""Pseudonyms, partitions and rates, each against what defines it."""

import hashlib
import hmac

import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from contracts.subjects import SubjectKind, parse_inside
from services.ingest.core.partition import murmur2, partition_of, partitions_of
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.rate import RateLimit

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [(SubjectKind.CITIZEN, "000123456789"), (SubjectKind.HOUSEHOLD, "HK-1")],
)
def test_a_pseudonym_is_the_first_half_of_the_hmac(kind: SubjectKind, identifier: str) -> None:
    digest = hmac.new(KEY, f"{kind}:{identifier}".encode(), hashlib.sha256).hexdigest()
    inside = Pseudonymiser(KEY).inside(kind, identifier)
    assert inside == f"{kind}:{digest[:32]}"
    assert parse_inside(inside)[0] is kind


@given(st.binary(min_size=32, max_size=200), st.text(max_size=200))
def test_a_pseudonym_is_hmac_under_every_key(key: bytes, subject: str) -> None:
    subject = subject.encode("utf-8", "replace").decode()
    digest = hmac.new(key, subject.encode(), hashlib.sha256).hexdigest()
    assert Pseudonymiser(key).pseudonym(subject) == digest[:32]


def test_other_kinds_keep_their_identifiers() -> None:
    inside = Pseudonymiser(KEY).inside(SubjectKind.ORGANISATION, "5300123456")
    assert inside == "organisation:5300123456"


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="has 16 bytes"):
        Pseudonymiser(bytes(16))


@given(st.binary(max_size=80))
def test_murmur2_is_kafkas(data: bytes) -> None:
    assert murmur2(data) == murmur2_of_aiokafka(data) & 0xFFFFFFFF


@pytest.mark.parametrize(
    # From the tests of Kafka's own Utils.murmur2.
    ("text", "expected"),
    [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536)],
)
def test_murmur2_gives_what_java_gives(text: str, expected: int) -> None:
    assert murmur2(text.encode()) == expected & 0xFFFFFFFF


@given(st.binary(max_size=40), st.integers(1, 64))
def test_a_partition_is_one_of_the_topics(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


@given(st.lists(st.binary(max_size=9), max_size=200), st.integers(1, 64))
def test_partitions_are_the_same_one_by_one_and_together(keys: list[bytes], count: int) -> None:
    assert partitions_of(keys, count) == [partition_of(key, count) for key in keys]


def test_a_batch_of_subjects_is_placed_as_one_by_one() -> None:
    keys = [f"citizen:{number:032x}".encode() for number in range(500)]
    assert partitions_of(keys, 12) == [partition_of(key, 12) for key in keys]


def test_a_caller_may_send_the_burst_and_then_waits() -> None:
    limit = RateLimit(rate=100, burst=50)
    assert limit.wait("a", 0.0) == 0
    limit.charge("a", 50, 0.0)
    assert limit.wait("a", 0.0) == pytest.approx(0.01)
    assert limit.wait("a", 0.5) == 0
    assert limit.wait("b", 0.0) == 0


def test_a_batch_larger_than_the_burst_passes_and_is_paid_off() -> None:
    limit = RateLimit(rate=100, burst=50)
    limit.charge("a", 250, 0.0)
    assert limit.wait("a", 0.0) == pytest.approx(2.01)
    assert limit.wait("a", 2.1) == 0


def test_a_bucket_never_holds_more_than_the_burst() -> None:
    limit = RateLimit(rate=100, burst=50)
    limit.charge("a", 1, 0.0)
    limit.charge("a", 51, 1000.0)
    assert limit.wait("a", 1000.0) > 0
