"""A HAPI FHIR server for the whole session, empty before each test."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.embedded.ports import free_port
from services.chassis.clock import SystemClock
from services.chassis.database import migrate, open_pool
from services.chassis.settings import KafkaSettings, PostgresSettings
from services.ingest.connectors.connector import Surroundings
from services.ingest.connectors.fhir.config import FhirConfig
from services.ingest.connectors.fhir.connector import FhirConnector
from services.ingest.core.pseudonyms import Pseudonymiser
from tests.integration.ingest.connectors.conformance import MIGRATIONS
from tests.integration.ingest.connectors.fhir.hapi import Hapi
from tests.integration.ingest.connectors.fhir.invented import config
from tests.integration.ingest.connectors.fhir.reading import Opener
from tests.integration.ingest.connectors.fhir.spoken import Spoken, serving


@pytest.fixture(scope="session")
def hapi_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hapi]:
    server = Hapi(tmp_path_factory.mktemp("hapi"), port=free_port())
    server.start()
    try:
        server.wait_ready(120)
        yield server
    finally:
        server.stop()


@pytest.fixture
async def hapi(hapi_server: Hapi, request: pytest.FixtureRequest) -> AsyncIterator[Hapi]:
    """The server, of the release that a test names as this fixture's parameter, else R4B."""
    hapi_server.release = getattr(request, "param", "r4b")
    await hapi_server.reset()
    yield hapi_server
    await hapi_server.reset()


@pytest.fixture
async def spoken() -> AsyncIterator[Spoken]:
    async with serving(Spoken()) as server:
        yield server


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Of a database with ingest's schema."""
    await migrate(database, schema="ingest", migrations=MIGRATIONS)
    postgres = PostgresSettings(dsn=SecretStr(database), pool_min=0)
    opened = await open_pool(postgres, schema="ingest", application_name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def opener(pool: asyncpg.Pool) -> AsyncIterator[Opener]:
    """Opens connectors over a config; all are closed at the end."""
    made: list[FhirConnector] = []

    def open_(base_url: str, **changes: Any) -> FhirConnector:
        around = Surroundings(
            name="under-test",
            source="urn:nhipso:source:ehr",
            domains=frozenset({"health"}),
            kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"),
            pool=pool,
            pseudonymiser=Pseudonymiser(b"k" * 32),
            clock=SystemClock(),
        )
        made.append(FhirConnector(FhirConfig.model_validate(config(base_url, **changes)), around))
        return made[-1]

    yield open_
    for one in made:
        await one.close()
