"""The postgres connector keeps what every connector keeps, on an outbox and on a table."""

import pytest

from tests.integration.ingest.connectors.conformance import Conformance
from tests.integration.ingest.connectors.postgres.accounts import Accounts, Outbox, Source


class TestOutbox(Conformance):
    """Whole events."""

    @pytest.fixture
    def ground(self, source: Source) -> Outbox:
        return Outbox(source)


class TestTable(Conformance):
    """A mapped table, by the time of change."""

    @pytest.fixture
    def ground(self, source: Source) -> Accounts:
        return Accounts(source)
