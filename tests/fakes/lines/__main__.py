"""Ingest with one row more in its table of connectors."""

from services.ingest.connectors import table
from tests.fakes.lines.connector import LINES

table.KINDS = {**table.KINDS, "lines": LINES}  # type: ignore[misc]

from services.ingest.__main__ import main  # noqa: E402 - it reads the table as it is imported

main()
