"""The table of connectors: one row a kind. See docs/howto/add-a-connector.md."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from services.ingest.connectors.connector import Kind
from services.ingest.connectors.fhir.connector import FHIR
from services.ingest.connectors.files.connector import FILES
from services.ingest.connectors.kafka.connector import KAFKA
from services.ingest.connectors.postgres.connector import POSTGRES
from services.ingest.connectors.rest.connector import REST

KINDS: Final[Mapping[str, Kind[Any]]] = MappingProxyType(
    {"fhir": FHIR, "files": FILES, "kafka": KAFKA, "postgres": POSTGRES, "rest": REST}
)
