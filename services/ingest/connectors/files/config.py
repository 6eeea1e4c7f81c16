"""What the file of connectors says of one watched folder."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

_GIB: Final = 1024**3


class FilesConfig(BaseModel):
    """A folder, and which files of it are read when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    """Where files are dropped; `done` and `failed` are made in it."""
    settled_seconds: Annotated[float, Field(ge=0, le=86_400)] = 10.0
    """A file is complete when it has not been changed for so long.

    0 for senders who always write under another name (one that begins with a dot, or ends in .part
    or .tmp) and then rename.
    """
    sheet: str | None = None
    """Which sheet of a workbook; the first one without it."""
    max_bytes: Annotated[int, Field(ge=1024)] = 2 * _GIB
    """Largest file."""
    max_rows: Annotated[int, Field(ge=1)] = 10_000_000
    """Most rows of one file."""
