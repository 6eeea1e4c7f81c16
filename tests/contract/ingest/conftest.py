"""Fixtures of a running ingest; see `service` for what they are made of."""

import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS
from tests.contract.ingest.service import Ingest, Keys, Topic, running, settings_for, tail
from tests.databases import new_database


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    made = Keys(tmp_path_factory.mktemp("keys"))
    made.write()
    return made


@pytest.fixture(scope="module")
async def ingest(kafka: str, postgres: str, keys: Keys) -> AsyncIterator[Ingest]:
    """An ingest with limits small enough to reach."""
    limits = {"max_body_bytes": 300_000, "max_batch_events": 1000, "max_event_bytes": 20_000}
    async with (
        new_database(postgres) as database,
        running(settings_for(keys, kafka, database, **limits), keys) as service,
    ):
        yield service


@pytest.fixture
async def subject_events(ingest: Ingest, kafka: str) -> AsyncIterator[Topic]:
    async with tail(SUBJECT_EVENTS, kafka) as topic:
        yield topic


@pytest.fixture
async def rejected_events(ingest: Ingest, kafka: str) -> AsyncIterator[Topic]:
    async with tail(REJECTED_EVENTS, kafka) as topic:
        yield topic


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """Makes events that are fit for acceptance, each with an id of its own."""
    run = secrets.token_hex(4)
    count = 0

    def make(**changes: Any) -> dict[str, Any]:
        nonlocal count
        count += 1
        fit = {
            "specversion": "1.0",
            "id": f"{run}-{count}",
            "source": "urn:nhipso:source:vneid",
            "type": "vn.nhipso.identity.eid-changed.v1",
            "subject": "citizen:000123456789",
            "time": "2026-03-01T08:30:00+07:00",
            "datacontenttype": "application/json",
            "data": {"level": 2, "activated": True},
        } | changes
        return {name: value for name, value in fit.items() if value is not ...}

    return make
