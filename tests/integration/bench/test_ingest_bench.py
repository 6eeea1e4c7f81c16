"""`nhipso bench ingest` against a real ingest and a real broker. No time is asserted."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from contracts.events import EVENT_MODELS, domain_of
from tests.contract.ingest.service import Ingest, Keys, running, settings_for
from tests.databases import new_database
from tests.integration.bench.command import run

SOURCE = "urn:nhipso:source:vneid"
EVENTS = 4_000


@pytest.fixture(scope="module")
async def ingest(
    kafka: str, postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ingest]:
    keys = Keys(tmp_path_factory.mktemp("keys"))
    keys.write()
    async with (
        new_database(postgres) as database,
        running(settings_for(keys, kafka, database), keys) as service,
    ):
        yield service


def token_file(folder: Path, ingest: Ingest, domains: list[str]) -> str:
    file = folder / "token"
    file.write_text(
        ingest.keys.token(role="source", sources=[SOURCE], domains=domains), encoding="utf-8"
    )
    return str(file)


async def test_it_prints_a_table_and_a_line_of_json_and_leaves_no_topic(
    kafka: str, ingest: Ingest, tmp_path: Path
) -> None:
    domains = sorted({domain_of(event_type) for event_type in EVENT_MODELS})
    code, said, complained = await run(
        "bench", "ingest", "--url", ingest.url, "--bootstrap", kafka,
        "--token-file", token_file(tmp_path, ingest, domains),
        "--events", str(EVENTS), "--batch", "100", "--rounds", "2", "--connections", "3",
    )  # fmt: skip
    assert code == 0, complained
    *table, last = said.splitlines()
    assert any("events a second" in row for row in table)
    assert any("ratio" in row for row in table)
    measured = json.loads(last)
    assert measured["events"] == EVENTS
    assert set(measured["answers"]) == {"202"}
    assert measured["answers"]["202"] >= EVENTS / 100
    assert measured["ratio"] == pytest.approx(
        measured["http_events_per_second"] / measured["producer_events_per_second"], rel=0.01
    )
    assert len(measured["http_rounds"]) == len(measured["producer_rounds"]) == 2
    assert "acks=all" in measured["producer"]
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        assert not [name for name in await admin.list_topics() if "bench-ingest" in name]
    finally:
        await admin.close()


async def test_what_is_not_accepted_is_no_figure(
    kafka: str, ingest: Ingest, tmp_path: Path
) -> None:
    # A token that ingest does not know: its signature is another's.
    other = Keys(tmp_path)
    other.write()
    file = tmp_path / "token"
    file.write_text(other.token(role="source", sources=[SOURCE], domains=["identity"]), "utf-8")
    code, said, complained = await run(
        "bench", "ingest", "--url", ingest.url, "--bootstrap", kafka, "--token-file", str(file),
        "--events", "500", "--rounds", "1",
    )  # fmt: skip
    assert code != 0
    assert not said
    assert "401" in complained


async def test_a_url_wants_a_token_and_a_broker(ingest: Ingest) -> None:
    code, _, complained = await run("bench", "ingest", "--url", ingest.url)
    assert code == 2
    assert "--token-file" in complained
