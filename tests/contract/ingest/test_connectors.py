"""``/v1/connectors`` and ``/v1/sources`` tell operators what ingest reads by itself."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.ingest.settings import ConnectorSettings
from tests.contract.ingest.service import Ingest, Keys, running, settings_for
from tests.databases import migrated_database

HOSPITAL = "urn:nhipso:source:hospital"
SILENT = "urn:nhipso:source:silent"
MIGRATIONS = Path(__file__).parents[3] / "services/ingest/migrations"
CURSOR = {"known": {f"{number:032x}": number for number in range(1_000)}, "at": {"token": "x" * 99}}
CONNECTORS = """\
connectors:
  - {name: wards, kind: files, source: "urn:nhipso:source:hospital", domains: [health],
     config: {folder: FOLDER/wards}}
  - {name: desk, kind: files, source: "urn:nhipso:source:hospital", domains: [payment, health],
     config: {folder: FOLDER/desk}}
  - {name: gone, kind: files, source: "urn:nhipso:source:silent", domains: [telecom],
     config: {folder: FOLDER/gone}}
"""


@pytest.fixture(scope="module")
async def database(postgres: str) -> AsyncIterator[str]:
    """One in which the connector `gone` has left a long cursor."""
    async with migrated_database(postgres, "ingest", MIGRATIONS) as url:
        connection = await asyncpg.connect(url)
        await connection.execute(
            "INSERT INTO ingest.checkpoints VALUES ('gone', 1, $1::jsonb, now())",
            json.dumps(CURSOR),
        )
        await connection.close()
        yield url


@pytest.fixture(scope="module")
async def ingest(
    kafka: str, database: str, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ingest]:
    folder = tmp_path_factory.mktemp("drop")
    for name in ("wards", "desk", "gone"):
        (folder / name).mkdir()
    file = folder / "connectors.yaml"
    file.write_text(CONNECTORS.replace("FOLDER", str(folder)), encoding="utf-8")
    settings = settings_for(keys, kafka, database).model_copy(
        update={"connectors": ConnectorSettings(file=file)}
    )
    async with running(settings, keys) as service:
        yield service


async def asked(ingest: Ingest, path: str) -> Any:
    status, answer = await ingest.get(path, token=ingest.keys.token(role="operator", sub="op"))
    assert status == 200, answer
    return answer


async def test_a_source_that_a_connector_reads_is_listed_with_it(ingest: Ingest) -> None:
    found = {one["source"]: one for one in (await asked(ingest, "/v1/sources"))["sources"]}
    assert set(found) == {HOSPITAL, SILENT}
    assert found[HOSPITAL]["connectors"] == [
        {"name": "desk", "kind": "files", "domains": ["health", "payment"]},
        {"name": "wards", "kind": "files", "domains": ["health"]},
    ]
    assert (found[HOSPITAL]["added_at"], found[HOSPITAL]["domains"]) == (None, [])


async def test_one_that_is_registered_too_is_listed_once(ingest: Ingest) -> None:
    async with ingest.http.post(
        f"{ingest.url}/v1/sources",
        json={"source": SILENT, "domains": ["telecom"], "title": "Viễn thông"},
        headers={"Authorization": f"Bearer {ingest.keys.token(role='operator', sub='op')}"},
    ) as answer:
        assert answer.status == 201
        assert [one["name"] for one in (await answer.json())["connectors"]] == ["gone"]
    listed = (await asked(ingest, "/v1/sources"))["sources"]
    [found] = [one for one in listed if one["source"] == SILENT]
    assert (found["title"], found["connectors"][0]["kind"]) == ("Viễn thông", "files")


async def test_a_long_cursor_is_shown_abridged_and_kept_whole(
    ingest: Ingest, database: str
) -> None:
    found = (await asked(ingest, "/v1/connectors"))["connectors"]
    cursor = next(one["cursor"] for one in found if one["name"] == "gone")
    assert cursor["known"]["…"] == "988 more"
    assert cursor["at"] == {"token": "x" * 80 + "…"}
    assert len(json.dumps(cursor)) < 1_000
    connection = await asyncpg.connect(database)
    kept = await connection.fetchval(
        "SELECT cursor::text FROM ingest.checkpoints WHERE connector = 'gone'"
    )
    await connection.close()
    assert json.loads(kept) == CURSOR


async def test_openapi_says_what_of_a_cursor_is_cut(ingest: Ingest) -> None:
    schemas = (await asked(ingest, "/openapi.json"))["components"]["schemas"]
    said = schemas["ConnectorAnswer"]["properties"]["cursor"]["description"]
    assert "first 12 members" in said
    assert "first 80 letters" in said
    assert "PostgreSQL keeps the whole" in said
