"""A HAPI FHIR server for the whole session, empty before each test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.embedded.ports import free_port
from tests.integration.ingest.connectors.fhir.hapi import Hapi


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
async def hapi(hapi_server: Hapi) -> AsyncIterator[Hapi]:
    await hapi_server.reset()
    yield hapi_server
    await hapi_server.reset()
