"""A page is bounded by records and by bytes, and never empty where there is something."""

import pytest

from services.ingest.connectors.page_size import fitting

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ([], 0),
        ([9 * MIB, 1], 1),
        ([8 * MIB, 1], 1),
        ([4 * MIB, 4 * MIB, 1], 2),
        ([1, 9 * MIB], 1),
        ([1] * 1_001, 1_000),
        ([1, 2, 3], 3),
    ],
)
def test_the_first_records_that_fit(sizes: list[int], count: int) -> None:
    assert fitting(iter(sizes)) == count
