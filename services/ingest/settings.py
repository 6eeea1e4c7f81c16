"""Settings of ingest, read once from the environment (prefix ``NHIPSO_``, nested by ``__``)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from services.chassis.settings import (
    KafkaSettings,
    PostgresSettings,
    ServiceSettings,
    Settings,
    TokenSettings,
)
from services.ingest.files.reading import FileSettings

_MIB = 1024 * 1024


class PseudonymSettings(Settings):
    """The secret behind the pseudonyms of citizens and households."""

    key_file: Path
    """Holds at least 32 bytes as hexadecimal digits. Another key means other pseudonyms."""


class RejectionSettings(Settings):
    """The key that seals the originals of refused events."""

    key_file: Path
    """Holds a private EC P-256 key as a JWK."""
    group_id: Annotated[str, Field(min_length=1)] = "ingest-rejections"
    """Consumer group of the processes that keep rejections in one database."""


class AreaSettings(Settings):
    """Which administrative units there are."""

    folder: Path | None = None
    """Holds areas.csv and area_lineage.csv; without it, the units that ship with the contract."""


class CatalogueSettings(Settings):
    """Which rules decide who counts."""

    folder: Path | None = None
    """Holds rules.yaml and the sets; without it, the catalogue that ships with the contract."""


class ReportingSettings(Settings):
    """Which units report what, and by when."""

    folder: Path | None = None
    """Holds calendar.yaml, and forms.yaml where forms are worded otherwise; without it, the calendar
    and the wording that ship with the contract."""
    max_file_bytes: Annotated[int, Field(ge=1024, le=16 * _MIB)] = 2 * _MIB
    """Largest file of a report; every version is kept."""
    remind_every_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """How often is looked for reports that are due, missing or complete."""


class LimitSettings(Settings):
    """Limits of what callers may send, and how long the broker is waited for."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=100 * _MIB)] = 10 * _MIB
    """Largest body of a request, after decompression."""
    max_batch_events: Annotated[int, Field(ge=1)] = 50_000
    """Most events of one request: each may have to be sealed and kept, however short it is."""
    max_event_bytes: Annotated[int, Field(ge=1024, le=512 * 1024)] = 256 * 1024
    """Largest single event; must fit Kafka's limit of 1 MiB a batch with room to spare."""
    max_bytes_in_flight: Annotated[int, Field(ge=_MIB)] = 128 * _MIB
    """Bodies held at once by all requests; a request beyond it is told to come again."""
    rate: Annotated[float, Field(gt=0)] = 50_000
    """Events a second that one caller may send on average."""
    burst: Annotated[float, Field(ge=1)] = 50_000
    """Events that one caller may send at once."""
    delivery_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """How long the broker may take to acknowledge before the answer is 503."""
    retry_after_seconds: Annotated[int, Field(ge=1)] = 5
    """What a caller is told to wait when the broker is away."""
    paused_retry_after_seconds: Annotated[int, Field(ge=1)] = 300
    """What a caller is told to wait whose source is paused."""


class ConnectorSettings(Settings):
    """The connectors that this process may run."""

    file: Path | None = None
    """A YAML file with a list of connectors; without it there are none."""


class IngestSettings(ServiceSettings):
    """Everything ingest reads."""

    kafka: KafkaSettings
    tokens: TokenSettings
    pseudonym: PseudonymSettings
    rejections: RejectionSettings
    areas: AreaSettings = AreaSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    reporting: ReportingSettings = ReportingSettings()
    postgres: PostgresSettings
    connectors: ConnectorSettings = ConnectorSettings()
    ingest: LimitSettings = LimitSettings()
    files: FileSettings = FileSettings()
