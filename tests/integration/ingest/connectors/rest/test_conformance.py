"""The rest connector keeps what every connector keeps."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.ingest.connectors.conformance import Conformance
from tests.integration.ingest.connectors.rest.api import JsonApi, Records, serving


class TestCursor(Conformance):
    """Pages by tokens, with OAuth2."""

    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[Records]:
        async with serving(JsonApi()) as api:
            yield Records(api, tmp_path, "cursor")
