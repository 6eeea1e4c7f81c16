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

    Intervals are in seconds.
    """

    group_id: str = "scoring"
    batch_records: int = Field(default=5_000, ge=1, le=50_000)
    poll_seconds: float = Field(default=0.05, gt=0)
    rollup_seconds: float = Field(default=0.5, gt=0)
    publish_seconds: float = Field(default=1.0, gt=0)
    daily_step_seconds: float = Field(default=15.0, gt=0)
    daily_step_rows: int = Field(default=5_000, ge=1)


class Configuration(ServiceSettings):
    """Everything that scoring reads at its start."""

    kafka: KafkaSettings
    postgres: PostgresSettings
    tokens: TokenSettings
    rejections: RejectionSettings
    areas: AreaSettings = AreaSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    scoring: ScoringSettings = ScoringSettings()
