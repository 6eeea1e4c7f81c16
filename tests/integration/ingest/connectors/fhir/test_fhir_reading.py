"""A round reads everything once, however the server cuts its pages."""

import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.ingest.connectors.connector import SourceError
from tests.integration.ingest.connectors.conformance import citizen
from tests.integration.ingest.connectors.fhir.hapi import Hapi
from tests.integration.ingest.connectors.fhir.invented import (
    ACT_CODE,
    DIAGNOSIS,
    SUMMARY,
    composition,
    document,
    encounter,
    patient,
)
from tests.integration.ingest.connectors.fhir.reading import Opener, events, pages, places
from tests.integration.ingest.connectors.fhir.spoken import Spoken


def moment(minute: int) -> str:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    return (start + timedelta(minutes=minute)).isoformat(timespec="milliseconds")


def fill(server: Spoken, count: int) -> None:
    """Encounters e0, e1, …, one a minute."""
    server.put(patient("p", citizen(1)), updated=moment(0))
    for number in range(count):
        server.put(encounter(f"e{number}", "p"), updated=moment(number))


async def test_pages_of_a_server_that_sorts(spoken: Spoken, opener: Opener) -> None:
    fill(spoken, 10)
    connector = opener(spoken.base)
    found = await pages(connector)
    assert places(found) == [f"Encounter/e{number}" for number in range(10)]
    again = await pages(connector, found[-1].cursor)
    assert places(again) == []
    assert again[-1].cursor == found[-1].cursor
    spoken.put(encounter("e3", "p"), updated=moment(30))
    assert places(await pages(connector, found[-1].cursor)) == ["Encounter/e3"]


async def test_the_checkpoint_of_another_kind_is_refused(spoken: Spoken, opener: Opener) -> None:
    fill(spoken, 1)
    connector = opener(spoken.base)
    for _ in range(2):
        with pytest.raises(SourceError, match="not one of a fhir connector"):
            await connector.read({"0": 1_042, "1": 987})


async def test_what_changes_between_two_pages_pushes_nothing_out(
    spoken: Spoken, opener: Opener
) -> None:
    fill(spoken, 10)
    connector = opener(spoken.base)
    first = await connector.read(None)
    # It moves to the end, so at the old offset every other resource has moved up by one.
    spoken.put(encounter("e0", "p"), updated=moment(60))
    rest = await pages(connector, first.cursor)
    assert set(places([first, *rest])) == {f"Encounter/e{number}" for number in range(10)}


async def test_many_resources_of_one_moment(spoken: Spoken, opener: Opener) -> None:
    spoken.put(patient("p", citizen(1)), updated=moment(0))
    spoken.put(*(encounter(f"e{number}", "p") for number in range(10)), updated=moment(5))
    fill(spoken, 1)
    found = await pages(opener(spoken.base))
    assert set(places(found)) == {f"Encounter/e{number}" for number in range(10)}


@pytest.mark.parametrize("claims_order", [False, True])
async def test_a_server_that_does_not_sort(
    spoken: Spoken, opener: Opener, *, claims_order: bool
) -> None:
    # The first page looks sorted; what is older comes behind it.
    spoken.sorts, spoken.claims_order = False, claims_order
    spoken.put(patient("p", citizen(1)), updated=moment(0))
    for number, minute in enumerate([5, 6, 9, 1, 2, 3, 8, 7]):
        spoken.put(encounter(f"e{number}", "p"), updated=moment(minute))
    connector = opener(spoken.base)
    found = await pages(connector)
    assert set(places(found)) == {f"Encounter/e{number}" for number in range(8)}
    if not claims_order:
        # Killed in the middle, it must begin anew: nothing says what is still to come.
        assert found[0].cursor["Encounter"]["reached"] is None
    assert found[-1].cursor["Encounter"]["reached"] == moment(9)
    assert places(await pages(connector, found[-1].cursor)) == []


async def test_what_was_stored_late_is_found_by_the_overlap(
    spoken: Spoken, opener: Opener, pool: asyncpg.Pool
) -> None:
    fill(spoken, 10)
    connector = opener(spoken.base, overlap_seconds=300, catch_up_overlap_seconds=3600)
    cursor = (await pages(connector))[-1].cursor
    spoken.put(encounter("late", "p"), updated=moment(6))
    spoken.put(encounter("very-late", "p"), updated=moment(1))
    found = await pages(connector, cursor)
    assert places(found) == ["Encounter/late"]
    # A missed notification has it look further back, once.
    await pool.execute(
        "INSERT INTO fhir_subscriptions VALUES ('under-test', 'S/1', 'active', 7, 2, now())"
    )
    caught_up = await pages(connector, found[-1].cursor)
    assert "Encounter/very-late" in places(caught_up)
    assert caught_up[-1].cursor["caught_up"] == 2
    assert places(await pages(connector, caught_up[-1].cursor)) == []


async def test_the_first_reading_may_begin_at_a_moment(spoken: Spoken, opener: Opener) -> None:
    fill(spoken, 10)
    found = await pages(opener(spoken.base, since="2026-03-01T07:08:00+07:00"))
    assert places(found) == ["Encounter/e8", "Encounter/e9"]


async def test_a_link_to_another_origin_is_not_followed(spoken: Spoken, opener: Opener) -> None:
    fill(spoken, 10)
    spoken.claims_order = False
    spoken.next_link = "http://elsewhere.example/fhir/Encounter?page=2"
    connector = opener(spoken.base)
    first = await connector.read(None)
    with pytest.raises(SourceError, match="another origin"):
        await connector.read(first.cursor)


async def test_a_busy_server_is_left_alone_as_long_as_it_asks(
    spoken: Spoken, opener: Opener
) -> None:
    spoken.busy = {"Retry-After": "17"}
    with pytest.raises(SourceError) as caught:
        await opener(spoken.base).read(None)
    assert caught.value.retry_after_seconds == 17


async def test_a_server_that_is_not_there(opener: Opener) -> None:
    with pytest.raises(SourceError, match="does not answer"):
        await opener("http://127.0.0.1:1/fhir").read(None)


async def test_patients_are_asked_for_without_their_ids_in_a_url(
    spoken: Spoken, opener: Opener
) -> None:
    fill(spoken, 3)
    await pages(opener(spoken.base))
    [form] = spoken.forms
    assert form["_id"] == "p"
    assert form["_elements"] == "id,meta,identifier,active,link"
    [search] = spoken.searches("Encounter")
    assert "diagnosis" not in search["_elements"]
    assert "reasonCode" not in search["_elements"]
    assert all("_id" not in one.query for one in spoken.asked)


@pytest.mark.parametrize("hapi", ["r4", "r4b"], indirect=True)
async def test_pages_of_hapi(hapi: Hapi, opener: Opener) -> None:
    await hapi.put([patient("p", citizen(1))])
    await hapi.put(encounter(f"e{number}", "p") for number in range(25))
    await hapi.put([encounter("walked-in", "p", **{"class": {"system": ACT_CODE, "code": "AMB"}})])
    connector = opener(hapi.base, page_size=4)
    found = await pages(connector)
    assert sorted(places(found)) == sorted(f"Encounter/e{number}" for number in range(25))
    assert len(events(connector, found)) == 25
    assert places(await pages(connector, found[-1].cursor)) == []


@pytest.mark.parametrize("hapi", ["r4", "r4b"], indirect=True)
async def test_merged_patients_are_who_has_replaced_them(hapi: Hapi, opener: Opener) -> None:
    await hapi.put(
        [
            patient("c", citizen(3)),
            patient("b", None, active=False, replaced_by="c"),
            patient("a", citizen(1), active=False, replaced_by="b"),
            patient("x", None, replaced_by="y"),
            patient("y", None, replaced_by="x"),
            encounter("merged", "a"),
            encounter("circle", "x"),
            encounter("unknown", "nobody"),
        ]
    )
    connector = opener(hapi.base, without_number="skip")
    found = await pages(connector)
    assert set(places(found)) == {"Encounter/merged", "Encounter/circle", "Encounter/unknown"}
    assert [event["subject"] for event in events(connector, found)] == [f"citizen:{citizen(3)}"]


@pytest.mark.parametrize("hapi", ["r4", "r4b"], indirect=True)
async def test_signs_of_a_record(hapi: Hapi, opener: Opener) -> None:
    await hapi.put(
        [
            patient("a", citizen(1)),
            patient("b", citizen(2), active=False),
            composition("c1", "a"),
            composition("c2", "a", status="preliminary"),
            composition("c3", "b"),
            document("d1", "a"),
            document("d2", "a", status="superseded"),
            document("d3", "a", type={"coding": [{"system": "urn:x", "code": "y"}]}),
        ]
    )
    summary = {"system": SUMMARY["system"], "code": SUMMARY["code"]}
    signs = {"compositions": [summary], "document_references": [], "patients": True}
    connector = opener(hapi.base, teleconsultations=None, records=signs)
    found = await pages(connector)
    assert set(places(found)) == {
        *("Composition/c1", "Composition/c3"),
        *("DocumentReference/d1", "DocumentReference/d3"),
        *("Patient/a", "Patient/b"),
    }
    said = sorted((event["subject"], event["data"]["active"]) for event in events(connector, found))
    assert said == [(f"citizen:{citizen(1)}", True)] * 4 + [(f"citizen:{citizen(2)}", False)]
    kept = [record.original.decode() for page in found for record in page.records]
    assert not any(DIAGNOSIS in one or "content" in json.loads(one) for one in kept)
