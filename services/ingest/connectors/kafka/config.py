"""What a connector of the kind `kafka` is told; see README.md."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.core.declared import DeclaredMapping

_MIB = 1024 * 1024


class DebeziumConfig(DeclaredMapping):
    """The topic holds change records of Debezium; the rules say which events they are.

    `unwrapped` is for records that Debezium's ExtractNewRecordState has made flat.
    """

    unwrapped: bool = False


class KafkaConfig(BaseModel):
    """A topic to read.

    Without `debezium` its records are events in edge form. The limits are those of one page; a
    single record larger than `page_bytes` is a page of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] | None = None
    """Without it `inbox.<source>.v1`, with the last part of the connector's source."""
    debezium: DebeziumConfig | None = None
    page_records: Annotated[int, Field(ge=1, le=1_000)] = 1_000
    page_bytes: Annotated[int, Field(ge=1024, le=8 * _MIB)] = 4 * _MIB
