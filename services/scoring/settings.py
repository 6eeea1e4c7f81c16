"""Settings of scoring, from the environment."""

from pathlib import Path

from pydantic import Field

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


class ScoringSettings(Settings):
    """How scoring works off its shards.

    `memory_bytes` bounds what the process takes: beyond it, states of shards are dropped from memory
    and read again when they are needed. Intervals are in seconds; those `behind` hold while the consumer works off a backlog.
    """

    group_id: str = "scoring"
    batch_records: int = Field(default=20_000, ge=1, le=100_000)
    memory_bytes: int = Field(default=1024 * 1024 * 1024, ge=384 * 1024 * 1024)
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
