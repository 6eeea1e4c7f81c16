"""Every kind of the table maps records that are tried again without opening its source."""

import pytest

from services.ingest.connectors.table import KINDS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_its_mapping_needs_no_open_source(kind: str) -> None:
    assert KINDS[kind].mapping is not None
