"""An ingest of the test's own, over an empty database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.ingest.settings import IngestSettings
from tests.contract.ingest.service import Keys, running, settings_for
from tests.integration.ingest.rejecting.desk import Desk


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    made = Keys(tmp_path)
    made.write()
    return made


@pytest.fixture
def settings(kafka: str, database: str, keys: Keys) -> IngestSettings:
    return settings_for(keys, kafka, database)


@pytest.fixture
async def desk(settings: IngestSettings, keys: Keys) -> AsyncIterator[Desk]:
    async with running(settings, keys) as ingest:
        yield Desk(ingest)
