"""What a connector of the kind `postgres` is told."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.ingest.core.declared import DeclaredMapping, columns_of, identifying_fields

_Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\x00]+$")]


class PostgresConfig(BaseModel):
    """A table of a source's database, and what its rows say.

    Either `event_column` holds whole events in edge form (an outbox), or `mapping` says which
    events a row becomes; then only the columns that it names are read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dsn_file: Path
    """Holds the URL of the database: it has a password in it."""
    table: Annotated[str, Field(pattern=r"^[^.\x00]+(\.[^.\x00]+)?$")]
    """`schema.table`, or a table of the schema public."""
    watermark: _Name
    """A column that is never null: the id of an outbox, or the time of a row's last change."""
    late: Annotated[int, Field(gt=0)] | None = None
    """How far behind the newest a late row's watermark may lie: seconds, or steps of a number.

    Spares reading the whole table; without it no row is missed whatever its watermark.
    """
    event_column: _Name | None = None
    mapping: DeclaredMapping | None = None
    page_rows: Annotated[int, Field(ge=1, le=1_000)] = 1_000
    statement_timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = 60.0

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if (self.event_column is None) == (self.mapping is None):
            raise ValueError("give either event_column (whole events) or mapping (columns)")
        if self.mapping and self.watermark in identifying_fields(self.mapping.events):
            raise ValueError(
                "watermark is a column that identifies a citizen or household, and is kept in the "
                "checkpoint; use another"
            )
        return self

    @property
    def columns(self) -> list[str]:
        """The columns whose values are read, in order of their names."""
        if self.mapping is None:
            return [self.event_column or ""]
        return sorted(columns_of(self.mapping.events))
