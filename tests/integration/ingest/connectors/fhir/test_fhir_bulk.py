"""The first fill from files: of an export that the server makes, or of a folder."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.ingest.connectors.connector import SourceError, UnmappableError
from tests.integration.ingest.connectors.conformance import citizen
from tests.integration.ingest.connectors.fhir.invented import DIAGNOSIS, encounter, patient
from tests.integration.ingest.connectors.fhir.reading import Opener, events, pages, places
from tests.integration.ingest.connectors.fhir.spoken import Spoken, serving

EXPORTED = "2026-02-01T00:00:00.000Z"
LATER = "2026-03-01T00:01:00.000Z"


@pytest.fixture
def filled(spoken: Spoken) -> Spoken:
    spoken.put(patient("p", citizen(1)), updated=EXPORTED)
    spoken.put(*(encounter(f"e{number}", "p") for number in range(1_200)), updated=EXPORTED)
    return spoken


async def test_an_export_is_asked_for_waited_for_read_and_deleted(
    filled: Spoken, opener: Opener
) -> None:
    filled.export_answers = [202, 202]
    connector = opener(filled.base, bulk={"export": "$export"})
    cursor = None
    for _ in range(3):
        [page] = await pages(connector, cursor)
        assert not page.records
        cursor = page.cursor
    filled.put(encounter("after", "p"), updated=LATER)
    found = await pages(connector, cursor)
    assert len(set(places(found))) == 1_201
    assert max(len(page.records) for page in found) == 500
    assert {event["subject"] for event in events(connector, found)} == {f"citizen:{citizen(1)}"}
    [asked] = [one for one in filled.asked if one.path.endswith("$export")]
    assert asked.headers["Prefer"] == "respond-async, handling=lenient"
    assert asked.query["_type"] == "Encounter"
    assert "diagnosis" not in asked.query["_elements"]
    assert [one.method for one in filled.asked if one.path == "/fhir/status/1"][-1] == "DELETE"
    # From then on it searches, from the moment of the export on.
    assert filled.searches("Encounter")[0]["_lastUpdated"] == "ge2026-02-28T23:58:00.000Z"
    await pages(connector, found[-1].cursor)
    assert len([one for one in filled.asked if one.path.endswith("$export")]) == 1


async def test_another_process_goes_on_in_the_middle_of_a_file(
    filled: Spoken, opener: Opener
) -> None:
    bulk = {"export": "Patient/$export"}
    one = opener(filled.base, bulk=bulk)
    [kicked_off] = await pages(one)
    filled.resources.pop("Patient/p")
    filled.put(patient("p", citizen(1)), updated=EXPORTED)
    other = opener(filled.base, bulk=bulk)
    first = await other.read(kicked_off.cursor)
    rest = await pages(opener(filled.base, bulk=bulk), first.cursor)
    assert len(places([first])) == 500
    assert len(places(rest)) == 700
    assert len({*places([first]), *places(rest)}) == 1_200


@pytest.mark.parametrize("status", [404, 500])
async def test_an_export_that_failed_is_asked_for_anew(
    filled: Spoken, opener: Opener, status: int
) -> None:
    filled.export_answers = [status]
    bulk = {"export": "$export"}
    [kicked_off] = await pages(opener(filled.base, bulk=bulk))
    [failed] = await pages(opener(filled.base, bulk=bulk), kicked_off.cursor)
    assert failed.cursor["bulk"] == {"failed": status}
    [again] = await pages(opener(filled.base, bulk=bulk), failed.cursor)
    assert again.cursor["bulk"] == {"status": f"{filled.base}/status/1"}


@pytest.fixture
async def elsewhere() -> AsyncIterator[Spoken]:
    async with serving(Spoken()) as server:
        yield server


async def test_files_of_another_origin_are_fetched_when_it_is_allowed_and_without_a_token(
    filled: Spoken, elsewhere: Spoken, opener: Opener, tmp_path: Path
) -> None:
    elsewhere.resources = filled.resources
    filled.file_base = elsewhere.base
    filled.token = "secret-token"
    (tmp_path / "secret").write_text("geheim")
    authorization = {
        "token_url": f"{filled.base}/token",
        "client_id": "nhipso",
        "client_secret_file": str(tmp_path / "secret"),
    }
    bulk = {"export": "$export"}
    connector = opener(filled.base, bulk=bulk, authorization=authorization)
    [kicked_off] = await pages(connector)
    with pytest.raises(SourceError, match=r"bulk\.file_origins"):
        await connector.read(kicked_off.cursor)
    origin = elsewhere.base.removesuffix("/fhir")
    allowed = opener(
        filled.base, bulk=bulk | {"file_origins": [origin]}, authorization=authorization
    )
    assert len(places(await pages(allowed, kicked_off.cursor))) == 1_200
    assert elsewhere.asked
    assert not any("Authorization" in one.headers for one in elsewhere.asked)


async def test_a_folder_of_files(spoken: Spoken, opener: Opener, tmp_path: Path) -> None:
    spoken.put(patient("p", citizen(1)), updated=EXPORTED)
    lines = [json.dumps(encounter(f"e{number}", "p"), ensure_ascii=False) for number in range(700)]
    (tmp_path / "1.ndjson").write_text("\n".join(lines[:600]) + "\n\n", encoding="utf-8")
    broken = f'{{"resourceType": "Encounter", "{DIAGNOSIS}'
    (tmp_path / "2.ndjson").write_text("\n".join([*lines[600:], broken]), encoding="utf-8")
    bulk = {"folder": str(tmp_path), "as_of": "2026-02-01T00:00:00+07:00"}
    first = await opener(spoken.base, bulk=bulk).read(None)
    connector = opener(spoken.base, bulk=bulk)
    rest = await pages(connector, first.cursor)
    found = [first, *rest]
    assert len(set(places(found))) == 701
    assert rest[-1].cursor["filled"] is True
    *good, bad = [record.original for page in found for record in page.records]
    assert len([event for one in good for event in connector.map(one)]) == 700
    assert places(found)[-1] == "Unreadable/2.ndjson from byte 0, line 101"
    assert DIAGNOSIS not in bad.decode()
    with pytest.raises(UnmappableError, match="no JSON object"):
        connector.map(bad)


async def test_a_folder_in_the_place_of_an_export_is_read_from_its_first_file(
    spoken: Spoken, opener: Opener, tmp_path: Path
) -> None:
    spoken.put(patient("p", citizen(1)), updated=EXPORTED)
    (tmp_path / "0.ndjson").write_text(json.dumps(encounter("e0", "p")), encoding="utf-8")
    (tmp_path / "2.ndjson").write_text(json.dumps(encounter("e2", "p")), encoding="utf-8")
    bulk = {"folder": str(tmp_path), "as_of": "2026-02-01T00:00:00+07:00"}
    export = {"status": f"{spoken.base}/status/1", "file": 1, "line": 500}
    found = await pages(opener(spoken.base, bulk=bulk), {"bulk": export})
    assert places(found)[:2] == ["Encounter/e0", "Encounter/e2"]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"transactionTime": None}, "has no transactionTime"),
        ({"output": [{"type": "Encounter"}]}, "names files without type and url"),
        ({"output": ["a.ndjson"]}, "names files without type and url"),
    ],
)
async def test_a_manifest_that_cannot_be_followed_is_told(
    filled: Spoken, opener: Opener, manifest: dict[str, Any], said: str
) -> None:
    filled.manifest = manifest
    connector = opener(filled.base, bulk={"export": "$export"})
    [kicked_off] = await pages(connector)
    with pytest.raises(SourceError, match=said):
        await connector.read(kicked_off.cursor)


async def test_an_empty_folder_is_told(spoken: Spoken, opener: Opener, tmp_path: Path) -> None:
    bulk = {"folder": str(tmp_path), "as_of": "2026-02-01T00:00:00+07:00"}
    with pytest.raises(SourceError, match="put the export there"):
        await opener(spoken.base, bulk=bulk).read(None)
