"""A disturbed stream holds everything that the clean one holds, and some that must be refused."""

from datetime import UTC, datetime
from random import Random

import pytest

from contracts import areas, catalogue
from contracts.reasons import Reason
from contracts.sources import SOURCE_OF_DOMAIN
from contracts.tokens import Principal, Role
from services.ingest.core.check import Knowledge, check
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import Refused
from services.simulator.disturbance import disturb, spoil
from services.simulator.envelopes import Event

NOW = datetime(2026, 11, 22, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return Knowledge(
        areas=areas.load(),
        indicators=frozenset(catalogue.load().by_id),
        pseudonymiser=Pseudonymiser(b"k" * 32),
    )


def bearer(event: Event) -> Principal:
    """Who holds the token of the event's source, as the embedded stack issues them."""
    source = str(event["source"])
    domains = {domain for domain, name in SOURCE_OF_DOMAIN.items() if name == source}
    return Principal(
        sub=source, role=Role.SOURCE, sources=frozenset({source}), domains=frozenset(domains)
    )


def test_ingest_takes_every_clean_event(filling: list[Event], knowledge: Knowledge) -> None:
    refused = [
        verdict
        for event in filling[::5]
        if isinstance(verdict := check(event, bearer(event), NOW, knowledge), Refused)
    ]
    assert refused == []


def test_ingest_refuses_every_bad_event_for_its_reason(
    filling: list[Event], knowledge: Knowledge
) -> None:
    rng = Random(4)
    seen = set()
    for event in filling[::25]:
        reason, spoilt = spoil(event, rng)
        verdict = check(spoilt, bearer(spoilt), NOW, knowledge)
        assert isinstance(verdict, Refused)
        assert (verdict.reason, spoilt["type"]) == (reason, spoilt["type"])
        seen.add(reason)
    assert seen == set(Reason) - {Reason.TOO_LARGE}


def test_nothing_is_lost(filling: list[Event]) -> None:
    clean = filling[:3_000]
    disturbed = list(disturb(clean, Random(1), duplicates=0.1, lateness=200, bad=0.05))
    ids = [event["id"] for event in disturbed]
    assert {event["id"] for event in clean} <= set(ids)
    assert len(ids) > len(set(ids))
    assert [event["id"] for event in clean] != [id_ for id_ in ids if "-" not in id_]
    assert sum("-" in id_ for id_ in ids) == pytest.approx(150, abs=50)


def test_without_disturbance_the_order_stays(filling: list[Event]) -> None:
    assert list(disturb(filling[:500], Random(1))) == filling[:500]


def test_the_same_seed_disturbs_in_the_same_way(filling: list[Event]) -> None:
    runs = [
        list(disturb(filling[:500], Random(3), duplicates=0.1, lateness=50, bad=0.1))
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
