"""Reads a connector by hand, as the pipeline would."""

import json
from typing import Any, Protocol

from services.ingest.connectors.connector import Cursor, Event, Page
from services.ingest.connectors.fhir.connector import FhirConnector


class Opener(Protocol):
    """Opens a connector over the invented config with some changes."""

    def __call__(self, base_url: str, **changes: Any) -> FhirConnector: ...


async def pages(connector: FhirConnector, cursor: Cursor = None) -> list[Page]:
    """The pages of one round."""
    found: list[Page] = []
    while not found or not found[-1].is_last:
        page = await connector.read(cursor)
        cursor = json.loads(json.dumps(page.cursor))
        found.append(page)
    return found


def places(found: list[Page]) -> list[str]:
    """Where the records of pages stand."""
    return [record.place for page in found for record in page.records]


def events(connector: FhirConnector, found: list[Page]) -> list[Event]:
    """The events of pages."""
    return [
        event
        for page in found
        for record in page.records
        for event in connector.map(record.original)
    ]
