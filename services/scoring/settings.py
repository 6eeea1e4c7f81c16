"""Settings of scoring, from the environment."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from contracts.topics import INDICATOR_EVENTS, REJECTED_EVENTS, SUBJECT_EVENTS, TOPIC_CONFIGS
from services.chassis.settings import (
    KafkaSettings,
    PostgresSettings,
    ServiceSettings,
    Settings,
    TokenSettings,
)


class RejectionSettings(Settings):
    """With which public key (a JWK) the originals of refused records are sealed."""

    public_key_file: Path


class AreaSettings(Settings):
    """Which administrative units there are."""

    folder: Path | None = None
    """Holds areas.csv and area_lineage.csv; without it, the units that ship with the contract."""


class CatalogueSettings(Settings):
    """Which rules decide who counts."""

    folder: Path | None = None
    """Holds rules.yaml and the sets; without it, the catalogue that ships with the contract."""


class TopicSettings(Settings):
    """The topics that are read and written, where they are not those of the wire contract.

    A process that runs beside the one in service, to measure or to try, reads what that one reads
    and tells nobody what it finds.
    """

    subject_events: str = SUBJECT_EVENTS
    indicator_events: str = INDICATOR_EVENTS
    rejected_events: str = REJECTED_EVENTS

    def configs(self) -> Mapping[str, Mapping[str, str]]:
        """Each topic with the configuration that the contract asks for."""
        return {
            self.subject_events: TOPIC_CONFIGS[SUBJECT_EVENTS],
            self.indicator_events: TOPIC_CONFIGS[INDICATOR_EVENTS],
            self.rejected_events: TOPIC_CONFIGS[REJECTED_EVENTS],
        }


class ScoringSettings(Settings):
    """How scoring works off its shards.

    `memory_bytes` bounds what the process takes: beyond it, states of shards are dropped from memory
    and read again when they are needed. After `journal_entries` batches a shard is written as a whole,
    however little they have changed. Intervals are in seconds; those `behind` hold while the
    consumer works off a backlog.
    """

    group_id: str = "scoring"
    database_schema: str = Field(default="scoring", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    topics: TopicSettings = TopicSettings()
    batch_records: int = Field(default=20_000, ge=1, le=100_000)
    memory_bytes: int = Field(default=1024 * 1024 * 1024, ge=384 * 1024 * 1024)
    journal_entries: int = Field(default=20_000, ge=1)
    poll_seconds: float = Field(default=0.05, gt=0)
    rollup_seconds: float = Field(default=0.5, gt=0)
    rollup_behind_seconds: float = Field(default=2.0, gt=0)
    publish_seconds: float = Field(default=1.0, gt=0)
    publish_behind_seconds: float = Field(default=10.0, gt=0)
    daily_step_seconds: float = Field(default=15.0, gt=0)


class Configuration(ServiceSettings):
    """Everything that scoring reads at its start."""

    kafka: KafkaSettings
    postgres: PostgresSettings
    tokens: TokenSettings
    rejections: RejectionSettings
    areas: AreaSettings = AreaSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    scoring: ScoringSettings = ScoringSettings()
