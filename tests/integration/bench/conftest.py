"""Measurements want a PostgreSQL that keeps what it has committed."""

import pytest


@pytest.fixture(scope="session")
def postgres(durable_postgres: str) -> str:
    return durable_postgres
