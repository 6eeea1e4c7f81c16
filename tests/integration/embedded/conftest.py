"""The embedded servers as they are, without what makes other tests quick."""

import pytest


@pytest.fixture(scope="session")
def postgres(durable_postgres: str) -> str:
    return durable_postgres
