"""What the YAML file says of a connector of this kind."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class LinesConfig(BaseModel):
    """Which file is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
